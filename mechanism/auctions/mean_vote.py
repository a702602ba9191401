"""The mean vote."""

from __future__ import annotations

import numpy as np

from mechanism.auctions.vote import Vote
from mechanism.direct import Floats


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
