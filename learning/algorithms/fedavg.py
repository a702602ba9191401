"""FedAvg: one model for all, the average of the clients' models weighted by their samples."""

import numpy as np

from learning.algorithms.algorithm import Aggregation, Algorithm, Uploads


def aggregate(uploads: Uploads) -> Aggregation:
    """Return the matrix with every row (n_j / Σ n): all clients get Σ_j n_j θ_j / Σ n."""
    shares = uploads.sizes / uploads.sizes.sum()
    return Aggregation(np.tile(shares, (len(shares), 1)))


FEDAVG = Algorithm(
    name="fedavg",
    citation="McMahan et al., Communication-Efficient Learning of Deep Networks, AISTATS 2017 (arXiv 1602.05629)",
    summary="one common model: the average of all clients' models weighted by their samples",
    deploys="aggregated",
    aggregate=aggregate,
    shared=True,
)
"""Federated averaging."""
