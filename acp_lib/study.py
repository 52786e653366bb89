"""From a profile to trained networks, one stage after another, each computed when it is asked for and kept.

A stage's folder below `_work/cache` is named by the code and the data it was made from and by the versions of the
packages that made it, so a chapter finds what another one made, and a change is never answered with an old result. Each
stage is given only its group of the profile's options; studies that differ in other groups share it.

Chapter: How to read and rerun.
"""

import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from acp_lib.database import manifest as manifests
from acp_lib.database.samples import Samples
from acp_lib.engine import devices
from acp_lib.engine.cache import code_key, digest, file_digest, read_table
from acp_lib.engine.work import Work
from acp_lib.experiment import corpus, methods, runs, splits
from acp_lib.experiment.corpus import Corpus, Modality, Pairs
from acp_lib.experiment.tasks import Correspondence
from acp_lib.features import audio, extraction, shards
from acp_lib.features.extraction import Extraction
from acp_lib.features.layout import KINDS
from acp_lib.inputs import versions
from acp_lib.profiles import PLACES, Profile, shown
from acp_lib.profiles.groups import Features, Splitting

SYNTHETIC = "the synthetic mini database"
MAIN, AUDIT = "main", "audit"
WIDTHS = {1.0: "the whole width", 0.5: "half the width", 0.25: "a quarter of the width",
          0.125: "an eighth of the width"}


