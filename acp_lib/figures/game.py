"""A game: a reader judges ten pairs, and is held against the network and the best possible observer.

Chapter: What it gets right and wrong.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from acp_lib.emotions import CLASSES
from acp_lib.engine.text import plain
from acp_lib.experiment.corpus import Corpus, Pairs


def intervals(n: int) -> list[list[float]]:
    """The ends of the 95 % interval of a share, in per cent, for 0 to n right answers of n.

    Source: Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the
    binomial, Biometrika 26(4).
    """
    found = (stats.binomtest(k, n).proportion_ci(method="exact") for k in range(n + 1))
    return [[100 * float(one.low), 100 * float(one.high)] for one in found]


def data(rounds: Sequence[np.ndarray], pairs: Pairs, corpus: Corpus, network: np.ndarray, best: np.ndarray | None, *,
         called: str, picture: Callable[[int], tuple[str, str]], sound: Callable[[int], tuple[str, str]]) -> dict:
    """What book/_static/game.js asks for.

    Parameters
    ----------
    rounds : numbers of `pairs`, as `examples.rounds` draws them, one or more
    network, best : probability that the network, and the best possible observer, give to each pair being true
        [shape=(n,)]; the latter None where nobody knows
    called : whose answers the network's are
    picture, sound : from a row of the corpus to the address of a picture or a sound, and to its name, which is anyone's

    Raises
    ------
    ValueError
        Without rounds, or if they are of different lengths.
    """
    if len({len(some) for some in rounds}) != 1:
        raise ValueError(f"rounds have {[len(some) for some in rounds]} pairs; expected one or more, of one length")
    whole = np.concatenate(rounds)
    shown = [{int(row): make(int(row)) for row in np.unique(side[whole])}
             for side, make in ((pairs.image, picture), (pairs.music, sound))]
    place = [{row: k for k, row in enumerate(some)} for some in shown]

    def one(k: int) -> dict:
        rows = int(pairs.image[k]), int(pairs.music[k])
        return {"picture": place[0][rows[0]], "sound": place[1][rows[1]], "truth": bool(pairs.truth[k]),
                "network": float(network[k]), "best": None if best is None else float(best[k]),
                "names": [plain(some[row][1]) for some, row in zip(shown, rows, strict=True)],
                "classes": [CLASSES[side.label[row]] for side, row in zip((corpus.image, corpus.music), rows,
                                                                           strict=True)]}

    return {"rounds": [[one(k) for k in some] for some in rounds], "network": plain(called),
            "pictures": [address for address, _ in shown[0].values()],
            "sounds": [address for address, _ in shown[1].values()], "intervals": intervals(len(rounds[0]))}
