"""SCAFFOLD: averaging whose clients correct the drift of their gradients by control variates.

A client's control c_i is the mean of the gradients that it met in its last round, the server's c their mean over all
clients. With plain SGD that is the paper's option II, c_i − c + (x − y_i)/(K η), and it holds for every optimiser.
"""

import numpy as np

from learning.algorithms.algorithm import Aggregation, Algorithm, LocalSpec, Mix, Uploads
from learning.plan import LearningPlan

CONTROL = "control"
"""Slot of the clients' controls c_i, 0 before a client's first round."""

CORRECTION = "correction"
"""Slot of what is added to the gradients of client i, c − c_i."""


def local_spec(plan: LearningPlan, first: bool) -> LocalSpec:
    """Return SGD from the common model with g + c − c_i in place of each gradient g, which the next c_i averages."""
    return LocalSpec(plan.steps, correction=CORRECTION, gradient=CONTROL)


def aggregate(uploads: Uploads) -> Aggregation:
    """Return the plain mean of those who are there (a global step of 1), and c − c_i of all clients of the run."""
    here, m = len(uploads.sizes), uploads.plan.clients
    return Aggregation(np.full((here, here), 1.0 / here), mixes=(Mix(1.0 / m - np.eye(m), CONTROL, CORRECTION),))


SCAFFOLD = Algorithm(
    name="scaffold",
    citation="Karimireddy et al., SCAFFOLD: Stochastic Controlled Averaging for Federated Learning, ICML 2020 "
    "(arXiv 1910.06378)",
    summary="one common model; control variates correct the drift of the clients' gradients",
    deploys="aggregated",
    gradients=(CONTROL, CORRECTION),
    local_spec=local_spec,
    aggregate=aggregate,
    shared=True,
)
"""Stochastic controlled averaging."""
