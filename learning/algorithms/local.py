"""Local: everybody trains alone. The baseline that any collaboration has to beat."""

import numpy as np

from learning.algorithms.algorithm import Aggregation, Algorithm, Graph, Uploads


def implied(clients: int) -> Graph:
    """Return the empty graph: nobody imports anything."""
    return np.zeros((clients, clients), dtype=bool)


def aggregate(uploads: Uploads) -> Aggregation | None:
    """Return None: every client goes on from its own model."""
    return None


LOCAL = Algorithm(
    name="local",
    citation="baseline of Zhang et al. 2025 (arXiv 2505.02462)",
    summary="every client trains on its own samples alone",
    deploys="trained",
    implied=implied,
    aggregate=aggregate,
    own=True,
)
"""Local training."""
