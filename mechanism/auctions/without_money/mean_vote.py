"""The mean vote."""

import numpy as np

from mechanism.auctions.without_money.vote import LINE, Vote
from mechanism.direct import Floats
from mechanism.entry import UNPAID, CatalogueEntry, truths


def mean_vote(agents: int = 3) -> Vote:
    """Choose the mean of the reported peaks.

    1. The decision is Σ_i peak_i / n.

    Not truthful: an agent whose peak is above the mean gains by exaggerating.

    >>> import numpy as np
    >>> mean_vote(3).outcome(np.array([[[0.0], [1.0], [0.5]]])).tolist()
    [0.5]

    Source: Moulin, On strategy-proofness and single peakedness, 1980; Renault, Trannoy, 2005.
    """
    return Vote("mean-vote", _decide, agents)


def _decide(peaks: Floats) -> Floats:
    return np.asarray(peaks.mean(axis=-1))


ENTRY = CatalogueEntry(
    "mean-vote", "mean of the peaks", "Moulin 1980, Renault, Trannoy 2005", LINE,
    truths(
        dsic="no (exaggerating)", bic="no (exaggerating)", **UNPAID,
        efficiency="no",  # with two agents every point between them is optimal: hence at least three
        monotonicity="yes",
        cyclic_monotonicity="yes",  # |x - peak| has increasing differences, the mean rises with a peak
        anonymity="yes", non_bossiness="yes", group_dsic="no",
    ),
    mean_vote, fewest=3,
)  # fmt: skip
