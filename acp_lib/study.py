"""From a profile to trained networks, one stage after another, each computed when it is asked for and kept.

A stage's folder below `_work/cache` is named by the code and the data it was made from, so a chapter finds what another
one made, and a change in the code or the data is never answered with an old result.

Chapter: How to read and rerun.
"""

import importlib
import json
import platform
import re
from dataclasses import asdict, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from acp_lib.database import manifest as manifests
from acp_lib.database import tags as screening
from acp_lib.engine.cache import build_once, code_key, digest, file_digest, write
from acp_lib.experiment import baselines, methods, runs, splits, training
from acp_lib.experiment import corpus as corpora
from acp_lib.experiment.corpus import Corpus, Pairs
from acp_lib.experiment.tasks import Correspondence
from acp_lib.features import audio, extract, raw
from acp_lib.profiles import FILES, PLACES, Profile, resolve

PACKAGES = ("torch", "torchvision", "librosa", "soundfile", "soxr", "numba", "numpy", "scipy", "pillow", "scikit-learn",
            "pandas")
SYNTHETIC = "the synthetic mini database"
CALIBRATION = 128  # training pictures that set the batch norm of random weights
AGREEMENT = 64  # training pictures on which bfloat16 features are held against float32 ones
COSINE = 0.999  # of the lowest of them
BEFORE = {"source", "data", "weights", "work", "seed", "n_images", "n_songs", "last_segment", "short_from",
          "agreement", "image_size", "image_precision", "device"}
"""Fields that database and features depend on."""
STAGES = [(BEFORE, ("source_key", "root", "_database", "listed", "weights", "_extracted", "_usable", "manifest")),
          ({"split", "split_draw"}, ("_listed_part", "part")), ({"scaling"}, ("_corpus", "corpus"))]
"""What a study with other values of other fields need not make again: each stage needs the ones before it, too."""


