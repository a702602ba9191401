"""FedProx: FedAvg whose clients are held near the common model while they train."""

from learning.algorithms.algorithm import START, Algorithm, LocalSpec, stable
from learning.algorithms.fedavg import aggregate
from learning.plan import LearningPlan

MU = 0.1
"""μ, the weight of the proximal term."""


def local_spec(plan: LearningPlan, first: bool) -> LocalSpec:
    """Return SGD on L_i(θ) + μ/2 ‖θ − w‖² with w the common model from which the round starts, θ_0 in the first."""
    return LocalSpec(plan.steps, stable(plan, MU, "mu", "a smaller lr"), START)


FEDPROX = Algorithm(
    name="fedprox",
    citation="Li et al., Federated Optimization in Heterogeneous Networks, MLSys 2020 (arXiv 1812.06127)",
    summary="fedavg with a proximal term that holds clients near the common model while they train",
    deploys="aggregated",
    slots=(START,),
    local_spec=local_spec,
    aggregate=aggregate,
    shared=True,
)
"""Federated averaging with a proximal term."""
