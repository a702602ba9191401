"""Local epochs: each client passes over its own samples so often, wherever its work runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.backends.stacked import StackedBackend
from learning.local import batch_order
from learning.plan import LearningPlan
from learning.streams import stream
from learning.trainer import Trainer
from tests.learning.algorithms.rendering import plain_sgd

PLAN = LearningPlan(clients=4, steps=3, batch=32, epochs=2, split_beta=0.3)


@pytest.mark.parametrize("method", ["fedavg", "ditto", "ipfl-effective"])
@pytest.mark.parametrize("backend", ["pool", "stacked", "federated"])
def test_every_backend_computes_the_plain_loop(backend, method):
    def seen(which: str) -> list[np.ndarray]:
        with Trainer(PLAN, method, backend="rows" if which == "stacked" else which, seed=1, processes=1) as trainer:
            if which == "stacked":
                trainer._backend = StackedBackend(trainer._backend.work)
            return [trainer.train(1), trainer.state.rows.numpy().copy()]

    tolerance = 1e-5 if backend == "stacked" else 0.0
    for mine, plain in zip(seen(backend), seen("rows"), strict=True):
        np.testing.assert_allclose(mine, plain, rtol=tolerance, atol=tolerance)


def test_a_client_visits_each_of_its_samples_so_often():
    with Trainer(PLAN, "fedavg", backend="rows") as trainer:
        assert len(set(trainer.sizes.tolist())) > 1
        trainer.train(1)
        for k, size in enumerate(trainer.sizes.tolist()):
            own = PLAN.of(size)
            assert own.steps == 2 * int(np.ceil(size / 32))
            order, _ = batch_order(size, 32, own.steps, stream(0, "batches", 1, k))
            assert np.bincount(order, minlength=size).tolist() == [2] * size
            trainer.plan = own
            alone = plain_sgd(trainer, k, 1, trainer.state.initial)
            torch.testing.assert_close(trainer.state.rows[k], alone, rtol=0, atol=1e-5)


def test_without_epochs_the_plan_is_as_it_was():
    plan = replace(PLAN, epochs=0)
    assert plan.of(7) is plan
    assert "epochs" not in plan.to_dict()
    assert PLAN.to_dict()["epochs"] == 2
