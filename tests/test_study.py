"""From a folder to trained networks: stages made once, keys that follow the data, samples that are lost on the way."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import corpus as folder_corpus
from conftest import picture, sound
from test_cache import AUDITS, change, forget, package, released  # noqa: F401 - a fixture

from acp_lib import inputs
from acp_lib import study as studies
from acp_lib.book.prepare import prepare
from acp_lib.database import manifest as manifests
from acp_lib.database.samples import Samples
from acp_lib.engine import processes
from acp_lib.engine.work import Work
from acp_lib.experiment import baselines, corpus, methods, runs, tasks, training
from acp_lib.experiment.splits import PARTS
from acp_lib.features import audio, extraction, image, music, shards
from acp_lib.features.shards import Shards
from acp_lib.profiles import PLACES, load
from acp_lib.results import store
from acp_lib.study import Study

BROKEN = "music/neutral/broken.flac"
PROBE = "ACP-Net features + MLP"


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Runs in this process, validated on few pairs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "ProcessPoolExecutor", lambda n, **_: ThreadPoolExecutor(n))
        patch.setattr(tasks, "VALIDATION_PAIRS", 100)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three pictures and three songs a class, and a song that opens and does not decode."""
    root = folder_corpus(tmp_path_factory.mktemp("data") / "mine")
    soundfile.write(root / BROKEN, np.random.default_rng(0).normal(0, 0.1, 11 * 22050), 22050)
    data = bytearray((root / BROKEN).read_bytes())
    data[len(data) // 5:len(data) // 5 + 2000] = bytes(2000)  # far from the middle and the end, where it is probed
    (root / BROKEN).write_bytes(data)
    return root


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


def profile(data, work, **changes):
    return load("folder", **{"data": str(data), "work": str(work), "results": str(work / "results"), "jobs": 1,
                             "weights": "random", "image_size": 75, "seeds": 1, "epochs": 1, "batch": 8,
                             "pairs_per_epoch": 16, "test_pairs": 50, "first_layer": "input", "device": "cpu",
                             "probe_epochs": 1, "bins": 16, "frames": 16, "crops": 2, "audit_seeds": 2,
                             "audit_draws": 2, "audit_runs": 4, **changes})


def complete(study):
    """All of a study's results."""
    return {"manifest": study.manifest.to_csv(), "rejects": study.rejects.to_csv(), "part": study.part.tolist(),
            "features": {m: x.tobytes() for m, x in study.features.items()},
            "corpus": [s.x.numpy().tobytes() for s in (study.corpus.image, study.corpus.music)],
            "histories": [r.history for r in study.runs], "answers": [r.probability.tobytes() for r in study.runs],
            "pairs": study.test_pairs().digest, "provenance": study.provenance,
            "probes": [r.predictions.values.tolist() for r in study.trained("music", PROBE)[PROBE]]}


@pytest.fixture(scope="module")
def study(data, work):
    made = Study(profile(data, work), progress=False)
    complete(made)
    return made


@pytest.mark.slow
def test_from_a_folder_to_a_trained_network(study):
    assert study.manifest["modality"].value_counts().to_dict() == {"image": 9, "music": 9}
    assert {m: x.shape for m, x in study.features.items()} == {"image": (9, 2048), "music": (9, 193)}
    assert [study.corpus.counts(p)[0].tolist() for p in PARTS] == [[1, 1, 1]] * 3
    run, = study.runs
    assert len(run.history) == 1 and run.probability.shape == (50,)
    assert not study.synthetic and study.data_name == "the folder 'mine'"
    assert (study.tags, study.truth, study.bayes_rate()) == (None, None, None)
    assert study.weights_name.startswith("seeded random weights")
    row = next(study.manifest[study.manifest["modality"] == "music"].itertuples())
    assert [len(study.load_clip(row, s)) for s in (2, 99)] == [2 * audio.SR, round(10.5 * audio.SR)]


@pytest.mark.slow
def test_bfloat16_features_are_refused_where_they_depart(data, work):
    rough = Study(profile(data, work, image_precision="bfloat16"), progress=False)
    with pytest.raises(ValueError, match=r"seeded random weights.* a cosine of 0\.\d{5} to those in float32; expected "
                                         r"0\.999 or more: set image_precision to float32"):
        rough.extraction.vectors("image")


@pytest.mark.slow
def test_bfloat16_features_are_kept_apart(data, work, study, monkeypatch):
    monkeypatch.setattr(extraction, "COSINE", 0.5)
    rough = Study(profile(data, work, image_precision="bfloat16"), progress=False)
    x, exact = rough.features["image"], study.features["image"]
    assert x.shape == exact.shape and not np.array_equal(x, exact)
    assert np.corrcoef(x.ravel(), exact.ravel())[0, 1] > 0.9


@pytest.mark.slow
def test_the_baselines_are_asked_once(study, monkeypatch):
    found = study.baselines
    assert list(found) == list(baselines.BASELINES) and len(found) == 50
    assert found["always false"].mean() == pytest.approx(1 - study.test_pairs().truth.mean())
    monkeypatch.setattr(baselines, "correct", None)
    pd.testing.assert_frame_equal(Study(study.profile, progress=False).baselines, found)


@pytest.mark.slow
def test_a_sample_that_does_not_decode_is_rejected_and_the_rest_stays_aligned(study):
    assert BROKEN in study.listed["path"].tolist() and BROKEN not in study.manifest["path"].tolist()
    assert study.rejects["path"].tolist() == [BROKEN]
    assert "lost sync" in study.rejects["reason"][0]
    p = study.profile
    dealt = studies._dealt_part(study.samples, p.features, p.splitting, p.seed, study.work)
    listed = dict(zip(study.listed["id"], dealt, strict=True))
    assert dealt.isna().tolist() == (study.listed["path"] == BROKEN).tolist(), "what cannot be used is in no part"
    assert study.part.tolist() == [listed[i] for i in study.manifest["id"]]
    songs = study.manifest[study.manifest["modality"] == "music"]
    for row, x in zip(songs.to_dict("records"), study.features["music"], strict=True):
        np.testing.assert_array_equal(x, music.describe(study.root, row))
    for modality, side in (("image", study.corpus.image), ("music", study.corpus.music)):
        rows = study.manifest["modality"] == modality
        assert [PARTS[k] for k in side.part] == study.part[rows].tolist()


@pytest.mark.slow
def test_a_second_study_computes_nothing(data, work, study, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("computed again")

    for module, name in ((manifests, "build"), (image, "extractor"), (shards, "make_shard"), (training, "fit"),
                         (corpus, "modality")):
        monkeypatch.setattr(module, name, refuse)
    assert complete(Study(profile(data, work), progress=False)) == complete(study)


@pytest.mark.slow
def test_another_work_folder_gives_the_same_bits(data, study, tmp_path):
    moved = tmp_path / "mine"
    shutil.copytree(data, moved)
    assert complete(Study(profile(moved, tmp_path / "work"), progress=False)) == complete(study)


@pytest.mark.slow
def test_prepare_says_what_there_is(data, work, study, capsys):
    prepare(profile(data, work))
    out = capsys.readouterr().out.splitlines()
    assert out == ["1 of 5: the database and its features",
                   "18 samples from the folder 'mine', 1 rejected; image features by seeded random weights, batch norm "
                   "calibrated on training pictures",
                   "2 of 5: the networks of Table 4", "3 runs of L3-Net; Spectrogram-ACP; ACP-Net",
                   "3 of 5: the networks of Table 5",
                   f"11 runs of {'; '.join(dict.fromkeys([*methods.PICTURES, *methods.MUSIC]))}",
                   "4 of 5: the networks of the audits",
                   "17 runs of ACP-Net for the audits"]  # 2 seeds, 3 draws, 3 of a reading, 1 + 2 on splits, 6 controls
    made = [p.name for p in (work / "cache").iterdir() if p.is_dir()]
    for name in ("pixels-", "slices-", "art-", "l3_net-", "spectrogram_cnn-", "alexnet_fine_tuned-"):
        assert sum(folder.startswith(name) for folder in made) == 1, name


@pytest.mark.slow
def test_studies_that_differ_in_other_groups_share_their_stages(study):
    one, two = study.variant(epochs=2, split_draw=1), study.variant(batch=4)
    for other in (one, two, two.audited):
        assert other.samples is study.samples and other.manifest is one.manifest
        assert other.extraction is one.extraction and other.weights == study.weights
    assert two.corpus.image is study.corpus.image and two.corpus.music is study.corpus.music
    assert one.part.tolist() != two.part.tolist() == study.part.tolist()
    assert Study(study.profile).samples is not study.samples


# shards and runs


@pytest.mark.slow
def test_shards_are_in_the_order_of_the_manifest(study):
    for kind, shape in (("pixels", (64, 64, 3)), ("slices", (2400, 16))):
        held = Shards(study.raw(kind))
        assert len(held) == 9 and held.shape == (9, *shape)
    rows = study.manifest[study.manifest["modality"] == "image"]
    np.testing.assert_array_equal(Shards(study.raw("pixels"))[np.array([8])][0],
                                  image.read(study.root / rows["path"].iloc[8], 64))
    assert len(Shards(study.raw("slices"))) == 9, "the song that does not decode is not among them"


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "change", "differs"), [
    ("pixels", {"raw_size": 63}, True), ("pixels", {"bins": 20}, False), ("slices", {"bins": 20}, True),
    ("slices", {"frames": 20}, False), ("art", {"image_size": 80}, True), ("art", {"raw_size": 63}, False),
])
def test_folders_of_shards_follow_what_is_in_them(data, work, study, monkeypatch, kind, change, differs):
    monkeypatch.setattr(shards, "make", lambda *_, **__: [])
    other = Study(profile(data, work, **change), progress=False)
    other.__dict__["manifest"] = study.manifest
    assert (other.raw(kind) != study.raw(kind)) == differs


