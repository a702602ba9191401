"""FedAMP: every client has its own cloud model, in which models like its own weigh more, and is pulled to it.

The variant is HeurFedAMP (section 5 of the paper), which weighs by cosines. They are taken of the updates θ − θ_0, as
the market's differences are: the models themselves have θ_0 in common, and all their cosines are close to 1.
"""

import numpy as np

from learning.algorithms.algorithm import Aggregation, Algorithm, LocalSpec, Uploads, stable
from learning.plan import LearningPlan

LAM = 0.01
"""λ, the weight of the pull to the cloud model."""

SELF_WEIGHT = 0.3
"""ξ_ii, the weight of a client's own model in its cloud model."""

SHARPNESS = 10.0
"""σ in exp(σ cos)."""

CLOUD = "cloud"
"""Slot of the cloud models u_i."""


def local_spec(plan: LearningPlan, first: bool) -> LocalSpec:
    """Return SGD from the client's own model on L_i(θ) + λ/2 ‖θ − u_i‖²; no pull before there are cloud models."""
    pull = stable(plan, LAM, "lambda of FedAMP", "a smaller lr")
    return LocalSpec(plan.steps) if first else LocalSpec(plan.steps, pull, CLOUD)


def aggregate(uploads: Uploads) -> Aggregation:
    """Return u_i = Σ_j ξ_ij θ_j with ξ_ij = (1 − ξ_ii) exp(σ cos_ij) / Σ_{k≠i} exp(σ cos_ik) and ξ_ii = 0.3.

    A client that is alone has u_i = θ_i.
    """
    m = len(uploads.sizes)
    if m == 1:
        return Aggregation(np.ones((1, 1)), into=CLOUD)
    weights = np.exp(SHARPNESS * uploads.cosines)
    np.fill_diagonal(weights, 0.0)
    weights *= (1.0 - SELF_WEIGHT) / weights.sum(1, keepdims=True)
    np.fill_diagonal(weights, SELF_WEIGHT)
    return Aggregation(weights, into=CLOUD)


FEDAMP = Algorithm(
    name="fedamp",
    citation="Huang et al., Personalized Cross-Silo Federated Learning on Non-IID Data, AAAI 2021 (arXiv 2007.03797)",
    summary="personal models pulled to averages in which models like the client's own weigh more (HeurFedAMP)",
    deploys="trained",
    slots=(CLOUD,),
    local_spec=local_spec,
    aggregate=aggregate,
    own=True,
)
"""Federated attentive message passing."""
