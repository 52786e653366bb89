"""Pictures: Inception-V3 features against one picture at a time, eager, unfused."""

from benchmarks.compare import compare  # isort: skip - sets the threads before numpy loads

import io

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import v2

from acp_lib.features import image

NAIVE = v2.Compose([v2.Resize((image.SIZE, image.SIZE)), v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
                    v2.Normalize(image.MEAN, image.STD)])


def jpegs(n: int, seed: int) -> list[bytes]:
    """Smooth random pictures of 640 x 480."""
    random = np.random.default_rng(seed)
    files = []
    for _ in range(n):
        small = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        file = io.BytesIO()
        small.resize((640, 480), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    return files


def run(quick: bool) -> list[dict]:
    """One row a comparison."""
    torch.set_num_threads(1)
    files, rounds = jpegs(8, 1), 3 if quick else 7
    plain = image.extractor("random").model.to(memory_format=torch.contiguous_format)
    fast = image.extractor("random").fuse()

    def one_by_one():
        with torch.inference_mode():
            for file in files:
                plain(NAIVE(Image.open(io.BytesIO(file)))[None])

    def batched():
        fast(np.stack([image.read(io.BytesIO(file)) for file in files]))

    batched()
    return [compare("2048 numbers of 8 pictures, from JPEG", one_by_one, batched, rounds, 1.5)]
