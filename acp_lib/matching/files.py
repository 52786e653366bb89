"""Pictures and songs that someone names, a file or a folder of files, as the samples that the database would make of
them; and what cannot be used, with the reason.

Chapter: How to read and rerun.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from acp_lib.database import manifest
from acp_lib.database.walk import walk
from acp_lib.features.extraction import Extraction
from acp_lib.study import Study

NAMES = {"image": "picture", "music": "song"}


@dataclass(frozen=True)
class Files:
    """What of a file or folder can be used.

    modality : "image" or "music"
    root : what paths start from
    samples : rows of a manifest, but without labels: one a picture, one a segment of a song
    refused : path, reason
    """

    modality: str
    root: Path
    samples: pd.DataFrame
    refused: pd.DataFrame

    @property
    def paths(self) -> list[str]:
        """Each file once, in the order of its first sample."""
        return list(self.samples["path"].unique())

    def without(self, late: pd.DataFrame) -> "Files":
        """The same without some files: path, reason, a row a file or a sample.

        Raises
        ------
        ValueError
            If nothing is left, with the first reason.
        """
        refused = pd.concat([self.refused, late.drop_duplicates("path")], ignore_index=True)
        left = self.samples[~self.samples["path"].isin(late["path"])].reset_index(drop=True)
        if left.empty:
            why = "; ".join(f"{name}: {reason}" for name, reason in refused.head(1).itertuples(index=False))
            raise ValueError(f"{self.root.name!r} holds no {NAMES[self.modality]} that can be used "
                             f"({why or 'it is empty'}); pictures come first, then songs")
        return Files(self.modality, self.root, left, refused)


def opened(study: Study, path: Path, modality: str) -> Files:
    """The pictures ("image") or songs ("music") of a path, opened and cut as those of the study's own data are.

    A folder is read with all in it, as `walk` does: hidden files and what systems leave behind are passed over, links
    are followed.

    Raises
    ------
    ValueError
        If nothing there can be used, with the first reason.

    Chapter: How to read and rerun.
    """
    root, names, bad = path.parent, [path.name], list[tuple[str, str]]()
    if path.is_dir():
        found = walk(path)
        root, names, bad = path, list(found.files), found.bad
    listed = manifest.candidates([{"id": name, "modality": modality, "path": name} for name in names])
    o, work = study.profile.database, study.work
    samples, unread = manifest.inspected(root, listed, last_segment=o.last_segment, short_from=o.short_from,
                                         jobs=min(work.jobs, len(names)), progress=work.progress)
    return Files(modality, root, pd.DataFrame(samples, columns=manifest.COLUMNS), manifest.rejects(bad)).without(unread)


def described(study: Study, files: Files) -> tuple[Files, np.ndarray]:
    """Features [shape=(samples, 2048 or 193)] by the weights that the study's own pictures are seen with, kept in the
    work folder; and the files that decode whole. A song of which a part does not is refused.

    Raises
    ------
    ValueError
        If none does, with the first reason.

    Chapter: How to read and rerun.
    """
    p, own = study.profile, study.extraction
    shown = own.training  # what random weights are set on lies below another folder: named whole
    if shown is not None:
        shown = shown.assign(path=[str(study.root / name) for name in shown["path"]])
    x, late = Extraction(files.samples, files.root, p.features, shown, p.seed, own.device,
                         study.work).vectors(files.modality)
    return files.without(late), x[~files.samples["path"].isin(late["path"]).to_numpy()]
