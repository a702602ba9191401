"""How well a backdoor works: of the models that clients use, whatever runs them; of nobody where there is none."""

import numpy as np
import pytest
import torch

from learning.adversaries import HONEST, triggered
from learning.backends.stacked import StackedBackend
from learning.data import load
from learning.plan import LearningPlan
from learning.trainer import Trainer

CONDUCT = ("backdoor", HONEST, HONEST, HONEST)
PLAN = LearningPlan(clients=4, steps=8, batch=32, conduct=CONDUCT)


def plainly(trainer: Trainer, slot: str = "") -> list[float]:
    """Return the share of test digits other than 0 with the trigger that each client's model takes for a 0."""
    data = load("digits")
    x = torch.from_numpy(triggered(data.test_x[data.test_y > 0], data)).float() * data.scale + data.shift
    work, net = trainer._backend.work, trainer._backend.work.network
    return [float((net.forward(net.layout.views(row), x).argmax(1) == 0).double().mean()) for row in work.models(slot)]


@pytest.mark.parametrize("backend", ["rows", "pool", "stacked"])
@pytest.mark.parametrize("method", ["fedavg", "local"])
def test_it_is_the_share_of_triggered_test_samples_that_each_model_answers_as_wanted(method, backend):
    with Trainer(PLAN, method, backend="rows" if backend == "stacked" else backend, seed=1, processes=1) as trainer:
        if backend == "stacked":
            trainer._backend = StackedBackend(trainer._backend.work)
        for number in range(1, 4):
            trainer.train(number)
            trainer.evaluate()
            expected = plainly(trainer)
            expected[0] = trainer.attack_success[0]  # the attacker's own model lies in another slot
            np.testing.assert_allclose(trainer.attack_success, expected, atol=1e-12)
            trainer.aggregate(trainer.implied_imports())
        trainer.evaluate()
        np.testing.assert_allclose(trainer.attack_success[1:], plainly(trainer)[1:], atol=1e-12)


def test_accuracy_is_as_without_the_trigger_and_nobody_is_asked_where_there_is_none():
    def seen(plan: LearningPlan) -> tuple[np.ndarray, object]:
        with Trainer(plan, "local", backend="rows", seed=1) as trainer:
            trainer.train(1)
            return trainer.evaluate()[0], trainer.attack_success

    with_it, told = seen(PLAN)
    alone, nothing = seen(LearningPlan(clients=4, steps=8, batch=32))
    np.testing.assert_allclose(with_it[1:], alone[1:], atol=1e-12)
    assert told.shape == (4,)
    assert nothing is None
