"""FedFomo: every client mixes the models that do better on its own held-out samples than what it had.

Held out is a tenth of each client's training samples, drawn by seed; it trains on the rest.
"""

import numpy as np

from learning.algorithms.algorithm import START, Aggregation, Algorithm, Graph, Uploads
from learning.streams import stream

DOWNLOADS = 6
"""M, how many models of others a client downloads in a round."""

EXPLORE, EXPLORE_FALL = 0.3, 0.05
"""ε, the chance that a client downloads models at random, in the first round, and by how much it falls in each."""


def tries(uploads: Uploads) -> Graph:
    """Return which models each client tries: its own and M of the others, bool [m, m].

    With probability ε_t = max(0, 0.3 − 0.05 (t − 1)) in round t these are M at random, else the M that weighed most so
    far (``memory``: the sum of their weights over the rounds), equal ones in random order. Each client has its own
    keyed stream.
    """
    m = len(uploads.sizes)
    epsilon = max(0.0, EXPLORE - EXPLORE_FALL * (uploads.round_index - 1))
    chosen = np.eye(m, dtype=bool)
    for i in range(m):
        rng = stream(uploads.seed, "fedfomo", uploads.round_index, int(uploads.clients[i]))
        explores = rng.random() < epsilon
        others = rng.permutation(np.delete(np.arange(m), i))
        if not explores:
            others = others[np.argsort(-uploads.memory[i, others], kind="stable")]
        chosen[i, others[:DOWNLOADS]] = True
    return chosen


def aggregate(uploads: Uploads) -> Aggregation:
    """Return θ_i = start_i + Σ_j w_ij (θ_j − start_i) = Σ_j w_ij θ_j over the models that the client tried.

    The w_ij are the normalised positive parts of (L_i(start_i) − L_i(θ_j)) / ‖θ_j − start_i‖, with L_i the loss on i's
    held-out samples and start_i the model from which it started the round; its own θ_i is one of those tried. A client
    that none of them helps keeps the model that it trained.
    """
    trials = uploads.trials
    if trials is None:
        raise ValueError("FedFomo weighs models by trials, and there are none")
    drop = trials.before[:, None] - trials.losses
    usable = np.isfinite(drop) & (trials.distances > 0)  # NaN: not tried; a model that is the start moves nothing
    raw = np.divide(drop, trials.distances, out=np.zeros_like(drop), where=usable)
    weights = np.maximum(raw, 0.0)
    total = weights.sum(1, keepdims=True)
    weights = np.divide(weights, total, out=np.eye(len(weights)), where=total > 0)
    return Aggregation(weights, memory=uploads.memory + raw)


FEDFOMO = Algorithm(
    name="fedfomo",
    citation="Zhang et al., Personalized Federated Learning with First Order Model Optimization, ICLR 2021 "
    "(arXiv 2012.08565)",
    summary="personal mixtures of the downloaded models that lower the loss on the client's held-out samples",
    deploys="trained",
    slots=(START,),
    aggregate=aggregate,
    tries=tries,
    memory=True,
)
"""First-order model optimisation."""
