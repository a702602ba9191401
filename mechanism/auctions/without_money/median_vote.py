"""The median vote."""

import numpy as np

from mechanism.auctions.without_money.vote import LINE, Vote
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, TRUTHFUL, UNPAID, CatalogueEntry, truths


def median_vote(agents: int = 3) -> Vote:
    """Choose the median of the reported peaks.

    1. Sort the n reported peaks.
    2. The decision is the one in the middle; for even n the lower of the two.

    An agent moves the median only away from its own peak: truthful, even for coalitions, without money. It minimises
    the total distance to the peaks.

    >>> import numpy as np
    >>> median_vote(3).outcome(np.array([[[0.1], [0.9], [0.4]]])).tolist()
    [0.4]

    Source: Black, On the rationale of group decision-making, 1948; Moulin, On strategy-proofness and single
    peakedness, 1980.
    """
    return Vote("median-vote", _decide, agents)


def _decide(peaks: Floats) -> Floats:
    middle = (peaks.shape[-1] - 1) // 2
    return np.asarray(np.partition(peaks, middle, axis=-1)[..., middle])


ENTRY = CatalogueEntry(
    "median-vote", "median of the peaks", "Black 1948, Moulin 1980", LINE,
    truths(  # no ir: there is no staying out of a vote
        **TRUTHFUL, **UNPAID, efficiency="yes", **MONOTONE, anonymity="yes",
        non_bossiness="yes",  # everyone has the same consequence
        group_dsic="yes",  # only those beyond the median can move it, and only away from themselves
    ),
    median_vote,
)  # fmt: skip