@pytest.mark.slow
@pytest.mark.parametrize(("method", "change", "differs"), [
    (("music", PROBE), {"probe_epochs": 2}, True), (("music", PROBE), {"epochs": 2}, True),  # of the ACP-Net it reads
    (("music", PROBE), {"raw_size": 63}, False), (("pairs", "ACP-Net"), {"raw_size": 63}, False),
    (("pairs", "ACP-Net"), {"probe_epochs": 2}, False), (("pairs", "ACP-Net"), {"scaling": "raw"}, True),
    (("music", "193 numbers + MLP"), {"epochs": 2}, False), (("image", "AlexNet, frozen"), {"raw_size": 63}, True),
])
def test_folders_of_runs_follow_what_they_are_made_from(data, work, study, monkeypatch, method, change, differs):
    monkeypatch.setattr(runs, "train", lambda *_, **__: None)
    one, other = (Study(profile(data, work, **more), progress=False).planned(*method)[0] for more in ({}, change))
    assert (one.folder != other.folder) == differs
    assert (one.group, one.name, one.seed) == (*method, 0) and one.folder.parent == work / "cache"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "differs"), [("AlexNet, fine-tuned", True), ("Inception-V3 features + MLP", False)])
def test_runs_follow_the_bytes_of_alexnets_weights(data, work, study, tmp_path, name, differs):
    found = []
    for content in (b"one", b"two"):
        (tmp_path / "alexnet.pth").write_bytes(content)
        given = profile(data, work, alexnet_weights=str(tmp_path / "alexnet.pth"))
        found.append(Study(given, progress=False).planned("image", name)[0].folder)
    assert (found[0] != found[1]) == differs


