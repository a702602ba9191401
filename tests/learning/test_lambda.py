"""λ of each client: its own pull, wherever its work runs; one λ for all is what it was."""

from dataclasses import replace

import numpy as np
import pytest

from learning.backends.stacked import StackedBackend
from learning.errors import LearningError
from learning.plan import LearningPlan
from learning.trainer import Trainer

PLAN = LearningPlan(clients=4, steps=3, batch=32, lam=2.0, eta=1.0)
OWN = replace(PLAN, lams=(0.0, 0.5, 2.0, 8.0))


def rows(plan: LearningPlan, backend: str = "rows", rounds: int = 3) -> np.ndarray:
    which = "rows" if backend == "stacked" else backend
    with Trainer(plan, "ipfl", backend=which, seed=1, processes=1) as trainer:
        if backend == "stacked":
            trainer._backend = StackedBackend(trainer._backend.work)
        for number in range(1, rounds):
            trainer.train(number)
            trainer.aggregate(~np.eye(4, dtype=bool))
        trainer.train(rounds)
        return trainer.state.rows.numpy().copy()


@pytest.mark.parametrize("backend", ["pool", "stacked", "federated"])
def test_every_backend_computes_the_plain_loop(backend):
    tolerance = 1e-5 if backend == "stacked" else 0.0
    np.testing.assert_allclose(rows(OWN, backend), rows(OWN), rtol=tolerance, atol=tolerance)


def test_each_is_pulled_by_its_own_and_one_for_all_is_as_before():
    own = rows(OWN, rounds=2)
    for client, lam in enumerate(OWN.lams):  # targets of the first round do not depend on λ
        np.testing.assert_array_equal(own[client], rows(replace(PLAN, lam=lam), rounds=2)[client])
    np.testing.assert_array_equal(rows(replace(PLAN, lams=(2.0,) * 4)), rows(PLAN))
    assert "lams" not in PLAN.to_dict()
    assert PLAN.of(7, 0) is PLAN


@pytest.mark.parametrize("lams", [(1.0,), (1.0, 2.0, 3.0, -1.0), (1.0, 2.0, 3.0, np.nan), ("1", 2.0, 3.0, 4.0)])
def test_what_is_no_number_of_each_client_is_refused(lams):
    with pytest.raises(LearningError, match="expected a finite number >= 0 for each of 4 clients"):
        replace(PLAN, lams=lams)


def test_the_largest_decides_whether_training_diverges():
    with pytest.raises(LearningError, match="SGD diverges"):
        Trainer(replace(PLAN, lams=(0.0, 0.0, 0.0, 1e6)), "ipfl", backend="rows")
