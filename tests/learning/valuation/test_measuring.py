"""Losses of averages of models, against plain loops."""

import numpy as np
import pytest
import torch

from learning.plan import LearningPlan
from learning.trainer import Trainer
from learning.valuation import ValueTask, collect, value, value_tasks
from learning.valuation.measuring import measure
from tests.checks import fresh

PLAN = LearningPlan(clients=5, steps=20, lr=0.05, split_beta=1.0, held_out=True)


@pytest.fixture(scope="module")
def work():
    trainer = Trainer(PLAN, "ipfl", "rows", seed=3)
    trainer.train(1)
    yield trainer._backend.work
    trainer.close()


def sizes_of(work):
    return np.diff(work.facts.starts).astype(float)


def plain(work, mixture, index):
    """The average as a loop over models, its loss as a loop over samples."""
    rows, weights = mixture
    row = sum(w * work.tensors["rows"][k].double() for k, w in zip(rows, weights, strict=True)).float()
    losses = []
    for k in index.tolist():
        x = work.inputs(work.tensors["train_x"][k : k + 1])
        scores = work.network.forward(work.network.layout.views(row), x)
        losses.append(float(torch.nn.functional.cross_entropy(scores.double(), work.tensors["train_y"][k : k + 1])))
    return np.mean(losses)


def test_losses_are_those_of_the_averages_on_held_out_samples(work):
    kept = work.tensors["rows"].clone()
    for task in value_tasks(sizes_of(work), work.facts.held, 3, 1):
        index = work.held_out(task.client)
        assert task.samples == len(index) > 0
        expected = [plain(work, mixture, index) for mixture in task.mixtures]
        np.testing.assert_allclose(measure(work, task), expected, rtol=1e-5)
        assert measure(work, task) == measure(work, task)
    assert torch.equal(work.tensors["rows"], kept)


def test_no_more_samples_are_judged_than_asked_and_from_first_to_last(work):
    client = int(np.argmax(work.facts.held))
    index = work.held_out(client)
    task = ValueTask(client, (((client,), (1.0,)),), 3)
    expected = plain(work, task.mixtures[0], index[[0, round((len(index) - 1) / 2), len(index) - 1]])
    assert measure(work, task)[0] == pytest.approx(expected, rel=1e-5)
    all_of_them = ValueTask(client, task.mixtures, 10_000)
    assert measure(work, all_of_them)[0] == pytest.approx(plain(work, task.mixtures[0], index), rel=1e-5)


def test_the_average_of_a_model_with_itself_is_the_model(work):
    both = ValueTask(1, (((1,), (1.0,)), ((1, 1), (0.25, 0.75))), 50)
    first, second = measure(work, both)
    assert first == pytest.approx(second, rel=1e-12)


def test_a_round_of_training_is_valued_and_recorded(work):
    tasks = value_tasks(sizes_of(work), work.facts.held, 3, 1)
    curve = collect(sizes_of(work), tasks, [measure(work, task) for task in tasks])
    for kind in ("measured", "fitted"):
        valuation = value(kind, np.full(5, 1.5e4), curve, 3)
        assert np.isfinite(valuation.defect).all()
        assert valuation.fit["residual"] > 0
        assert valuation.curve.sets == sum(len(task.mixtures) - 1 for task in tasks)


def test_importing_the_valuation_brings_no_torch():
    code = "import learning.valuation, sys; print([n for n in ('torch', 'scipy', 'numba') if n in sys.modules])"
    assert fresh(code) == "[]\n"