@pytest.mark.slow
def test_a_probe_reads_the_acp_net_of_its_own_seed(data, work, study, monkeypatch):
    monkeypatch.setattr(runs, "train", lambda *_, **__: None)
    more = Study(profile(data, work, seeds=2), progress=False)
    planned = [more.planned(group, PROBE) for group in ("image", "music")]
    for found in planned:
        assert [r.inputs.acp_net for r in found] == [r.folder for r in more.runs] and [r.seed for r in found] == [0, 1]
    assert len({r.folder for found in planned for r in found}) == 4, "pictures and music have probes of one name"
    assert more.planned("music", "193 numbers + MLP")[0].inputs.acp_net is None


# keys


@pytest.fixture
def copy(data, tmp_path):
    """A copy of the data that a test may change."""
    shutil.copytree(data, tmp_path / "mine", copy_function=shutil.copy2)
    return tmp_path / "mine"


def changed_picture(root):
    picture(root / "images/awe/p0.jpg", 77)


def added_song(root):
    sound(root / "music/neutral/new.wav")


def lost_picture(root):
    (root / "images/awe/p0.jpg").unlink()


def renamed_song(root):
    (root / "music/neutral/s0.ogg").rename(root / "music/neutral/other.ogg")


@pytest.mark.slow
@pytest.mark.parametrize("change", [changed_picture, added_song, lost_picture, renamed_song])
def test_keys_follow_the_data(copy, work, change):
    given = profile(copy, work)
    before = Study(given).samples.source_key, inputs.input_key(given)
    assert before == (Study(given).samples.source_key, inputs.input_key(given))
    change(copy)
    after = Study(given).samples.source_key, inputs.input_key(given)
    assert after[0] != before[0] and after[1] != before[1]


