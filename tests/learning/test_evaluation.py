"""Personal accuracy against the definition, computed the long way."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from learning.data import load
from learning.evaluation import evaluation_tasks, personal
from learning.plan import LearningPlan
from learning.trainer import Trainer

PLAN = LearningPlan(clients=5, steps=10, split_beta=0.3)


@pytest.mark.parametrize("algorithm", ["local", "fedavg"])
def test_accuracy_and_loss_are_per_class_and_weighted_by_own_labels(algorithm):
    data = load("digits")
    with Trainer(PLAN, algorithm, backend="rows", seed=1) as trainer:
        trainer.train(1)
        trainer.aggregate(~np.eye(5, dtype=bool))
        accuracy, loss = trainer.evaluate()
        work = trainer._backend.work
        for client in range(5):
            own = data.train_y[work.members(client).numpy()]
            scores = work.network.forward(
                work.network.layout.views(trainer.state.rows[client]), torch.tensor(data.test_x).float() / 16.0
            )
            right = (scores.argmax(1).numpy() == data.test_y).astype(float)
            losses = F.cross_entropy(scores.double(), torch.tensor(data.test_y), reduction="none").detach().numpy()
            shares = [(own == c).mean() for c in range(10)]
            expected = sum(s * right[data.test_y == c].mean() for c, s in enumerate(shares))
            assert accuracy[client] == pytest.approx(expected, abs=1e-12)
            wanted = sum(s * losses[data.test_y == c].mean() for c, s in enumerate(shares))
            assert loss[client] == pytest.approx(wanted, rel=1e-5)


def test_only_classes_with_a_share_are_tested_and_a_common_model_once():
    with Trainer(PLAN, "fedavg", backend="rows", seed=1) as trainer:
        tested = []
        run = trainer._backend.run
        trainer._backend.run = lambda tasks: tested.extend(tasks) or run(tasks)
        trainer.evaluate()
        assert sum(task.images for task in tested) == 359
        assert {task.row for task in tested} == {0}
        trainer.train(1)
        del tested[:]
        trainer.evaluate()
        needed = ((trainer._exam.weights > 0) * trainer._exam.class_sizes).sum()
        assert sum(task.images for task in tested) == needed < 5 * 359


def test_a_model_that_is_what_it_was_is_not_tested_again_and_a_changed_one_is():
    with Trainer(PLAN, "ipfl", backend="rows", seed=1) as trainer:
        trainer.train(1)
        before = trainer.evaluate()
        tested, run = [], trainer._backend.run
        trainer._backend.run = lambda tasks: tested.extend(tasks) or run(tasks)
        trainer.state.rows[2] *= 1.1
        after = trainer.evaluate()
        assert {task.row for task in tested} == {2}
        trainer._exam.last.clear()
        np.testing.assert_array_equal(after, trainer.evaluate())
        np.testing.assert_array_equal(after[1] != before[1], np.arange(5) == 2)


def test_tasks_cover_each_needed_class_once_and_stay_small():
    needed = np.random.default_rng(0).random((4, 10)) < 0.5
    sizes = np.full(10, 1000)
    tasks = evaluation_tasks([7, 8, 9, 10], needed, sizes)
    for row, classes in zip([7, 8, 9, 10], needed, strict=True):
        assert [c for t in tasks if t.row == row for c in t.classes] == np.flatnonzero(classes).tolist()
    assert all(task.images == 1000 * len(task.classes) <= 2000 for task in tasks)


def test_a_class_without_weight_does_not_count_even_if_it_was_never_tested():
    assert personal(np.array([[0.25, 0.75, 0.0]]), np.array([[1.0, 0.5, np.nan]])).tolist() == [0.625]
