"""Ditto: a personal model beside the common one, pulled to it; the common one is FedAvg's and knows nothing of it.

Differences are measured between what clients upload, the common stream; used and tested is the personal model.
"""

from learning.algorithms.algorithm import START, Algorithm, LocalSpec, stable
from learning.algorithms.fedavg import aggregate
from learning.plan import LearningPlan

LAM = 1.0
"""λ, the weight of the pull of the personal model to the common one."""

PERSONAL = "personal"
"""Slot of the personal models v_i."""


def local_spec(plan: LearningPlan, first: bool) -> LocalSpec:
    """Return the work of both streams, each ``plan.steps`` long.

    First the personal model v_i, SGD on L_i(v) + λ/2 ‖v − w‖² with w the common model from which the round starts;
    then the client's upload, plain SGD from w as in FedAvg. Their batches are drawn from streams of their own.
    """
    pull = stable(plan, LAM, "lambda of Ditto", "a smaller lr")
    return LocalSpec(plan.steps, pull, START, PERSONAL, then=LocalSpec(plan.steps))


DITTO = Algorithm(
    name="ditto",
    citation="Li et al., Ditto: Fair and Robust Federated Learning Through Personalization, ICML 2021 "
    "(arXiv 2012.04221)",
    summary="a personal model beside the common one of fedavg, pulled to it; twice the local steps",
    deploys="trained",
    slots=(START, PERSONAL),
    local_spec=local_spec,
    aggregate=aggregate,
    deployed=PERSONAL,
    shared=True,
)
"""Personal models regularised towards the federated average."""
