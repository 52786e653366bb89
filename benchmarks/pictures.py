"""Pictures: Inception-V3 features against one picture at a time, eager, unfused; decoding against Pillow."""

from benchmarks.compare import compare, floor  # isort: skip - sets the threads before numpy loads

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torchvision.io import decode_jpeg, read_file
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from acp_lib.features import image

NAIVE = v2.Compose([v2.Resize((image.SIZE, image.SIZE)), v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
                    v2.Normalize(image.MEAN, image.STD)])


def jpegs(folder: Path, n: int, seed: int) -> list[Path]:
    """Smooth random pictures of 640 x 480."""
    random = np.random.default_rng(seed)
    files = []
    for i in range(n):
        small = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        files.append(folder / f"{i}.jpg")
        small.resize((640, 480), Image.Resampling.BICUBIC).save(files[-1], quality=90)
    return files


def pillow(path: Path) -> np.ndarray:
    """A picture decoded, turned upright and resized by Pillow alone."""
    with Image.open(path) as file:
        upright = ImageOps.exif_transpose(file).convert("RGB")
        return np.asarray(upright.resize((image.SIZE, image.SIZE), Image.Resampling.BILINEAR))


def on_gpu(pixels: np.ndarray, rounds: int) -> list[dict]:
    """Pictures a second on a GPU, by batch; nothing where there is none."""
    rows = []
    if not torch.cuda.is_available():
        print("no GPU here: its figures are not taken")
        return rows
    for precision in ("float32", "bfloat16"):
        network = image.frozen("random", precision, "cuda")
        for batch in (8, 64, 256, 1024):
            many = np.resize(pixels, (batch, *pixels.shape[1:]))
            network(many)
            start = time.perf_counter()
            for _ in range(rounds):
                network(many)
            rate = rounds * batch / (time.perf_counter() - start)
            rows.append({"name": f"GPU, {precision}, batch {batch}", "per_second": rate, "rounds": rounds})
            print(f"{rows[-1]['name']:46}{rate:10.0f} pictures/s on {torch.cuda.get_device_name()}", flush=True)
    return rows


def run(quick: bool) -> list[dict]:
    """One row a comparison."""
    torch.set_num_threads(1)
    rounds = 3 if quick else 7
    with tempfile.TemporaryDirectory() as folder:
        files, weights = jpegs(Path(folder), 8, 1), Path(folder) / "weights.safetensors"
        pixels = np.stack([image.read(file) for file in files])
        image.extractor("random").calibrate(pixels).save(weights)
        plain = image.extractor(weights).model.to(memory_format=torch.contiguous_format)
        exact = image.frozen(weights)
        prepared = torch.stack([NAIVE(Image.fromarray(picture)) for picture in pixels])
        with torch.inference_mode():
            expected = torch.cat([plain(picture[None]) for picture in prepared]).numpy()
        departs = np.abs(exact(pixels) - expected).max(0) / np.ptp(expected, axis=0).clip(1e-6)
        grey = max(np.abs(image.read(f).astype(int) - pillow(f)).max() for f in files)
        print(f"on identical pixels, the largest departure of a feature: {departs.max():.1e} of its spread; decoded "
              f"pictures depart by {grey} grey level at most")

        def one_by_one():
            with torch.inference_mode():
                for file in files:
                    plain(NAIVE(Image.open(file))[None])

        def batched(network):
            network(np.stack([image.read(file) for file in files]))

        encoded = [read_file(str(file)) for file in files]
        decoded = [decode_jpeg(data) for data in encoded]
        left, right = torch.randn(2048, 2048), torch.randn(2048, 5408)  # 45 billion operations, as 8 pictures take
        prepared = prepared.contiguous(memory_format=torch.channels_last)
        return [
            compare("decode, turn and resize 8 pictures of 640 x 480", lambda: [pillow(f) for f in files],
                    lambda: [image.read(f) for f in files], 5 * rounds, 2.2),
            *(floor(f"{what} 8 JPEG alone", work, 5 * rounds, "decode, turn and resize 8 pictures of 640 x 480")
              for what, work in (("decoding", lambda: [decode_jpeg(data) for data in encoded]),
                                 ("resizing", lambda: [F.resize(x, [image.SIZE, image.SIZE]) for x in decoded]))),
            compare("2048 numbers of 8 pictures, from JPEG", one_by_one, lambda: batched(exact), rounds, 1.5),
            *in_bfloat16(weights, pixels, one_by_one, batched, rounds),
            floor("a float32 product of as many operations (GEMM)", lambda: left @ right, rounds),
            floor("the network alone, float32", lambda: _alone(exact, prepared), rounds),
            *on_gpu(pixels, 20),
        ]


def in_bfloat16(weights: Path, pixels: np.ndarray, one_by_one, batched, rounds: int) -> list[dict]:
    """The comparison in bfloat16; none on a processor that only imitates it, many times slower than float32."""
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        print(f"this processor ({torch.backends.cpu.get_cpu_capability()}) has no bfloat16: its figures are not taken")
        return []
    rough = image.frozen(weights, "bfloat16")
    print(f"lowest cosine of features in bfloat16 to those in float32, with random weights: "
          f"{image.bfloat16_cosine(weights, pixels).min():.4f}")
    return [compare("the same in bfloat16", one_by_one, lambda: batched(rough), rounds, 2.7)]


def _alone(network: image.Extractor, x: torch.Tensor) -> None:
    with torch.inference_mode():
        network.model(x)
