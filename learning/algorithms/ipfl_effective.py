"""The market on effective data: models are mixed at the weight of what they were measured to bring, junk at none."""

import numpy as np

from learning.algorithms.algorithm import PROBE, Aggregation, Algorithm, LocalSpec, Uploads
from learning.algorithms.ipfl import implied
from learning.plan import LearningPlan

DEPLOYED = "deployed"
"""Slot of the models that clients use: the trained one, mixed at its best share where a mixture is surely better."""


def local_spec(plan: LearningPlan, first: bool) -> LocalSpec:
    """Return plain SGD on all samples, then of the probe on those not held out of it.

    The probe takes as many steps in a client's first round, so that it is not far behind; a quarter as many after that.
    """
    steps = plan.steps if first else -(-plan.steps // 4)
    return LocalSpec(plan.steps, whole=True, then=LocalSpec(steps, model=PROBE))


def aggregate(uploads: Uploads) -> Aggregation:
    """Return θ_i ← (n_i θ_i + Σ_{j∈S_i} e_ij θ_j)/(n_i + Σ_{j∈S_i} e_ij) for the S_i that the market decided.

    e_ij are measured (`learning.valuation.effective`), n_i the true sizes.
    """
    m = len(uploads.sizes)
    effective = np.zeros((m, m)) if uploads.effective is None else uploads.effective
    weights = np.where(uploads.imports & ~np.eye(m, dtype=bool), effective, 0.0) + np.diag(uploads.sizes)
    return Aggregation(weights / weights.sum(1, keepdims=True))


IPFL_EFFECTIVE = Algorithm(
    name="ipfl-effective",
    citation="this project: iPFL's market (arXiv 2505.02462) on what models measurably bring",
    summary="models that a market let the client import, mixed at the weight of what they were measured to bring",
    deploys="aggregated",
    slots=(PROBE, DEPLOYED),
    local_spec=local_spec,
    implied=implied,
    aggregate=aggregate,
    deployed=DEPLOYED,
    memory=True,
    measures=True,
    own=True,
)
"""Inclusive and incentivised personalised federated learning on effective data."""
