"""The facade: rounds in order, methods that learn, and refusals."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from learning.errors import LearningError
from learning.plan import LearningPlan
from learning.trainer import Trainer
from tests.checks import refused

PLAN = LearningPlan(clients=6, steps=15)
EVERYBODY = ~np.eye(6, dtype=bool)


def test_losses_fall_and_accuracy_rises_when_clients_train_alone():
    with Trainer(PLAN, "local", backend="rows") as trainer:
        start, _ = trainer.evaluate()
        losses = [trainer.train(number).mean() for number in range(1, 7)]
        accuracy, _ = trainer.evaluate()
    assert all(later < earlier for earlier, later in pairwise(losses))
    assert losses[-1] < 0.5 * losses[0]
    assert accuracy.mean() > 0.8 > 0.4 > start.mean()


def test_a_first_round_has_the_initial_model_at_the_centre():
    with Trainer(PLAN, "ipfl", backend="rows") as trainer:
        d, zero = trainer.differences()
        assert zero.all()
        np.testing.assert_array_equal(d, 1.0 - np.eye(6))
        trainer.train(1)
        d, zero = trainer.differences()
        assert not zero.any()
        assert 0 < d[EVERYBODY].min() < d.max() < 2


def test_fedavg_gives_everybody_the_weighted_mean_and_the_next_round_starts_from_it():
    with Trainer(PLAN, "fedavg", backend="rows") as trainer:
        assert (trainer.implied_imports() == EVERYBODY).all()
        trainer.train(1)
        trained = trainer.state.rows.clone().double()
        trainer.aggregate(trainer.implied_imports())
        mean = (torch.from_numpy(trainer.sizes)[:, None] * trained).sum(0) / trainer.sizes.sum()
        assert torch.allclose(trainer.state.rows.double(), mean.expand(6, -1), atol=1e-6)
        assert np.allclose(trainer.differences()[0], 0, atol=1e-6)  # of the models as they are now


def test_ipfl_keeps_own_models_and_moves_targets_towards_imported_ones():
    with Trainer(PLAN, "ipfl", backend="rows") as trainer:
        trainer.train(1)
        trained = trainer.state.rows.clone()
        graph = np.zeros((6, 6), dtype=bool)
        graph[0, 1] = True
        trainer.aggregate(graph)
        assert torch.equal(trainer.state.rows, trained)
        target, initial = trainer.state.slots["target"], trainer.state.initial
        assert torch.allclose(target[1:], trained[1:], atol=1e-6)
        cosine = torch.nn.functional.cosine_similarity
        before = cosine(trained[0] - initial, trained[1] - initial, dim=0)
        assert cosine(target[0] - initial, trained[1] - initial, dim=0) > before


def test_a_stronger_pull_keeps_models_closer_to_their_targets():
    """With steps enough for SGD with momentum to settle: it swings around the target before."""
    distances = []
    for lam in (0.0, 10.0, 1000.0):
        with Trainer(replace(PLAN, lam=lam, steps=200), "ipfl", backend="rows") as trainer:
            trainer.train(1)
            trainer.aggregate(EVERYBODY)
            trainer.train(2)
            distances.append(float((trainer.state.rows - trainer.state.slots["target"]).norm()))
    assert distances[0] > distances[1] > distances[2]


def test_the_order_of_calls_does_not_change_a_round():
    """Evaluating in between, or training round 2 in a fresh trainer's first call, draws from no shared stream."""
    with Trainer(PLAN, "local", backend="rows") as one, Trainer(PLAN, "local", backend="rows") as two:
        one.train(1)
        two.evaluate()
        two.differences()
        two.train(1)
        assert torch.equal(one.state.rows, two.state.rows)


def test_seeds_decide_split_and_batches():
    with Trainer(PLAN, "local", backend="rows", seed=0) as one, Trainer(PLAN, "local", backend="rows", seed=1) as two:
        assert not np.array_equal(one.sizes, two.sizes)
        assert one.sizes.sum() == two.sizes.sum() == 1438
        assert not torch.equal(one.state.initial, two.state.initial)


def test_threads_of_the_caller_are_left_as_they_were():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with Trainer(PLAN, "local", backend="rows") as trainer:
        trainer.train(1)
        trainer.differences()
        trainer.evaluate()
        assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_divergence_is_reported_with_the_client_and_the_round():
    with (
        Trainer(replace(PLAN, lr=1e6), "local", backend="rows") as trainer,
        pytest.raises(LearningError, match=r"client \d+ diverged in round 1"),
    ):
        trainer.train(1)


def test_a_model_that_is_not_finite_is_reported():
    with Trainer(PLAN, "local", backend="rows") as trainer:
        trainer.state.rows[3, 5] = float("nan")
        with pytest.raises(LearningError, match="client 3 is not finite"):
            trainer.differences()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"algorithm": "fedsgd"}, "no method"),
        ({"backend": "cloud"}, "no backend"),
        ({"device": "tpu"}, "no device"),
        ({"device": "cuda", "backend": "pool"}, "backend 'pool' runs on the CPU"),
        ({"seed": -1}, "seed is -1"),
        ({"plan": replace(PLAN, lam=1e5)}, "SGD diverges"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments, message):
    with refused(LearningError, message):
        Trainer(**({"plan": PLAN, "algorithm": "ipfl"} | arguments))


def test_cuda_is_refused_where_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(LearningError, match="no CUDA device"):
        Trainer(PLAN, device="cuda")


@pytest.mark.parametrize("imports", [np.ones((6, 6)), np.ones((5, 5), dtype=bool)])
def test_graphs_of_another_kind_or_shape_are_refused(imports):
    with Trainer(PLAN, "ipfl", backend="rows") as trainer:
        trainer.train(1)
        with pytest.raises(LearningError, match="expected bool"):
            trainer.aggregate(imports)
        with pytest.raises(LearningError, match="counted from 1"):
            trainer.train(0)
