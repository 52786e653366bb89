"""Fetching pictures from a server on this machine: pictures a second, and peak memory of the process that fetches.

The server is a process of its own and answers at once, so this is what the client costs: asking, writing, decoding each
picture whole, its hash, the journal.
"""

from benchmarks.compare import seconds  # isort: skip - sets the threads before numpy loads

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.compare import peak

SIZES = {"small": (48, 36), "photograph": (500, 375)}
COUNTS = {"small": (2_000, 10_000), "photograph": (500, 2_000)}  # memory must not grow with them
BODIES = 50


def bodies(size: tuple[int, int]) -> list[bytes]:
    import io

    import numpy as np
    from PIL import Image

    made = []
    for seed in range(BODIES):
        coarse = np.random.default_rng(seed).integers(0, 256, (size[1] // 6, size[0] // 6, 3), dtype=np.uint8)
        data = io.BytesIO()
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(data, "JPEG", quality=90)
        made.append(data.getvalue())
    return made


def serve(size: tuple[int, int]) -> None:
    """Answer `/<n>.jpg` until killed; the port is the first line of the output."""
    import asyncio

    from aiohttp import web

    made = bodies(size)

    async def answer(request):
        return web.Response(body=made[int(request.path[1:-4]) % BODIES], content_type="image/jpeg")

    async def run():
        runner = web.ServerRunner(web.Server(answer, access_log=None))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


def measured(root: Path) -> dict:
    """Seconds and peak memory of a fetch into `root`, imports not counted in the seconds."""
    from acp_lib.database.acquire import attrition
    from acp_lib.database.acquire import pictures as download
    from acp_lib.database.acquire.addresses import Policy

    limits = download.Limits(placeholder=10**9)  # the server has few pictures
    spent = seconds(lambda: download.fetch(root, limits=limits, policy=Policy(private=True), progress=False))
    found = attrition.table(root)
    assert found["reason"].tolist() == ["fetched"], found
    return {"samples": int(found["n"].sum()), "wall_s": spent, "peak_mib": peak()}


def run(quick: bool) -> list[dict]:
    """One row a kind of picture and a number of them."""
    found = []
    for kind, counts in COUNTS.items():
        me = [sys.executable, "-m", "benchmarks.downloads"]
        with subprocess.Popen([*me, "serve", kind], stdout=subprocess.PIPE, text=True) as server:
            try:
                port = int(server.stdout.readline())
                for count in (counts[0] // 4,) if quick else counts:
                    with tempfile.TemporaryDirectory() as folder:
                        agg = Path(folder) / "agg"
                        agg.mkdir()
                        rows = "".join(f"awe,http://127.0.0.1:{port}/{i}.jpg,0,5\n" for i in range(count))
                        (agg / "awe.csv").write_text(rows)
                        done = subprocess.run([*me, "fetch", folder], check=True, text=True, stdout=subprocess.PIPE)
                    row = json.loads(done.stdout.splitlines()[-1])
                    name = f"download, {count:,} pictures, {kind}"
                    found.append({"name": name, **row, "per_second": count / row["wall_s"]})
                    print(f"{name:46}{row['wall_s']:8.2f} s, {found[-1]['per_second']:6.0f} pictures a second, peak "
                          f"{row['peak_mib']:5.0f} MiB", flush=True)
            finally:
                server.kill()
    return found


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(SIZES[sys.argv[2]])
    else:
        print(json.dumps(measured(Path(sys.argv[2]))))
