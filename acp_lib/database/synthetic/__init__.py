"""A small IMAC made on the spot: pictures, songs, tags and lists in IMAC's layout, with known ground truth.

An item's label fixes, up to `NOISE`, its true emotion (of a song: its true class); a point of valence, arousal and
dominance is drawn around the centroid of that truth; the picture or the song is drawn from the point alone. So the best
score that anything can reach which sees only pictures and songs is known: `bayes_rates`.

    <root>/...          what `acp_lib.database.imac` reads
    <root>/truth.csv    id, modality, true and label class and emotion, valence, arousal, dominance of each item
    <root>/truth.json   the constants, the Bayes rates, what was planted

All names, titles, addresses and video ids are made up. A few things are planted that real collections hold too: files
that were lost or are broken, equal pictures under two names, tags that mislead.

Sources: Mikels et al. (2005, Behavior Research Methods 37) for the eight emotions; Russell and Mehrabian (1977, Journal
of Research in Personality 11) for the signs of their centroids, which are moved apart so that eight can be told.

Paper: stands in for the data of Section 2.  Chapter: Building the database.
"""

from dataclasses import replace
from pathlib import Path

from acp_lib.database.synthetic import lists, media, truth
from acp_lib.database.synthetic.items import (
    CENTROIDS,
    COPIES,
    NOISE,
    PLANTED,
    SHARES,
    SONGS_PER_ARTIST,
    STANDARD_DEVIATION,
    Item,
    counts,
    picture_name,
    plan,
)
from acp_lib.database.synthetic.tags import GENRES, MISLEADING, TAGS
from acp_lib.database.synthetic.truth import bayes_rates

__all__ = ["CENTROIDS", "COPIES", "GENRES", "MISLEADING", "NOISE", "PLANTED", "SHARES", "SONGS_PER_ARTIST",
           "STANDARD_DEVIATION", "TAGS", "Item", "bayes_rates", "counts", "make", "plan"]


def make(root: Path, *, seed: int = 0, n_images: int = 720, n_songs: int = 320, jobs: int = 2,
         progress: bool = True) -> Path:
    """Fill the folder `root` with a small IMAC and return it.

    The same bytes for the same `seed`, `n_images` and `n_songs`, whatever `jobs`. What is planted (`PLANTED`, `COPIES`)
    comes on top of the usable `n_images` pictures and `n_songs` songs.

    Raises
    ------
    ValueError
        If `n_images` is below 16 or `n_songs` below 9, so that some label would be missing.

    Paper: stands in for the data of Section 2.  Chapter: Building the database.
    """
    pictures, songs = plan("image", n_images, seed), plan("music", n_songs, seed)
    media.draw(root, pictures + songs, seed, jobs, progress)
    copies = [replace(p, name=picture_name(p.index + 500_000)) for p in pictures[:COPIES]]
    for original, copy in zip(pictures, copies, strict=False):
        media.picture_path(root, copy).write_bytes(media.picture_path(root, original).read_bytes())
    lists.write_pictures(root, pictures + copies, seed)
    lists.write_songs(root, songs, seed)
    truth.write(root, pictures + copies, songs, seed, (n_images, n_songs))
    return root
