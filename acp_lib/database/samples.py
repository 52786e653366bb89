"""The database of a study: where its files are, the samples they make, and what was rejected.

Chapter: Building the database.
"""

import importlib
import json
from functools import cached_property
from pathlib import Path

import pandas as pd

from acp_lib.database import manifest as manifests
from acp_lib.database import tags as screening
from acp_lib.database.acquire import journal
from acp_lib.database.walk import listing
from acp_lib.engine.cache import code_key, digest, read_table
from acp_lib.engine.work import Work
from acp_lib.profiles.groups import Database


class Samples:
    """Everything that a database's options lead to, before anything is decoded in full.

    seed : of the mini database
    """

    def __init__(self, options: Database, seed: int, work: Work):
        self.options, self.seed, self.work = options, seed, work

    @property
    def synthetic(self) -> bool:
        """Whether it is the mini database, made on the spot."""
        return self.options.source == "synthetic"

    @cached_property
    def source_key(self) -> str:
        """Stands for the files that the database is read from, and for what is noted of those that were to be fetched.

        Raises
        ------
        ValueError
            If `data` is no folder.
        """
        o = self.options
        if (root := o.folder) is None:
            return digest(self.seed, o.n_images, o.n_songs, code_key("acp_lib.database.synthetic"))
        return digest(o.source, listing(root), listing(root, journal.FOLDER))

    @cached_property
    def root(self) -> Path:
        """Folder of the pictures and the music; the mini database is made here, EMID's files are unpacked."""
        o, key = self.options, self.source_key
        if self.synthetic:
            from acp_lib.database import synthetic  # only where it is made

            return self.work.once("database", key, lambda folder: synthetic.make(
                folder, seed=self.seed, n_images=o.n_images, n_songs=o.n_songs, jobs=self.work.jobs,
                progress=self.work.progress))
        if o.source == "emid":
            from acp_lib.database import emid

            return self.work.once("emid", digest(key, code_key("acp_lib.database.emid")), lambda folder: emid.extract(
                Path(o.data), folder, progress=self.work.progress))
        return Path(o.data)

    @cached_property
    def _folder(self) -> Path:
        o = self.options
        source = importlib.import_module(f"acp_lib.database.{'imac' if self.synthetic else o.source}")
        options = {"agreement": o.agreement} if source.__name__.endswith("imac") else {}

        def make(folder: Path) -> None:
            files, bad = source.scan(self.root, **options)
            table, unread = manifests.build(self.root, files, last_segment=o.last_segment, short_from=o.short_from,
                                            jobs=self.work.jobs, progress=self.work.progress)
            table.to_parquet(folder / "manifest.parquet")
            pd.concat([bad, unread], ignore_index=True).to_parquet(folder / "rejects.parquet")

        key = digest(self.source_key, o.last_segment, o.short_from, options, code_key(source.__name__))
        return self.work.once("manifest", key, make)

    @cached_property
    def listed(self) -> pd.DataFrame:
        """The manifest as the source gives it: one row a sample."""
        return read_table(self._folder / "manifest.parquet")

    @cached_property
    def rejects(self) -> pd.DataFrame:
        """Path and reason of what was found and is no sample."""
        return read_table(self._folder / "rejects.parquet")

    @property
    def tag_file(self) -> Path | None:
        """The table of tags beside the data, where there is one."""
        return screening.table_file(self.root)

    @cached_property
    def tags(self) -> pd.DataFrame | None:
        """Every tag of the table that holds one of the paper's strings, with its frequency, and the class or the reason
        of the screening; None where the source has no table of tags.
        """
        path = self.tag_file
        return screening.screened(screening.read(path)) if path else None

    @property
    def n_tags(self) -> int:
        """How many tags that table holds, whatever they are about."""
        return screening.count(path) if (path := self.tag_file) else 0

    @cached_property
    def tag_lists(self) -> dict[str, list[str]]:
        """The authors' clean tags by string, as far as they lie beside the data."""
        return screening.clean_lists(self.root)

    @cached_property
    def truth(self) -> dict | None:
        """How the synthetic database was made: counts, Bayes rates, constants; None for any other."""
        return json.loads((self.root / "truth.json").read_text("utf8")) if self.synthetic else None
