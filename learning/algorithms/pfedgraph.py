"""pFedGraph: every client's model is an average whose weights trade likeness of models against shares of samples.

The personal pull is λ/2 times the squared distance from the aggregated model; the paper's local objective has the
cosine of the two in its place.
"""

import numpy as np

from learning.algorithms.algorithm import (
    START,
    Aggregation,
    Algorithm,
    Floats,
    LocalSpec,
    Uploads,
    stable,
)
from learning.plan import LearningPlan

ALPHA = 0.8
"""α, the weight of staying close to the shares of samples."""

LAM = 0.01
"""λ, the weight of the pull to the aggregated model."""


def local_spec(plan: LearningPlan, first: bool) -> LocalSpec:
    """Return SGD from the aggregated model on L_i(θ) + λ/2 ‖θ − aggregated_i‖²; no pull before there is one."""
    pull = stable(plan, LAM, "lambda of pFedGraph", "a smaller lr")
    return LocalSpec(plan.steps) if first else LocalSpec(plan.steps, pull, START)


def onto_simplex(points: Floats) -> Floats:
    """Return the nearest rows [k, m] to ``points`` [k, m] with entries ≥ 0 that sum to one.

    x_j = max(0, y_j − τ), where τ is the largest of (Σ of the r largest y − 1)/r over r (Held, Wolfe, Crowder 1974).

    >>> onto_simplex(np.array([[0.5, 0.7, -3.0]]))
    array([[0.4, 0.6, 0. ]])
    """
    falling = -np.sort(-points, axis=1)
    taus = (np.cumsum(falling, axis=1) - 1.0) / np.arange(1, points.shape[1] + 1)
    # The mean over r entries less 1/r rises with r exactly as long as the next entry is still above it.
    return np.asarray(np.maximum(0.0, points - taus.max(axis=1, keepdims=True)))


def aggregate(uploads: Uploads) -> Aggregation:
    """Return row by row the minimiser of Σ_j w_j d_ij + α ‖w − p‖² over the simplex, p_j = n_j/Σn, d_ij = 1 − cos_ij.

    Completing the square makes it the projection of p − d_i/(2α) onto the simplex.
    """
    shares = uploads.sizes / uploads.sizes.sum()
    return Aggregation(onto_simplex(shares[None, :] - (1.0 - uploads.cosines) / (2.0 * ALPHA)))


PFEDGRAPH = Algorithm(
    name="pfedgraph",
    citation="Ye, Ni, Wu, Chen, Wang, Personalized Federated Learning with Inferred Collaboration Graphs, ICML 2023",
    summary="personal averages, their weights chosen by likeness of models and shares of samples",
    deploys="trained",
    slots=(START,),
    local_spec=local_spec,
    aggregate=aggregate,
)
"""Personalised federated learning on an inferred collaboration graph."""
