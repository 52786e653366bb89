"""Vectors of many dimensions on a plane, for a look at them.

Chapter: ACP-Net.
"""

import numpy as np
from sklearn.decomposition import PCA

from acp_lib import streams

EDGES = (0.04, 0.96)  # quantiles beyond which points are drawn at the edge


def unit_scale(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, width) about their mean, scaled so that their root mean square length is 1.

    Chapter: ACP-Net.
    """
    centred = vectors - vectors.mean(0)
    return centred / np.sqrt(np.mean(np.sum(centred**2, 1)))


def on_a_plane(*clouds: np.ndarray) -> list[np.ndarray]:
    """The first two principal components of all clouds together: (N, 2) for each cloud (N, width).

    Each component is clipped to its quantiles EDGES, so that a few outliers do not crowd the others together.

    Chapter: ACP-Net.
    """
    fitted = PCA(2, random_state=streams.number("projection")).fit(np.concatenate(clouds))
    points = [fitted.transform(cloud) for cloud in clouds]
    low, high = np.quantile(np.concatenate(points), EDGES, axis=0)
    return [np.clip(p, low, high) for p in points]