class Study:
    """Everything that a profile leads to, made on demand.

    scheduler : of a Dask cluster that extracts features and trains
    shared : stages that other studies have made, by what they were made from
    role : of its ACP-Net, MAIN or AUDIT

    Chapter: How to read and rerun.
    """

    def __init__(self, profile: Profile, progress: bool = True, scheduler: str = "",
                 shared: dict | None = None, role: str = MAIN) -> None:
        self.profile, self.progress, self.scheduler, self.role = profile, progress, scheduler, role
        self.work = Work(profile.work_path / "cache", profile.processes, progress, scheduler)
        self._shared = {} if shared is None else shared

    def variant(self, role: str = "", /, **changes: Any) -> "Study":
        """The same with some values of the profile replaced; the network that sees pictures stays the same, whatever
        the split it was calibrated on. What the changes do not touch is not made or read again.

        Chapter: How sure are we.
        """
        changed = self.profile.changed(weights=str(self.weights), **changes)
        return Study(changed, self.progress, self.scheduler, self._shared, role or self.role)

    @property
    def audited(self) -> "Study":
        """The same with as many and as small networks as audits train: `audit_seeds` of `audit_width`, at a learning
        rate that is higher by as much as they are narrower.

        Adam's steps have the same size in each weight, so that a sum over fewer of them moves less. Source: Yang et
        al. (2021), Tuning large neural networks via zero-shot hyperparameter transfer, NeurIPS 34.

        Chapter: Shortcuts.
        """
        p = self.profile
        return self.variant(AUDIT, seeds=p.auditing.audit_seeds, fc_width=p.auditing.audit_width,
                            learning_rate=p.training.learning_rate * p.network.fc_width / p.auditing.audit_width)

    @property
    def network(self) -> str:
        """Which ACP-Net this study trains, for readers: "main", or "audit" with its share of the paper's widths. No
        score of ACP-Net stands without it.

        Chapter: Paper versus ours.
        """
        return MAIN if self.role == MAIN else f"{AUDIT}, {WIDTHS[self.profile.network.fc_width]}"

    def _stage(self, make: Callable, *about: Any) -> Any:
        """`make(*about)`, made once by all studies that share stages."""
        key = (make, *about)
        if key not in self._shared:
            self._shared[key] = make(*about)
        return self._shared[key]

    # --- database

    @property
    def samples(self) -> Samples:
        """The database: its folder, its samples, its tags and what was rejected."""
        return self._stage(Samples, self.profile.database, self.profile.seed, self.work)

    @property
    def synthetic(self) -> bool:
        """Whether the data is the mini database."""
        return self.samples.synthetic

    @property
    def data_name(self) -> str:
        """What the data is, for readers."""
        return SYNTHETIC if self.synthetic else f"the folder {Path(self.profile.database.data).name!r}"

    @property
    def root(self) -> Path:
        """Folder of the pictures and the music."""
        return self.samples.root

    @property
    def listed(self) -> pd.DataFrame:
        """The manifest as the source gives it, before anything is decoded in full."""
        return self.samples.listed

    @cached_property
    def manifest(self) -> pd.DataFrame:
        """The manifest: one row for each sample that has features."""
        return self._stage(_manifest, self.samples, self.extraction)

    @property
    def rejects(self) -> pd.DataFrame:
        """Path and reason of everything that was found and not used."""
        late = [bad for _, bad in self.extraction.both.values()]
        return pd.concat([self.samples.rejects, *late], ignore_index=True)

    def load_clip(self, row: Any, seconds: float = 60.0) -> np.ndarray:
        """The first seconds of a manifest row of music, mono at `audio.SR`: float32 (n,)."""
        return audio.listed(self.root, row._asdict() if hasattr(row, "_asdict") else row, seconds)

    @property
    def tags(self) -> pd.DataFrame | None:
        """The tags that hold one of the paper's strings, screened; None where the source has no table of tags."""
        return self.samples.tags

    @property
    def truth(self) -> dict | None:
        """How the synthetic database was made; None for any other."""
        return self.samples.truth

    def bayes_rate(self, task: str = "pair_class_balanced") -> float | None:
        """Per cent that the best possible observer gets right, known where the data is synthetic."""
        if self.truth is None or (task.startswith("pair") and task != f"pair_{self.profile.pairing.pairs}"):
            return None
        return 100 * self.truth["bayes"][task]

    # --- features

    @property
    def extraction(self) -> Extraction:
        """The feature vectors of both modalities, and the weights that pictures are seen with."""
        p = self.profile
        splitting = p.splitting if extraction.training_pictures_needed(p.features) else None
        return self._stage(_extraction, self.samples, p.features, splitting, p.seed,
                           devices.device(p.execution.device), self.work)

    @property
    def weights(self) -> Path:
        """The image network's weights as one safetensors file.

        Raises
        ------
        WeightsUnavailable
            If they cannot be had.
        """
        return self.extraction.weights

    @property
    def weights_name(self) -> str:
        """What the image weights are, for readers."""
        return extraction.weights_name(self.profile.features)

    @property
    def features(self) -> dict[str, np.ndarray]:
        """Features as extracted, "image" (N, 2048) and "music" (M, 193), in the order of the manifest."""
        return {m: x[~np.isnan(x).any(1)] for m, (x, _) in self.extraction.both.items()}

    def raw(self, kind: str) -> Path:
        """Folder with the shards of "pixels", "art" or "slices", in the order of the manifest."""
        p = self.profile
        options: dict[str, Any] = {"pixels": {"size": p.convolution.raw_size}, "art": {"size": p.features.image_size},
                                   "slices": {"bins": p.convolution.bins}}[kind]
        rows = self.manifest[self.manifest["modality"] == KINDS[kind].modality]
        about = rows[["id", "start", "duration", "sha"]].values.tolist()
        folder = self.work.folder(kind, digest(about, options,
                                               code_key("acp_lib.features.shards", KINDS[kind].module)))
        shards.make(kind, self.root, rows, self.work, folder, **options)
        return folder

    # --- corpus

    @cached_property
    def part(self) -> pd.Series:
        """train, val or test for each row of the manifest."""
        p = self.profile
        dealt = self._stage(_dealt_part, self.samples, p.features, p.splitting, p.seed, self.work)
        return dealt[self.extraction.usable].reset_index(drop=True)

    @cached_property
    def corpus(self) -> Corpus:
        """Scaled features, classes and parts."""
        return Corpus(*(self._stage(Modality.read, self._modality(name)) for name in ("image", "music")))

    @property
    def corpus_key(self) -> str:
        """Stands for the scaled features, classes and parts."""
        return digest([self._modality(name).parent.name for name in ("image", "music")])

    def _modality(self, name: str) -> Path:
        """The scaled features of a modality, with classes and parts, as one file."""
        scaling, rows = self.profile.features.scaling, self.manifest["modality"] == name
        key = digest(manifests.fingerprint(self.manifest[rows]), self.part[rows].tolist(), self.extraction.key(name),
                     scaling, code_key("acp_lib.experiment.corpus"))

        def make(folder: Path) -> None:
            built = corpus.modality(self.manifest, self.part, self.features[name], scaling, name)
            built.save(folder / "modality.safetensors")

        return self.work.once(f"corpus-{name}", key, make) / "modality.safetensors"

    # --- networks

    @property
    def correspondence(self) -> Correspondence:
        """The task of Table 4 on this corpus."""
        return Correspondence(self.corpus, self.profile.pairing, self.profile.seed)

    def test_pairs(self, protocol: str | None = None) -> Pairs:
        """The frozen evaluation pairs: the profile's own, or as many by another protocol."""
        return self.correspondence.pairs("test", protocol)

    def planned(self, group: str, name: str) -> list[runs.Run]:
        """The runs of a method, one a seed, trained or not."""
        p, method = self.profile, methods.method(group, name)
        options, device = method.options(p), devices.device(p.execution.device)
        made = {kind: self.raw(kind) for kind in ("pixels", "slices") if kind in method.needs}
        sides = {modality: self._modality(modality) for modality in ("image", "music")}
        about = [[sides[modality].parent.name for modality in method.sees], *(f.name for f in made.values()),
                 options.named, device.split(":")[0], code_key("acp_lib.experiment.runs"), group, name]
        if "convolution" in method.groups and (file := Path(p.convolution.alexnet_weights)).is_file():
            about.append(file_digest(file))
        wanted = []
        for k, seed in enumerate(p.run_seeds):
            acp = self.runs[k].folder if "acp_net" in method.needs else None
            key = digest(about, acp and acp.name, seed)
            folder = self.work.folder(re.sub("[^a-z0-9]+", "_", name.lower()), key)
            inputs = methods.Inputs(**sides, acp_net=acp, **made)
            wanted.append(runs.Run(group, name, seed, folder, inputs, options, device, p.processes))
        return wanted

    def trained(self, group: str, *names: str) -> dict[str, list[runs.Run]]:
        """The runs of some methods of a group of `methods.GROUPS`, all of them if none is named.

        Chapter: Baselines; Probes.
        """
        wanted = {name: self.planned(group, name) for name in names or methods.GROUPS[group]}
        runs.train([run for some in wanted.values() for run in some], self.work)
        return wanted

    @cached_property
    def runs(self) -> list[runs.Run]:
        """ACP-Net, trained once for each seed."""
        return self.trained("pairs", "ACP-Net")["ACP-Net"]

    @cached_property
    def baselines(self) -> pd.DataFrame:
        """Whether each of `baselines.BASELINES`, a column, is right about each frozen evaluation pair, a row."""
        from acp_lib.experiment import baselines  # brings scikit-learn, slow to import and needed here alone

        protocol, seed, pairs = self.profile.pairing.pairs, self.profile.seed, self.test_pairs()

        def make(folder: Path) -> None:
            baselines.correct(self.corpus, pairs, protocol, seed).to_parquet(folder / "correct.parquet")

        key = digest(self.corpus_key, protocol, seed, pairs.digest, code_key("acp_lib.experiment.baselines"))
        return read_table(self.work.once("baselines", key, make) / "correct.parquet")

    # --- provenance

    @cached_property
    def provenance(self) -> dict:
        """What a number was made from: data, weights, seeds, settings, code and versions."""
        p, tags = self.profile, self.samples.tag_file
        settings = {k: v for k, v in shown(p.flat).items() if k not in (*PLACES, "profile", "source")}
        return {"profile": p.profile, "data": self.data_name, "synthetic": self.synthetic,
                "data_fingerprint": manifests.fingerprint(self.manifest),
                "tags_digest": tags and file_digest(tags), "image_weights": self.weights_name,
                "image_weights_digest": file_digest(self.weights), "device": devices.device(p.execution.device),
                "settings": settings, "test_pairs_digest": self.test_pairs().digest, "code": code_key(),
                "versions": versions()}