@pytest.mark.slow
@pytest.mark.parametrize(("change", "differs"), [
    ({"seed": 1}, True), ({"epochs": 2}, True), ({"pairs": "uniform"}, True), ({"split": "segment"}, True),
    ({"results": "elsewhere"}, False), ({"jobs": 2}, False), ({"device": "auto"}, False),
])
def test_the_input_key_follows_the_settings(data, work, monkeypatch, change, differs):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert (inputs.input_key(profile(data, work, **change)) != inputs.input_key(profile(data, work))) == differs


@pytest.mark.slow
@pytest.mark.parametrize("field", ["weights", "alexnet_weights"])
def test_the_input_key_follows_the_weights_bytes(data, work, tmp_path, field):
    file = tmp_path / "weights.safetensors"
    keys = []
    for content in (b"one", b"two"):
        file.write_bytes(content)
        keys.append(inputs.input_key(profile(data, work, **{field: str(file)})))
    assert keys[0] != keys[1]


@pytest.mark.slow
def test_a_song_that_cannot_be_used_moves_no_other(copy, work, study):
    """The manifest, and the part of each of its samples, are the same with and without it."""
    given = profile(copy, work)
    one = Study(given, progress=False)
    parts = one.part.tolist()
    assert [PARTS[k] for k in one.corpus.music.part] == parts[9:]
    (copy / BROKEN).unlink()
    two = Study(given, progress=False)
    assert manifests.fingerprint(two.manifest) == manifests.fingerprint(one.manifest)
    assert two.part.tolist() == parts
    assert [PARTS[k] for k in two.corpus.music.part] == two.part[9:].tolist()