class Study:
    """Everything that a profile leads to, made on demand.

    Chapter: How to read and rerun.
    """

    def __init__(self, profile: Profile, progress: bool = True, scheduler: str = ""):
        self.profile = profile
        self.progress = progress
        self.scheduler = scheduler  # of a Dask cluster that extracts features and trains

    def variant(self, **changes) -> "Study":
        """The same with some values of the profile replaced; the network that sees pictures stays the same, whatever
        the split it was calibrated on.

        Chapter: How sure are we.
        """
        made = Study(replace(self.profile, weights=str(self.weights), **changes), self.progress, self.scheduler)
        for fields, stages in STAGES:
            if fields & set(changes):
                break
            made.__dict__ |= {name: getattr(self, name) for name in stages}
        return made

    @property
    def audited(self) -> "Study":
        """The same with as many and as small networks as audits train: `audit_seeds` of `audit_width`, at a learning
        rate that is higher by as much as they are narrower.

        Adam's steps have the same size in each weight, so that a sum over fewer of them moves less. Source: Yang et
        al. (2021), Tuning large neural networks via zero-shot hyperparameter transfer, NeurIPS 34.

        Chapter: Shortcuts.
        """
        p = self.profile
        return self.variant(seeds=p.audit_seeds, fc_width=p.audit_width,
                          learning_rate=p.learning_rate * p.fc_width / p.audit_width)

    # --- database

    @property
    def synthetic(self) -> bool:
        return self.profile.source == "synthetic"

    @property
    def data_name(self) -> str:
        """What the data is, for readers."""
        return SYNTHETIC if self.synthetic else f"the folder {Path(self.profile.data).name!r}"

    @cached_property
    def source_key(self) -> str:
        """Stands for the files that the database is read from."""
        p = self.profile
        if self.synthetic:
            return digest(p.seed, p.n_images, p.n_songs, code_key("acp_lib.database.synthetic"))
        root = resolve(p.data)
        if not root.is_dir():
            raise ValueError(f"data is {p.data!r}, which is no folder; give the one that holds your pictures and music")
        return digest(p.source, manifests.listing(root))

    @cached_property
    def root(self) -> Path:
        """Folder of the pictures and the music; the mini database is made here."""
        p = self.profile
        if not self.synthetic:
            key = self.source_key  # raises where there is no such folder
            if p.source != "emid":
                return resolve(p.data)
            from acp_lib.database import emid

            return self._build_once("emid", digest(key, code_key("acp_lib.database.emid")),
                              lambda folder: emid.extract(resolve(p.data), folder, progress=self.progress))
        from acp_lib.database import synthetic

        return self._build_once("database", self.source_key, lambda folder: synthetic.make(
            folder, seed=p.seed, n_images=p.n_images, n_songs=p.n_songs, jobs=p.processes, progress=self.progress))

    @cached_property
    def _database(self) -> Path:
        p = self.profile
        source = importlib.import_module(f"acp_lib.database.{'imac' if self.synthetic else p.source}")
        options = {"agreement": p.agreement} if source.__name__.endswith("imac") else {}

        def make(folder: Path):
            files, bad = source.scan(self.root, **options)
            table, unread = manifests.build(self.root, files, last_segment=p.last_segment, short_from=p.short_from,
                                            jobs=p.processes, progress=self.progress)
            table.to_parquet(folder / "manifest.parquet")
            pd.concat([bad, unread], ignore_index=True).to_parquet(folder / "rejects.parquet")

        key = digest(self.source_key, p.last_segment, p.short_from, options, code_key(source.__name__))
        return self._build_once("manifest", key, make)

    @cached_property
    def listed(self) -> pd.DataFrame:
        """The manifest as the source gives it, before anything is decoded in full."""
        return pd.read_parquet(self._database / "manifest.parquet")

    @cached_property
    def _usable(self) -> pd.Series:
        """Whether each listed sample could be decoded whole."""
        usable = pd.Series(True, index=self.listed.index)
        for modality, (x, _) in self._extracted.items():
            usable[self.listed["modality"] == modality] = ~np.isnan(x).any(1)
        return usable

    @cached_property
    def manifest(self) -> pd.DataFrame:
        """The manifest: one row for each sample that has features."""
        table = self.listed[self._usable].reset_index(drop=True)
        manifests.validate(table, self.root)
        return table

    @cached_property
    def rejects(self) -> pd.DataFrame:
        """Path and reason of everything that was found and not used."""
        late = [bad for _, bad in self._extracted.values()]
        return pd.concat([pd.read_parquet(self._database / "rejects.parquet"), *late], ignore_index=True)

    def load_clip(self, row, seconds: float = 60.0) -> np.ndarray:
        """The first seconds of a manifest row of music, mono at `audio.SR`: float32 (n,)."""
        return audio.load(self.root / row.path, start=row.start, duration=min(seconds, row.duration))

    @cached_property
    def tags(self) -> pd.DataFrame | None:
        """Every tag of the table that holds one of the paper's strings, with its frequency, and the class or the reason
        of the screening; None where the source has no table of tags.
        """
        path = self._tag_file
        return screening.screened(screening.read(path)) if path else None

    @property
    def n_tags(self) -> int:
        """How many tags that table holds, whatever they are about."""
        return screening.count(self._tag_file)

    @cached_property
    def tag_lists(self) -> dict[str, list[str]]:
        """The authors' clean tags by string, as far as they lie beside the data."""
        return screening.clean_lists(self.root)

    @property
    def _tag_file(self) -> Path | None:
        return screening.table_file(self.root)

    @cached_property
    def truth(self) -> dict | None:
        """How the synthetic database was made: counts, Bayes rates, constants; None for any other."""
        path = self.root / "truth.json"
        return json.loads(path.read_text("utf8")) if self.synthetic else None

    def bayes_rate(self, task: str = "pair_class_balanced") -> float | None:
        """Per cent that the best possible observer gets right, known where the data is synthetic."""
        if self.truth is None or (task.startswith("pair") and task != f"pair_{self.profile.pairs}"):
            return None
        return 100 * self.truth["bayes"][task]

    # --- features

    @cached_property
    def _listed_part(self) -> pd.Series:
        return splits.assign_split(self.listed, by=self.profile.split, seed=self.profile.seed,
                           draw=self.profile.split_draw)

    @cached_property
    def part(self) -> pd.Series:
        """train, val or test for each row of the manifest."""
        return self._listed_part[self._usable].reset_index(drop=True)

    @cached_property
    def weights(self) -> Path:
        """The image network's weights as one safetensors file.

        Raises
        ------
        WeightsUnavailable
            If they cannot be had.
        """
        p = self.profile
        if p.weights not in ("random", "imagenet"):
            from acp_lib.features import image

            path = resolve(p.weights)
            image.extractor(path)  # raises where it does not fit
            return path
        about = [p.weights, code_key("acp_lib.features.image"), version("torchvision")]
        if p.weights == "random":
            shown = self._training_pictures(CALIBRATION)
            about += [p.seed, p.image_size, shown["sha"].tolist()]

        def make(folder: Path):
            from acp_lib.features import image  # torchvision is slow to import, and most chapters find the weights made

            network = image.extractor(p.weights, seed=p.seed)
            if p.weights == "random":
                network.calibrate(self._read(shown))
            network.save(folder / "inception_v3.safetensors")

        return self._build_once("weights", digest(*about), make) / "inception_v3.safetensors"

    @property
    def weights_name(self) -> str:
        """What the image weights are, for readers."""
        names = {"random": "seeded random weights, batch norm calibrated on training pictures",
                 "imagenet": "torchvision's ImageNet weights"}
        return names.get(self.profile.weights, f"weights file {Path(self.profile.weights).name}")

    def _features(self, modality: str, **options) -> tuple[np.ndarray, pd.DataFrame]:
        rows = self.listed[self.listed["modality"] == modality]
        about = [rows[["id", "start", "duration", "sha"]].values.tolist(), code_key("acp_lib.features.extract")]
        about += [file_digest(v) if isinstance(v, Path) else v for v in options.values()]
        folder = self.profile.work_path / "cache" / f"{modality}-{digest(*about)}"
        return extract.extract(modality, self.root, rows, folder, jobs=self.profile.processes, progress=self.progress,
                               scheduler=self.scheduler, **options)

    def extracted(self, modality: str) -> tuple[np.ndarray, pd.DataFrame]:
        """Features of "image" or "music" in the order of `listed`, NaN for what cannot be decoded; and the rejects."""
        return self._features(modality, **(self._image_options if modality == "image" else {}))

    @property
    def _image_options(self) -> dict:
        p = self.profile
        options = {"weights": self.weights, "size": p.image_size, "precision": p.image_precision,
                   "device": training.device(p.device)}
        if p.image_precision == "bfloat16" and (lowest := self._bfloat16_cosine) < COSINE:
            raise ValueError(f"image_precision is bfloat16, but with {self.weights_name} it turns a picture's features "
                             f"to a cosine of {lowest:.5f} to those in float32; expected {COSINE} or more: set "
                             "image_precision to float32")
        return options

    @cached_property
    def _bfloat16_cosine(self) -> float:
        """The lowest cosine between features in bfloat16 and in float32 of some training pictures."""
        from acp_lib.features import image

        p = self.profile
        shown = self._training_pictures(AGREEMENT)
        key = digest(file_digest(self.weights), p.image_size, shown["sha"].tolist(), training.device(p.device),
                     code_key("acp_lib.features.image"))

        def make(folder: Path):
            cosine = image.bfloat16_cosine(self.weights, self._read(shown), training.device(p.device))
            write(folder / "cosine.json", json.dumps({"lowest": float(cosine.min())}))

        return json.loads((self._build_once("agreement", key, make) / "cosine.json").read_text())["lowest"]

    def _training_pictures(self, most: int) -> pd.DataFrame:
        shown = self.listed[(self.listed["modality"] == "image") & (self._listed_part == "train")]
        return shown.sample(min(len(shown), most), random_state=self.profile.seed)

    def _read(self, rows: pd.DataFrame) -> np.ndarray:
        from acp_lib.features import image

        return np.stack([image.read(self.root / path, self.profile.image_size) for path in rows["path"]])

    @cached_property
    def _extracted(self) -> dict[str, tuple[np.ndarray, pd.DataFrame]]:
        return {modality: self.extracted(modality) for modality in ("image", "music")}

    @property
    def features(self) -> dict[str, np.ndarray]:
        """Features as extracted, "image" (N, 2048) and "music" (M, 193), in the order of the manifest."""
        return {m: x[~np.isnan(x).any(1)] for m, (x, _) in self._extracted.items()}

    @cached_property
    def corpus(self) -> Corpus:
        """Scaled features, classes and parts."""
        return Corpus.read(self._corpus)

    @property
    def corpus_key(self) -> str:
        """Stands for the scaled features, classes and parts."""
        return self._corpus.parent.name

    @cached_property
    def _corpus(self) -> Path:
        p = self.profile
        key = digest(manifests.fingerprint(self.manifest), self.part.tolist(), file_digest(self.weights), p.scaling,
                     p.image_size, p.image_precision, code_key("acp_lib.experiment.corpus", "acp_lib.features.extract"))

        def make(folder: Path):
            built = corpora.build(self.manifest, self.part, self.features, p.scaling)
            built.save(folder / "corpus.safetensors")

        return self._build_once("corpus", key, make) / "corpus.safetensors"

    # --- networks

    def test_pairs(self, protocol: str | None = None) -> Pairs:
        """The frozen evaluation pairs: the profile's own, or as many by another protocol."""
        return Correspondence(self.corpus, self.profile).pairs("test", protocol)

    def raw(self, kind: str) -> Path:
        """Folder with the shards of "pixels", "art" or "slices", in the order of the manifest."""
        p = self.profile
        options = {"pixels": {"size": p.raw_size}, "art": {"size": p.image_size}, "slices": {"bins": p.bins}}[kind]
        rows = self.manifest[self.manifest["modality"] == raw.KINDS[kind]]
        about = rows[["id", "start", "duration", "sha"]].values.tolist()
        key = digest(about, options, code_key("acp_lib.features.raw"))
        return raw.make(kind, self.root, rows, p.work_path / "cache" / f"{kind}-{key}", jobs=p.processes,
                        progress=self.progress, scheduler=self.scheduler, **options)

    def planned(self, group: str, name: str) -> list[runs.Run]:
        """The runs of a method, one a seed, trained or not."""
        p, method = self.profile, methods.method(group, name)
        made = {kind: self.raw(kind) for kind in ("pixels", "slices") if kind in method.needs}
        wanted = []
        for k, seed in enumerate(p.run_seeds):
            acp = self.runs[k].folder if "acp_net" in method.needs else None
            inputs = methods.Inputs(self._corpus, acp_net=acp, **made)
            about = [self.corpus_key, acp and acp.name, *(folder.name for folder in made.values())]
            about += [runs.settings(method, p), code_key("acp_lib.experiment.runs"), group, name, seed]
            if "alexnet_weights" in method.settings and (file := resolve(p.alexnet_weights)).is_file():
                about.append(file_digest(file))
            folder = f"{re.sub('[^a-z0-9]+', '_', name.lower())}-{digest(*about)}"
            wanted.append(runs.Run(group, name, seed, p.work_path / "cache" / folder, inputs))
        return wanted

    def trained(self, group: str, *names: str) -> dict[str, list[runs.Run]]:
        """The runs of some methods of a group of `methods.GROUPS`, all of them if none is named.

        Chapter: Baselines; Probes.
        """
        wanted = {name: self.planned(group, name) for name in names or methods.GROUPS[group]}
        runs.train(self.profile, [run for some in wanted.values() for run in some], progress=self.progress,
                   scheduler=self.scheduler)
        return wanted

    @cached_property
    def runs(self) -> list[runs.Run]:
        """ACP-Net, trained once for each seed."""
        return self.trained("pairs", "ACP-Net")["ACP-Net"]

    @cached_property
    def baselines(self) -> pd.DataFrame:
        """Whether each of `baselines.BASELINES`, a column, is right about each frozen evaluation pair, a row."""
        p, pairs = self.profile, self.test_pairs()

        def make(folder: Path):
            baselines.correct(self.corpus, pairs, p.pairs, p.seed).to_parquet(folder / "correct.parquet")

        key = digest(self.corpus_key, p.pairs, p.seed, pairs.digest, code_key("acp_lib.experiment.baselines"))
        return pd.read_parquet(self._build_once("baselines", key, make) / "correct.parquet")

    # --- provenance

    @cached_property
    def provenance(self) -> dict:
        """What a number was made from: data, weights, seeds, settings, code and versions."""
        p = self.profile
        settings = {k: Path(v).name if k in FILES else v for k, v in asdict(p).items()
                    if k not in (*PLACES, "profile", "source")}
        return {"profile": p.profile, "data": self.data_name, "synthetic": self.synthetic,
                "data_fingerprint": manifests.fingerprint(self.manifest),
                "tags_digest": self._tag_file and file_digest(self._tag_file), "image_weights": self.weights_name,
                "image_weights_digest": file_digest(self.weights), "device": training.device(p.device),
                "settings": settings, "test_pairs_digest": self.test_pairs().digest, "code": code_key(),
                "versions": versions()}

    def _build_once(self, stage: str, key: str, build) -> Path:
        return build_once(self.profile.work_path / "cache" / f"{stage}-{key}", build)


