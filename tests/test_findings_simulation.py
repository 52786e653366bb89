"""Databases that are simulated: samples drawn one by one, what their model takes from real ones, how it is tuned and
checked, what can be known of them at best, and what is recorded.
"""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import torch

from acp_lib import paper
from acp_lib.emotions import CLASSES
from acp_lib.engine.work import Work
from acp_lib.experiment import runs
from acp_lib.experiment.corpus import Corpus, Modality
from acp_lib.experiment.intervals import Estimate
from acp_lib.experiment.pairs import PROTOCOLS
from acp_lib.features.shards import Shards
from acp_lib.findings import likeness, record, simulation, simulator, tuned
from acp_lib.findings.observer import Observer
from acp_lib.findings.plateau import Material
from acp_lib.findings.simulator import Model
from acp_lib.findings.tuned import SIDES, Tuned
from acp_lib.profiles import Profile
from acp_lib.results import recorded


def model(width=12, factors=3, strength=1.0, between=0.0, seed=0) -> Model:
    """Classes that lie apart along the factors."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(width, factors)))[0]
    mean = strength * rng.normal(size=(3, factors)) @ axes.T
    return Model(mean - mean.mean(0), 1.5 * axes, np.full(width, 0.7), between)


def samples(n: int, segments: int = 1) -> list[tuple[int, int, int]]:
    """Number, song and class of samples, all segments of a song of its class."""
    return [(k, k // segments, k // segments % 3) for k in range(n)]


# --- samples


@pytest.mark.parametrize("between", [0.0, 0.6])
@pytest.mark.parametrize("some", [slice(0, 1), slice(3, 9), slice(8, 2, -1), slice(None, None, 5)])
def test_a_sample_is_the_same_whatever_it_is_drawn_with(between, some):
    own, wanted = model(between=between), samples(20, 2)
    every = own.drawn("music", 3, wanted)
    assert every.dtype == np.float32 and np.allclose(own.drawn("music", 3, wanted[some]), every[some], atol=1e-6)


@pytest.mark.parametrize("other", [("image", 3), ("music", 4)])
def test_another_seed_and_the_other_modality_have_other_samples(other):
    assert not np.isclose(model().drawn(*other, samples(9)), model().drawn("music", 3, samples(9))).any()


@pytest.mark.slow
@pytest.mark.parametrize("share", [[1, 1, 1], [6, 1, 3]])
def test_numbers_have_mean_0_and_variance_1_over_all_samples(share):
    share, rng = np.array(share, float), np.random.default_rng(0)
    label = rng.choice(3, 20_000, p=share / share.sum())
    x = model().standardised(share).drawn("image", 0, [(k, k, c) for k, c in enumerate(label)])
    assert abs(x.mean(0)).max() < 0.04 and abs(x.std(0) - 1).max() < 0.03


@pytest.mark.slow
@pytest.mark.parametrize("between", [0.0, 0.5, 0.9])
def test_segments_of_a_song_share_as_much_as_they_should(between):
    own = model(between=between, strength=0)
    x = own.drawn("music", 0, samples(4000, 2)).reshape(2000, 2, -1)
    assert (x[:, 0] * x[:, 1]).sum() / (x**2).sum() * 2 == pytest.approx(between, abs=0.03)


# --- the model of real samples


@pytest.mark.slow
@pytest.mark.parametrize(("factors", "kept"), [(3, 3), (8, 8), (500, 12)])
def test_a_model_finds_again_what_samples_were_drawn_from(factors, kept):
    own, wanted = model(), samples(3000)
    found = simulator.fitted(own.drawn("image", 0, wanted), np.array(wanted)[:, 2], factors)
    known = own.standardised(np.ones(3))
    assert found.factors.shape == (12, kept) and np.allclose(found.mean, known.mean, atol=0.1)
    variance = [(one.factors**2).sum(1) + one.residual**2 for one in (found, known)]
    assert np.allclose(*variance, atol=0.1)
    across = np.linalg.qr(known.factors)[0]  # the factors that there are come first
    assert np.allclose(np.linalg.norm(across.T @ np.linalg.qr(found.factors)[0][:, :3], 2), 1, atol=0.1)


def test_no_more_factors_than_samples_can_tell_of():
    wanted = samples(9)
    assert simulator.fitted(model().drawn("image", 0, wanted), np.array(wanted)[:, 2]).factors.shape == (12, 6)


@pytest.mark.parametrize("label", [[0, 1, 2], [0, 0, 1, 1], [0] * 5])
def test_too_few_samples_are_refused(label):
    with pytest.raises(ValueError, match="expected some of each, and more than 3 in all"):
        simulator.fitted(np.ones((len(label), 4)), np.array(label))


def test_likelihoods_are_those_of_the_model():
    from scipy.stats import multivariate_normal

    own = model()
    x = own.drawn("image", 0, samples(30)).astype(float)
    covariance = own.factors @ own.factors.T + np.diag(own.residual**2)
    known = np.array([multivariate_normal.logpdf(x, mean, covariance) for mean in own.mean]).T
    found = own.likelihood(x)
    assert np.allclose(found - found[:, :1], known - known[:, :1])


# --- the database


@pytest.mark.slow
def test_it_has_the_paper_s_size():
    table = simulator.imac(0)
    for modality, counts in (("image", paper.IMAGES), ("music", paper.SONGS)):
        own = table[table["modality"] == modality]
        assert own.groupby("class")["song"].nunique().to_dict() == counts
        assert (own.groupby("song")["class"].nunique() == 1).all() and own["id"].is_unique
    assert (table["modality"] == "music").sum() == 60 * paper.HOURS
    assert (table["truth"] == table["class"].map(CLASSES.index)).all()


@pytest.mark.parametrize(("share", "pictures", "songs"), [(0.01, 329 + 108 + 457, 13 + 15 + 10), (1e-6, 15, 15)])
def test_or_a_share_of_it(share, pictures, songs):
    table = simulator.imac(0, share=share)
    assert table.groupby("modality")["song"].nunique().to_dict() == {"image": pictures, "music": songs}


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0])
def test_songs_sound_otherwise_than_they_are_labelled_as_often_as_scores_say(noise):
    songs = simulator.imac(0, noise).query("modality == 'music'").drop_duplicates("song")
    right = (songs["truth"] == songs["class"].map(CLASSES.index)).mean()
    known = recorded.one("", recorded.read("labels")[0]["rows"], what="redrawn", learnt="all songs", of="label right")
    assert right == pytest.approx(1 - noise * (1 - known["value"]), abs=0.025)  # Table 3 has other shares of classes


@pytest.fixture
def database(tmp_path):
    table, work = simulator.imac(0, share=0.03), Work(tmp_path, 1, False)
    return table, work, model().standardised(np.ones(3))


@pytest.mark.slow
def test_shards_hold_what_is_drawn_and_those_that_are_lost_are_made_again(database):
    table, work, own = database
    folder = simulator.kept(own, table, "image", 0, work)
    files = sorted(folder.glob("*.safetensors"))
    before = Shards(folder)[np.arange(2500)]
    assert len(files) == 3
    rows = table.loc[table["modality"] == "image", ["number", "song", "truth"]].to_numpy()
    assert np.allclose(Shards(folder)[np.array([0, 1500])], own.drawn("image", 0, rows[[0, 1500]].tolist()), atol=0.01)
    files[1].unlink()
    assert simulator.kept(own, table, "image", 0, work) == folder
    assert (Shards(folder)[np.arange(2500)] == before).all()


@pytest.mark.slow
@pytest.mark.parametrize("stop", [1, 2])
def test_what_was_made_before_a_stop_stays(database, monkeypatch, stop):
    table, work, own = database
    made, inner = [], simulator._shard

    def stopping(*given, **more):
        if len(made) == stop:
            raise KeyboardInterrupt
        made.append(given[3])
        return inner(*given, **more)

    monkeypatch.setattr(simulator, "_shard", stopping)
    with pytest.raises(KeyboardInterrupt):
        simulator.kept(own, table, "image", 0, work)
    monkeypatch.setattr(simulator, "_shard", lambda *given, **more: made.append(given[3]) or inner(*given, **more))
    simulator.kept(own, table, "image", 0, work)
    assert len(made) == len(set(made)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("split", ["song", "segment"])
def test_songs_stay_whole_unless_segments_are_split(split):
    table = simulator.imac(0, share=0.03)
    dealt = simulator.parts(table, split, 0)
    torn = dealt["part"].groupby(table["group"]).nunique().gt(1).any()
    assert torn == (split == "segment")
    assert dealt.groupby("modality")["part"].value_counts(normalize=True)["image"].round(1).to_dict() == {
        0: 0.7, 2: 0.2, 1: 0.1}


@pytest.fixture
def network(tmp_path):
    models = {"image": model(2048, strength=3), "music": model(193, strength=3)}
    profile = Profile().changed(fc_width=0.125, learning_rate=1e-3, epochs=2, batch=16, pairs_per_epoch=320,
                                test_pairs=200, jobs=1, device="cpu")
    return models, profile, Work(tmp_path, 1, False)


@pytest.mark.slow
def test_acp_net_is_trained_on_what_lies_on_a_disk_and_asked_about_the_test_part(network):
    models, profile, work = network
    run = simulator.planned(models, profile, work, share=0.01)
    runs.train([run], work)
    corpus, asked = run.task.corpus, run.predictions
    sides = [(corpus.image, asked["image"]), (corpus.music, asked["music"])]
    assert len(run.history) == 2 and all(isinstance(side.x, Shards) for side, _ in sides)
    assert all(set(rows) <= set(side.rows("test")) for side, rows in sides)
    one, other = (side.label[rows] for side, rows in sides)
    assert ((one == other) == asked["truth"]).all()
    again = simulator.planned(models, profile, work, share=0.01)
    assert again.folder == run.folder and again.folder.is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"seed": 1}, {"pairs": "uniform"}, {"split": "segment"}, {"epochs": 3}])
def test_what_a_run_depends_on_is_in_its_name(network, change):
    models, profile, work = network
    one, other = (simulator.planned(models, p, work, share=0.01) for p in (profile, profile.changed(**change)))
    assert one.folder != other.folder


# --- tuned


def material(models: dict[str, Model], n=(150, 120)) -> Material:
    """Samples of models, a song each."""
    sides = [Modality(torch.zeros(k, 1), np.arange(k) % 3, np.zeros(k, int)) for k in n]
    groups = {m: np.array([f"{m} {k:04d}" for k in range(size)]) for m, size in zip(SIDES, n, strict=True)}
    return tuned.alike(models, Material(Corpus(*sides), groups, {}), 1000)


def test_halves_share_nothing_and_have_the_classes_alike():
    whole = material({m: model() for m in SIDES})
    halves = tuned.halves(whole)
    for m in SIDES:
        names = [set(half.groups[m]) for half in halves]
        assert not names[0] & names[1] and names[0] | names[1] == set(whole.groups[m])
        counts = [np.bincount(getattr(half.corpus, m).label) for half in halves]
        assert abs(counts[0] - counts[1]).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 2])
def test_tuned_models_give_the_accuracies_of_what_they_were_tuned_on(seed):
    """Within 1.5 standard errors, pictures, music and both together; and no longer once classes lie farther apart."""
    whole = material({m: model(20, seed=seed + 7 * k) for k, m in enumerate(SIDES)}, (300, 240))
    real, made = tuned.accuracies(whole), tuned.tuned(whole)

    def off(models):
        drawn = [tuned.accuracies(tuned.alike(models, whole, draw)) for draw in range(100, 106)]
        return {name: (np.mean([some[name].value for some in drawn]) - known.value) / known.error
                for name, known in real.items()}

    assert max(map(abs, off(made.models).values())) < 1.5 and min(off(made.stronger(1.5, 1.5)).values()) > 1.5


@pytest.mark.slow
def test_classes_that_cannot_be_told_are_moved_together():
    made = tuned.tuned(material({m: model(20, strength=0) for m in SIDES}))
    assert all(times < 1 for times in made.times.values()) and all(error > 0 for error in made.errors.values())


# --- at best


@pytest.fixture(scope="module")
def observers():
    models = {"image": model(30, strength=0.6), "music": model(20, strength=0.5, seed=1)}
    made = Tuned(models, dict.fromkeys(SIDES, 1.0), dict.fromkeys(SIDES, 0.1))
    return {noise: Observer(made, simulator.imac(0, noise, 0.1), 0) for noise in simulation.NOISES}


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("noise", simulation.NOISES)
def test_nobody_is_better_than_the_best(observers, noise, protocol):
    row = observers[noise].row(protocol)
    assert row["best"] > max(row["two"], row["one_sided"]) - 1 and min(row["image"], row["music"]) > 33


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_labels_that_are_wrong_cost_and_classes_farther_apart_pay(observers, protocol):
    best = [observers[0.0].row(protocol, t, t)["best"] for t in (0.5, 1, 2, 50)]
    assert best == sorted(best) and best[-1] > 99
    assert observers[1.0].row(protocol)["best"] <= best[1]
    assert sum(observers[0.0].slopes(protocol).values()) > (-1 if protocol == "uniform" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("times", [0.75, 1.25])
def test_what_is_needed_is_where_the_best_comes_to_a_number(observers, times):
    own = observers[0.0].row("class_balanced", times, times)
    found = observers[0.0].needed("class_balanced", own["best"] + 3, gap=3)
    assert found["needed"] == pytest.approx(times) and found["needed_image"] == pytest.approx(own["image"])


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [10, 101])
def test_nothing_is_needed_for_what_no_strength_gives(observers, wanted):
    assert set(observers[0.0].needed("class_balanced", wanted, 0).values()) == {None}


# --- what is recorded


NEAR = [  # mean, its variance, of a run, of the corpus: the probability of 61.67 within a point
    (61.67, 0.0, 0.0, 0.0, 1.0),
    (63.0, 0.0, 0.0, 0.0, 0.0),
    (61.67, 0.5, 0.5, 0.0, 0.6827),
    (61.67, 0.25, 0.25, 0.5, 0.6827),
    (61.67, 0.0, 0.0, 1.0, 0.6827),
    (62.67, 0.5, 0.5, 0.0, 0.4772),
    (90.0, 0.5, 0.5, 0.0, 0.0),
]


@pytest.mark.parametrize(("value", "own", "luck", "corpus", "p"), NEAR)
def test_how_probable_a_number_is(value, own, luck, corpus, p):
    assert simulation.near(Estimate(value, ((own, 1e9),), 0, 100), luck, corpus) == pytest.approx(p, abs=1e-4)


def of_runs(*values, variance=0.0):
    return [{"ours": value, "variances": [[variance, 9.0]]} for value in values]


SPREAD = [  # runs of each reading; variance, degrees of freedom
    ([of_runs(60, 62)], (2.0, 1.0)),
    ([of_runs(60, 62), of_runs(50, 54), of_runs(1)], (5.0, 2.0)),
    ([of_runs(60, 62, variance=4.0)], (4.0, 9.0)),
    ([of_runs(60, variance=3.0)], (3.0, 9.0)),
]


@pytest.mark.parametrize(("found", "known"), SPREAD)
def test_the_luck_of_a_run_is_that_of_runs_of_one_reading(found, known):
    assert simulation.spread(found) == pytest.approx(known)


@pytest.mark.parametrize(("given", "known"), [
    ([], simulation.READINGS), (["none"], []), (["uniform, segment"], [("uniform", "segment")]),
    (["class_balanced, song"] * 2, [("class_balanced", "song")])])
def test_readings_are_asked_for_by_name(given, known):
    assert simulation.asked(given) == known


@pytest.mark.parametrize(("more", "said"), [
    (["--size", "0"], "--size is 0; expected a share above 0 and up to 1"), (["--size", "2"], "--size is 2"),
    (["--size", "nan"], "--size is nan"), (["--networks", "uniform"], "'uniform' is no reading; expected some of")])
def test_what_cannot_be_simulated_is_refused_in_a_line(more, said, capsys):
    assert record.main(["simulation", "mini", "-p", "n_images", "80", "-p", "n_songs", "30", *more], "acp record") == 2
    assert said in capsys.readouterr().err


SMALL = "audit, a quarter of the width"


def result(good=60.0, bad=54.0, *away: float, main: Sequence[float] = ()) -> dict:
    """What was recorded, with some differences of a check, and maybe with the main network."""
    reading = {"table": "reading", "pairs": "class_balanced", "split": "song"}
    return {"data": "A", "command": "acp record simulation", "rows": [
        {**reading, "noise": 0.0, "ours": good, "network": SMALL},
        *({**reading, "noise": 0.0, "ours": value, "network": "main"} for value in main),
        *({**reading, "table": "run", "noise": 0.0, "network": "main", "longer": False, "curve": [50.0]} for _ in main),
        {**reading, "noise": 1.0, "ours": bad, "network": SMALL},
        *({"table": "check", "row": "two", "ours": 55.0, "interval": [52.0, 58.0], "simulated": 55.0 - by,
           "difference": {"ours": by, "interval": [by - 4, by + 4]}} for by in away)]}


@pytest.mark.parametrize(("main", "end"), [
    ((), "as uncertain as the released scores"),
    ((62.04,), "; with good labels and after 1 epoch, ACP-Net (main) is right on 62.0 %")])
def test_it_is_told_what_was_simulated_from_what_and_by_which_network(main, end):
    said = simulation.told([result(main=main), {"rows": []}])
    assert said.startswith("on databases of IMAC's size that are simulated from A, ACP-Net (audit, a quarter of the "
                           "width) is right on 60.0 % of the class-balanced pairs")
    assert "on 54.0 % if their labels are as uncertain" in said and said.count("IMAC") == 1 and said.endswith(end)


def test_nothing_is_told_of_what_has_no_networks():
    assert simulation.told([{"rows": []}]) == simulation.told([]) == "nothing has been recorded"


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_a_reading_that_was_not_recorded_is_named_with_the_remedy(lost):
    """Of the audited network, with good labels or with bad ones; the main network may be left out."""
    made = result(main=(62.0,))
    del made["rows"][lost]
    if lost == 1:
        assert "main" not in simulation.sentence(made)
    else:
        with pytest.raises(ValueError, match="record them anew, by acp record simulation"):
            simulation.sentence(made)


def trained(network, ours, values=1, epochs=2, **reading):
    about = {"network": network, "pairs": "class_balanced", "split": "song", "noise": 0.0, **reading}
    return [{"table": "reading", **about, "ours": ours, "interval": [ours - 1, ours + 1], "values": [ours] * values},
            *({"table": "run", **about, "longer": longer, "curve": [50.0] * epochs * (1 + longer)}
              for longer in (False, True))]


READ = [*trained(SMALL, 60.0, 5), *trained("main", 61.24, epochs=1), *trained(SMALL, 54.0, noise=1.0),
        *trained(SMALL, 60.0, split="segment"), *trained(SMALL, 70.5, pairs="uniform"),
        *trained("main", 72.0, noise=1.0)]


@pytest.mark.parametrize(("rows", "words"), [
    (READ[:3], "ACP-Net (audit, a quarter of the width) 60.0 % (59.0 to 61.0; runs: 5, of 2 epochs)"),
    (READ, "ACP-Net (audit, a quarter of the width) 60.0 % (59.0 to 61.0; runs: 5, of 2 epochs); "
           "ACP-Net (main) 61.2 % (60.2 to 62.2; runs: 1, of 1 epoch)"),
    (READ[9:], "ACP-Net (audit, a quarter of the width) 60.0 % (59.0 to 61.0; runs: 1, of 2 epochs)")])
def test_both_networks_stand_side_by_side_with_their_runs_and_epochs(rows, words):
    assert simulation.beside({"rows": rows}) == words


@pytest.mark.parametrize(("rows", "words"), [
    (READ, "class balanced, uncertain labels -6.0; class balanced, split by segment +0.0; uniform +10.5"),
    (READ[:6], ""), (READ[:9], "class balanced, uncertain labels -6.0")])
def test_what_a_reading_changes_is_told_of_the_audited_network_alone(rows, words):
    assert simulation.shifts({"rows": rows}) == words


@pytest.mark.parametrize(("away", "inside", "agree", "worst"), [
    ((0.0, 2.9), 2, 2, "+2.9 points (-1.1 to +6.9)"), ((3.5, -1.0), 1, 2, "+3.5 points (-0.5 to +7.5)"),
    ((-5.0, 4.5, 0.0), 1, 1, "-5.0 points (-9.0 to -1.0)"), ((4.5, -4.1), 0, 0, "+4.5 points (+0.5 to +8.5)")])
def test_a_check_that_fails_is_counted_and_the_worst_is_named(away, inside, agree, worst):
    assert simulation.alike([result(60, 54, *away)]) == {
        "asked": len(away), "inside": inside, "agree": agree, "worst": f"{worst}, for late fusion on A"}


def test_failed_checks_and_what_others_are_compatible_with():
    some = [result(60, 54, -5.0, 1.0), {"rows": []} | {"data": "C"}, result(60, 54, 3.0) | {"data": "B"}]
    assert simulation.failures(some) == "1 of 2 checks on A and 0 of 1 on B"
    assert simulation.by_network(some) == "0 of 3"
    assert simulation.by_network([*some, {"rows": [{"table": "check", "row": "ACP-Net"}]}]) == "1 of 4"
    assert simulation.compatible(some) == 6.0 and simulation.compatible([result(60, 54, 9.0)]) is None


@pytest.mark.parametrize(("reading", "words"), [
    (("class_balanced", "song", 0.0, SMALL), "class balanced"),
    (("class_balanced", "song", 0.0, "main"), "class balanced, main network"),
    (("uniform", "segment", 0.0, SMALL), "uniform, split by segment"),
    (("uniform", "segment", 1.0, "main"), "uniform, split by segment, uncertain labels, main network"),
    (("rejection", "song", 1.0, SMALL), "rejection, uncertain labels")])
def test_readings_are_named_in_words(reading, words):
    assert simulation.written(dict(zip(("pairs", "split", "noise", "network"), reading, strict=True))) == words


KEPT = sorted(recorded.FOLDER.glob("simulation/*.json"))


@pytest.mark.parametrize("path", KEPT, ids=lambda p: p.stem)
def test_what_is_kept_is_whole(path):
    made = json.loads(path.read_text("utf8"))
    assert all(made[key] for key in (*recorded.ABOUT, "data", "data_fingerprint"))
    table = pd.DataFrame(made["rows"])
    check, checked = table[table["table"] == "check"], "--networks none" in made["command"]
    assert set(table["table"]) == {"check"} | (set() if checked else {"model", "run", "reading", "observer"})
    assert check.groupby("row").size().to_dict() == {
        **dict.fromkeys((*SIDES, "two"), 2 * len(likeness.SHARES)),
        **({} if checked else {"ACP-Net": len(likeness.NETWORK_SHARES)})}
    for row in made["rows"]:
        assert "ACP-Net" not in row.values() or row["network"]
        if row["table"] == "reading":
            assert row["network"]
            assert 0 <= row["near"] <= 1 and 0 <= row["near_corpus"] <= 1 and row["values"]
            assert row["interval"][0] <= row["ours"] <= row["interval"][1]
