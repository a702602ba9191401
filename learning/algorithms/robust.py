"""Aggregation that a minority of poisoned models cannot drag anywhere: median, trimmed mean, Krum, Multi-Krum.

Clients and rounds are those of FedAvg, the model is one for all; samples are not weighted, as anybody may claim many.
"""

import numpy as np

from learning.algorithms.algorithm import START, Aggregation, Algorithm, Uploads

BYZANTINE = 0.3
"""Share of the clients that these methods assume to be poisoned at most, but for the median, which bears half."""


def assumed(clients: int) -> int:
    """Return of how many of the clients who take part f it is assumed that they poison: ⌊.3 m⌋, at most (m − 3) / 2.

    Krum is defined for 2 f + 2 < m only.
    """
    return max(0, min(int(BYZANTINE * clients), (clients - 3) // 2))


def _coordinates(clients: int, trim: int) -> Aggregation:
    return Aggregation(np.full((clients, clients), 1.0 / clients), trim=trim)


def median(uploads: Uploads) -> Aggregation:
    """Return the coordinate-wise median: the middle value of each parameter, the mean of the two where m is even."""
    m = len(uploads.sizes)
    return _coordinates(m, (m - 1) // 2)


def trimmed(uploads: Uploads) -> Aggregation:
    """Return the coordinate-wise trimmed mean, without the f smallest and the f largest values of each parameter."""
    m = len(uploads.sizes)
    return _coordinates(m, assumed(m))


def krum_scores(uploads: Uploads, poisoned: int) -> np.ndarray:
    """Return the scores [m]: the sum of squared distances ‖w_i − w_j‖² to the m − f − 2 nearest others (at least one).

    From norms and cosines of the round's updates: ‖u‖² + ‖v‖² − 2 ‖u‖ ‖v‖ cos.
    """
    m, norms = len(uploads.sizes), uploads.norms
    squares = norms[:, None] ** 2 + norms**2 - 2.0 * np.outer(norms, norms) * uploads.cosines
    np.fill_diagonal(squares, np.inf)
    near = np.sort(np.maximum(squares, 0.0), axis=1)[:, : max(1, m - poisoned - 2)]
    scores: np.ndarray = near.sum(axis=1)
    return scores


def _chosen(uploads: Uploads, many: bool) -> Aggregation:
    m = len(uploads.sizes)
    poisoned = assumed(m)
    count = m - poisoned if many else 1
    best = np.argsort(krum_scores(uploads, poisoned), kind="stable")[:count]
    row = np.zeros(m)
    row[best] = 1.0 / count
    return Aggregation(np.tile(row, (m, 1)))


def krum(uploads: Uploads) -> Aggregation:
    """Return the one model with the lowest score, of equals the first, for everybody."""
    return _chosen(uploads, many=False)


def multi_krum(uploads: Uploads) -> Aggregation:
    """Return the mean of the m − f models with the lowest scores, for everybody."""
    return _chosen(uploads, many=True)


_YIN = "Yin et al., Byzantine-Robust Distributed Learning, ICML 2018 (arXiv 1803.01498)"
_BLANCHARD = "Blanchard et al., Machine Learning with Adversaries, NeurIPS 2017 (arXiv 1703.02757)"

MEDIAN = Algorithm(
    "median", _YIN, "one common model: of each parameter the median of all clients'", "aggregated", median, shared=True
)
TRIMMED_MEAN = Algorithm(
    "trimmed-mean",
    _YIN,
    "one common model: of each parameter the mean without the 30 % smallest and largest",
    "aggregated",
    trimmed,
    shared=True,
)
KRUM = Algorithm(
    "krum",
    _BLANCHARD,
    "one common model: that client's which lies nearest to its nearest others",
    "aggregated",
    krum,
    shared=True,
    slots=(START,),
    origin=START,
)
MULTI_KRUM = Algorithm(
    "multi-krum",
    _BLANCHARD,
    "one common model: the mean of the 70 % that lie nearest to their nearest others",
    "aggregated",
    multi_krum,
    shared=True,
    slots=(START,),
    origin=START,
)