@pytest.fixture
def named(work, study, package, monkeypatch):  # noqa: F811
    """The names of all folders of the study, for code and packages as they are when it is called; what is not there
    under such a name is linked to what the first call found, so that nothing is made.
    """
    names, held, linked, once = {}, {}, [], Work.once
    both = {modality: study.extraction.both[modality] for modality in ("image", "music")}

    def kept(self, stage, key, build):
        names[stage], folder = key, self.folder(stage, key)
        if stage not in held:
            held[stage] = once(self, stage, key, build)
        elif not folder.exists():
            folder.symlink_to(held[stage])
            linked.append(folder)
        return folder

    def vectors(modality, root, rows, work, folder, **_):
        names[modality] = folder.name
        return both[modality]

    monkeypatch.setattr(Work, "once", kept)
    monkeypatch.setattr(shards, "vectors", vectors)
    monkeypatch.setattr(shards, "make", lambda *_, **__: [])
    monkeypatch.setattr(runs, "train", lambda *_, **__: None)

    def found():
        names.clear()
        forget()
        fresh = Study(study.profile, progress=False)
        names.update({kind: fresh.raw(kind).name for kind in ("pixels", "art", "slices")})
        assert len(fresh.corpus.image.x) == len(fresh.corpus.music.x) == 9 and len(fresh.baselines) == 50
        for group, some in methods.GROUPS.items():
            names.update({f"{group}: {name}": fresh.planned(group, name)[0].folder.name for name in some})
        for audit in sorted(AUDITS):
            store.table(fresh, f"acp_lib.audits.{audit}", audit, [], lambda: [{"value": 1}])
        names["database"] = Samples(load().database, 0, fresh.work).source_key
        return dict(names)

    yield found
    for folder in linked:
        folder.unlink()


def moved(before, after):
    assert list(before) == list(after)
    return {name for name in before if before[name] != after[name]}


PLAIN = {f"image: {name}" for name in methods.PICTURES if not name.startswith("ACP-Net")}
"""Probes that see nothing but pictures."""
TRAINED = {f"{group}: {name}" for group, some in methods.GROUPS.items() for name in some}


@pytest.mark.slow
def test_folders_are_those_that_were_made(named, work):
    made = {p.name for p in (work / "cache").iterdir()}
    found = named()
    assert {found[name] for name in ("image", "music", "pairs: ACP-Net", f"music: {PROBE}")} <= made
    assert {f"{name}-{found[name]}" for name in ("manifest", "weights", "corpus-image", "corpus-music")} <= made
    assert named() == found and {"database", "art", "baselines", *TRAINED, *AUDITS} <= set(found)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "text"), [
    ("features/music.py", '\n"""More about it."""\n'), ("experiment/training.py", "\n# said\n"),
    ("engine/progress.py", None), ("figures/runs.py", None), ("profiles/ledger.yml", None),
    ("features/image.py", "\nif TYPE_CHECKING:\n    from acp_lib.experiment import training\n"),
])
def test_what_changes_no_number_leaves_every_folder(named, package, path, text):  # noqa: F811
    before = named()
    change(package / path, text)
    assert moved(before, named()) == set()


@pytest.mark.slow
def test_another_librosa_makes_anew_what_is_heard_and_no_more(named, monkeypatch):
    before = named()
    released(monkeypatch, "librosa")
    assert moved(before, named()) == {"music", "corpus-music", "slices", "baselines", "leakage", *TRAINED} - PLAIN


@pytest.mark.slow
def test_another_torch_makes_anew_what_is_seen_or_trained_and_no_more(named, monkeypatch):
    before = named()
    released(monkeypatch, "torch")
    assert set(before) - moved(before, named()) == {"database", "manifest", "music", "slices"}


@pytest.mark.slow
@pytest.mark.parametrize(("path", "expected"), [
    ("features/fast/hpss.py", {"music", "corpus-music", "baselines", *TRAINED} - PLAIN),
    ("features/spectrogram.py", {"slices", "pairs: L3-Net", "pairs: Spectrogram-ACP", "music: Spectrogram + CNN"}),
    ("features/art/_balance.py", {"art"}), ("experiment/training.py", TRAINED),
    ("experiment/baselines.py", {"baselines"}),
])
def test_code_makes_anew_what_computes_with_it_and_no_more(named, package, path, expected):  # noqa: F811
    before = named()
    change(package / path)
    assert moved(before, named()) - AUDITS == expected


# provenance and evaluation pairs


@pytest.mark.slow
def test_provenance_says_all_and_is_json(study):
    made = study.provenance
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert {"profile", "data", "synthetic", "data_fingerprint", "tags_digest", "image_weights", "image_weights_digest",
            "device", "settings", "test_pairs_digest", "code", "versions"} <= set(made)
    assert set(study.profile.flat) == set(made["settings"]) | set(PLACES) | {"profile", "source"}
    assert set(made["versions"]) == {"python", *inputs.PACKAGES}
    assert made["test_pairs_digest"] == study.test_pairs().digest
    assert not made["synthetic"] and made["data"] == "the folder 'mine'"
    assert str(study.root.parent) not in json.dumps(made)


