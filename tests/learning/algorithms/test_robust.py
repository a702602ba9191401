"""Median, trimmed mean and Krum by their definitions, as Flower 1.42 computes them, and against poison."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.adversaries import HONEST, triggered
from learning.algorithms import Uploads
from learning.algorithms.robust import assumed, krum_scores
from learning.data import load
from learning.differences import geometry, trimmed_mean
from learning.trainer import Trainer
from tests.learning.algorithms.rendering import PLAN, models, play, server

M = 10


def made(name: str, rows: torch.Tensor, origin: torch.Tensor) -> np.ndarray:
    """Return what a method makes of ten uploads of equal size, [P]."""
    step = server(name, rows, origin, sizes=np.ones(len(rows)))
    if step.trim is not None:
        return trimmed_mean(rows, step.trim)[0].numpy()
    return step.matrix[0] @ rows.double().numpy()


def uploads() -> torch.Tensor:
    """Ten models of eight numbers that any version of numpy draws: two far away, and near the first a third."""
    rows = np.sin(np.arange(80.0).reshape(M, 8) ** 2)
    rows[3] += 5
    rows[7] *= -4
    rows[9] = rows[0] + 0.125
    return torch.from_numpy(rows.astype(np.float32))


FLOWER = {
    "median": [-0.376588, 0.580595, -0.569084, 0.37087, 0.269806, -0.069852, -0.29006, 0.399264],
    "trimmed-mean": [-0.3886, 0.494035, -0.54809, 0.389561, 0.260498, -0.084361, -0.220148, 0.322682],
    "krum": [0.125, 0.966471, -0.631802, 0.537118, -0.162903, -0.007352, -0.866779, -0.828753],
    "multi-krum": [-0.480733, 0.514679, -0.366452, 0.298224, 0.110713, 0.070268, -0.538354, 0.065592],
}
"""Of the same uploads by aggregate_median, aggregate_trimmed_avg(.3) and aggregate_krum(3, to_keep 0 and 7)."""


@pytest.mark.parametrize("name", FLOWER)
def test_it_is_what_flower_computes(name):
    rows = uploads()
    np.testing.assert_allclose(made(name, rows, torch.zeros(8)), FLOWER[name], atol=2e-6)


@pytest.mark.parametrize("m", [1, 2, 3, 4, 7, 10])
def test_the_definitions_for_any_number_of_clients(m):
    rows, origin = models(m, 10, 40)
    rows, f = rows[:m], max(0, min(int(0.3 * m), (m - 3) // 2))
    assert assumed(m) == f
    values = np.sort(rows.double().numpy(), axis=0)
    np.testing.assert_allclose(made("median", rows, origin), np.median(values, axis=0), atol=1e-6)
    np.testing.assert_allclose(made("trimmed-mean", rows, origin), values[f : m - f].mean(0), atol=1e-6)
    squares = torch.cdist(rows.double(), rows.double()).square().numpy()
    scores = [np.sort(np.delete(squares[i], i))[: max(1, m - f - 2)].sum() for i in range(m)]
    order = np.argsort(scores, kind="stable")
    np.testing.assert_allclose(made("krum", rows, origin), rows[int(order[0])].numpy(), atol=1e-6)
    np.testing.assert_allclose(
        made("multi-krum", rows, origin), rows[order[: m - f].copy()].double().mean(0), atol=1e-6
    )


@pytest.mark.parametrize("name", ["median", "trimmed-mean", "krum", "multi-krum"])
def test_three_of_ten_cannot_drag_the_model_out_of_the_others(name):
    rows, origin = models(1, M, 60)
    for poison in (torch.full((3, 60), 1e6), 1e4 * torch.randn(3, 60, generator=torch.Generator().manual_seed(2))):
        bad = torch.cat([rows[:7], poison])
        honest = rows[:7].numpy()
        found = made(name, bad, origin)
        assert (found >= honest.min(0) - 1e-5).all()
        assert (found <= honest.max(0) + 1e-5).all()


def test_scores_do_not_depend_on_where_updates_begin():
    rows, origin = models(3, M, 50)
    seen = []
    for start in (origin, rows[4] + 1):
        found = geometry(rows, start)
        told = Uploads(PLAN, np.ones((M, M), bool), np.ones(M), found.cosines, found.norms, np.zeros((M, M)))
        seen.append(krum_scores(told, 3))
    np.testing.assert_allclose(*seen, rtol=1e-5)


LONG = replace(PLAN, clients=10, steps=30, lr=0.05, split="niid", split_beta=5.0)


def accuracy(name: str, conduct: str, rounds: int = 3) -> tuple[float, float]:
    """Return the honest clients' accuracy and the share of other classes that the trigger makes class 0."""
    bad = (0, 1, 2)
    told = tuple(conduct if k in bad else HONEST for k in range(10)) if conduct else ()
    with Trainer(replace(LONG, conduct=told), name, backend="rows") as trainer:
        for number in range(1, rounds + 1):
            seen = play(trainer, number)
        data, network = load("digits"), trainer._backend.work.network
        row = trainer.state.rows[5]
        x = triggered(data.test_x[data.test_y > 0], data)
        scores = network.forward(network.layout.views(row), torch.from_numpy(x).float() / 16.0)
        return float(seen[3][3:].mean()), float((scores.argmax(1) == 0).float().mean())


@pytest.mark.parametrize("conduct", ["flip", "scaled", "same", "labels"])
def test_three_poisoners_of_ten_cost_the_average_more_than_what_is_robust(conduct):
    least = 0.02 if conduct == "labels" else 0.2
    plain, _ = accuracy("fedavg", conduct)
    for name in ("median", "trimmed-mean", "krum", "multi-krum"):
        assert accuracy(name, conduct)[0] > max(0.85, plain + least), name


def test_a_trigger_costs_no_accuracy_and_turns_classes_in_the_average_only():
    clean, untouched = accuracy("fedavg", "")
    hidden, turned = accuracy("fedavg", "backdoor")
    assert clean - 0.02 < hidden
    assert untouched < 0.05 < 0.3 < turned
    for name in ("median", "trimmed-mean", "krum", "multi-krum"):
        assert accuracy(name, "backdoor")[1] < 0.05, name
