"""The descriptions of samples, with their modality and module; and the layout of the music vector.

Chapter: Hearing; Seeing; Baselines.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of description of a sample.

    modality : "image" or "music"
    module : has `describe(root, row, **options)`, which computes it for one manifest row, and optionally
        `describe_batch(items, **options)`, which turns a stack of these results into what is stored
    shard : samples per file, a few seconds of work
    """

    modality: str
    module: str
    shard: int


KINDS = {
    "music": Kind("music", "acp_lib.features.music", 4),
    "image": Kind("image", "acp_lib.features.image", 32),
    "pixels": Kind("image", "acp_lib.features.pixels", 50),
    "art": Kind("image", "acp_lib.features.art", 50),
    "slices": Kind("music", "acp_lib.features.spectrogram", 50),
}
"""The two feature vectors of ACP-Net, and the other inputs of the baselines."""

BLOCKS = {
    "mfcc": slice(0, 40),
    "chroma": slice(40, 52),
    "contrast": slice(52, 59),
    "tonnetz": slice(59, 65),
    "mel": slice(65, 193),
}
"""Position of each group of features in the vector of a piece of music."""

VECTORS = {"music": max(block.stop for block in BLOCKS.values()), "image": 2048}
"""Width of the feature vectors of each modality."""