def prepare(profile: Profile) -> None:
    """Make, with visible progress, all that the chapters share: database, features and trained networks.

    Raises
    ------
    ValueError
        If data or weights cannot be used; the message says why and what to do.
    """
    study = Study(profile)
    print(f"{len(study.manifest)} samples from {study.data_name}, {len(study.rejects)} rejected; "
          f"image features by {study.weights_name}", flush=True)
    study.raw("art")
    for groups in (["pairs"], ["image", "music"]):  # probes of ACP-Net's embeddings need it trained
        plan = [run for group in groups for name in methods.GROUPS[group] for run in study.planned(group, name)]
        runs.train(profile, plan, progress=study.progress, scheduler=study.scheduler)
        print(f"{len(plan)} runs of {', '.join(dict.fromkeys(run.name for run in plan))}", flush=True)
    from acp_lib.audits import repeated  # it imports this module

    print(f"{len(repeated.all_runs(study))} runs of ACP-Net for the audits", flush=True)


def input_key(profile: Profile) -> str:
    """Stands for all that a chapter's numbers come from: settings, code, data, weights, versions. Cheap to compute."""
    study = Study(profile)
    settings = {k: v for k, v in asdict(profile).items() if k not in PLACES}
    weights = [file_digest(path) if (path := resolve(name)).is_file() else name
               for name in (profile.weights, profile.alexnet_weights)]
    return digest(settings, code_key(), study.source_key, weights, training.device(profile.device), versions())


def versions() -> dict[str, str]:
    """Python's version and those of the packages that numbers depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