def _dealt_part(samples: Samples, options: Features, splitting: Splitting, seed: int, work: Work) -> pd.Series:
    """The part of each listed sample, dealt over the usable: pictures, which were decoded whole when they were listed,
    and songs that have features. None for the others, so that no part loses a sample after it was dealt.

    The features of songs depend on no split; those of pictures may, by the pictures that random weights are set on.
    """
    listed = samples.listed
    x, _ = Extraction(listed, samples.root, options, None, seed, "cpu", work).vectors("music")
    usable = pd.Series(True, index=listed.index)
    usable[listed["modality"] == "music"] = ~np.isnan(x).any(1)
    rows = listed[usable]
    manifests.validate(rows, samples.root)
    dealt = splits.assign_split(rows, by=splitting.split, seed=seed, draw=splitting.split_draw, folds=splitting.folds)
    return dealt.reindex(listed.index)


def _extraction(samples: Samples, options: Features, splitting: Splitting | None, seed: int, device: str,
                work: Work) -> Extraction:
    pictures = None
    if splitting:
        part = _dealt_part(samples, options, splitting, seed, work)
        pictures = samples.listed[(samples.listed["modality"] == "image") & (part == "train")]
    return Extraction(samples.listed, samples.root, options, pictures, seed, device, work)


def _manifest(samples: Samples, extracted: Extraction) -> pd.DataFrame:
    table = samples.listed[extracted.usable].reset_index(drop=True)
    manifests.validate(table, samples.root)
    return table