@pytest.mark.slow
def test_provenance_follows_the_tags(copy, work, study):
    """They are no part of the manifest, and Table 2 is made of them."""
    assert study.provenance["tags_digest"] is None
    found = []
    for content in (b"one", b"two"):
        (copy / "lastfm_tags.db").write_bytes(content)
        found.append(Study(profile(copy, work), progress=False).provenance)
    assert found[0]["tags_digest"] != found[1]["tags_digest"] and study.provenance != found[0] != found[1]
    assert found[0]["data_fingerprint"] == study.provenance["data_fingerprint"]


@pytest.mark.slow
def test_all_seeds_are_scored_on_the_same_pairs(data, work, study):
    more = Study(profile(data, work, seeds=2), progress=False)
    assert more.runs[0].folder == study.runs[0].folder and [r.seed for r in more.runs] == [0, 1]
    assert more.runs[0].probability.tobytes() != more.runs[1].probability.tobytes()
    tables = [r.predictions.drop(columns=["probability", "predicted"]) for r in more.runs]
    assert tables[0].equals(tables[1])
    assert more.test_pairs().digest == study.test_pairs().digest != study.test_pairs("uniform").digest


@pytest.mark.parametrize(("task", "protocol", "expected"), [
    ("image_8", "uniform", 55.0), ("pair_uniform", "uniform", 75.0), ("pair_class_balanced", "class_balanced", 85.0),
    ("pair_class_balanced", "uniform", None),  # known for another kind of pairs
])
def test_bayes_rate(task, protocol, expected):
    synthetic = Study(load(pairs=protocol))
    synthetic.samples.__dict__["truth"] = {
        "bayes": {"image_8": 0.55, "pair_uniform": 0.75, "pair_class_balanced": 0.85}}
    assert synthetic.bayes_rate(task) == (expected and pytest.approx(expected))
    assert synthetic.data_name == studies.SYNTHETIC and synthetic.synthetic


# what cannot be used


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_data_that_is_no_folder_is_refused(tmp_path, work, name):
    (tmp_path / "file").write_text("x")
    given = profile(tmp_path / name, work)
    for ask in (lambda: Study(given).root, lambda: Study(given).manifest, lambda: inputs.input_key(given)):
        with pytest.raises(ValueError, match=f"data is '.*{name}', which is no folder; give the one that holds your"):
            ask()


def test_a_folder_of_something_else_is_refused(tmp_path, work):
    (tmp_path / "holiday").mkdir()
    with pytest.raises(ValueError, match="has no folder 'images'; expected .*images/<emotion or class>"):
        Study(profile(tmp_path, work), progress=False).manifest  # noqa: B018


@pytest.mark.slow
@pytest.mark.parametrize(("name", "content", "message"), [
    ("nowhere.pth", None, "weights is '.*nowhere.pth', which is no file; expected imagenet, random, or the path"),
    ("bad.safetensors", b"no tensors", "weights file bad.safetensors does not read as a state_dict"),
])
def test_weights_that_cannot_be_had_stop_the_run(data, work, tmp_path, name, content, message):
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Study(profile(data, work, weights=str(tmp_path / name)), progress=False).features  # noqa: B018


@pytest.mark.slow
def test_weights_of_a_file_are_used_as_they_are(data, work, study):
    other = Study(profile(data, work, weights=str(study.weights)), progress=False)
    assert other.weights == study.weights and other.weights_name == "weights file inception_v3.safetensors"
    np.testing.assert_array_equal(other.features["image"], study.features["image"])


def test_versions_are_those_that_run():
    found = inputs.versions()
    assert found["numpy"] == np.__version__ and found["soundfile"] == soundfile.__version__
