"""The authors' released scores as the package keeps them, and the songs that were lost between them and the paper."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from acp_lib import paper
from acp_lib.database import imac, released
from acp_lib.emotions import CLASSES

OURS = released.labelled(released.released())


def histogram(songs):
    """How many songs have which score."""
    return songs.groupby(list(CLASSES)).size().rename("songs").reset_index()


def test_the_package_holds_what_the_authors_file_holds(real):
    songs = imac.songs(real / "imac" / "SongEmotionScore.csv")
    pd.testing.assert_frame_equal(histogram(songs), released.released())


def test_released_songs_by_the_papers_rule_and_by_a_strict_majority():
    scores = released.released()
    assert len(scores) == 72 and scores["songs"].sum() == 4159 and (scores["songs"] > 0).all()
    assert not scores.duplicated(list(CLASSES)).any()
    assert OURS == {"positive": 1501, "neutral": 1631, "negative": 1027}
    strict = released.labelled(scores, strict=True)
    assert strict == {"positive": 1264, "neutral": 1437, "negative": 1027}
    assert sum(OURS.values()) - sum(strict.values()) == 431


def test_the_paper_counts_fewer_and_not_evenly():
    found = released.survival(OURS, paper.SONGS)
    share = found.rows.set_index("row")["share"].round(3).to_dict()
    assert share == {"positive": 0.894, "neutral": 0.926, "negative": 0.934, "all": 0.917}
    assert found.chi2 == pytest.approx(16.0, abs=0.05) and found.dof == 2 and found.p < 0.001
    assert (found.rows["low"] < found.rows["share"]).all() and (found.rows["share"] < found.rows["high"]).all()


def test_the_test_by_hand():
    found = released.survival({"a": 40, "b": 60}, {"a": 20, "b": 45})
    expected = np.array([[26, 14], [39, 21]])
    statistic = ((np.array([[20, 20], [45, 15]]) - expected) ** 2 / expected).sum()
    assert found.chi2 == pytest.approx(statistic) and found.p == pytest.approx(chi2.sf(statistic, 1))


def test_nothing_lost_is_no_difference():
    found = released.survival({"a": 4, "b": 6}, {"a": 4, "b": 6})
    assert found.rows["share"].tolist() == [1, 1, 1] and found.p == 1


def test_a_strict_majority_cannot_have_been_the_papers_rule():
    strict = released.labelled(released.released(), strict=True)
    with pytest.raises(ValueError, match="1342 songs of class positive are left of 1264; expected a part"):
        released.survival(strict, paper.SONGS)


def test_songs_without_a_tag_count_for_no_class():
    scores = histogram(pd.DataFrame([(0, 0, 0), (1, 1, 0), (1, 1, 0)], columns=list(CLASSES)))
    assert scores["songs"].tolist() == [1, 2]
    assert released.labelled(scores) == {"positive": 2, "neutral": 0, "negative": 0}
    assert released.labelled(scores, strict=True) == {"positive": 0, "neutral": 0, "negative": 0}
