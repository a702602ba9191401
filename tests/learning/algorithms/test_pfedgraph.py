"""pFedGraph: the weights solve the quadratic programme, and clients start from what they make."""

from itertools import product

import numpy as np
import pytest
import torch

from learning.algorithms.pfedgraph import LAM, onto_simplex
from learning.differences import combine
from learning.trainer import Trainer
from tests.learning.algorithms.rendering import PULLED, SIZES, agree, models, plain_sgd, play, server


def solve(d: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the minimiser of d·w + 0.8 ‖w − p‖² over the simplex: the best of the optima on every support."""
    best, least = None, np.inf
    for support in product([False, True], repeat=len(d)):
        on = np.array(support)
        if not on.any():
            continue
        w = np.zeros(len(d))
        free = shares[on] - d[on] / 1.6
        w[on] = free + (1 - free.sum()) / on.sum()
        value = d @ w + 0.8 * ((w - shares) ** 2).sum()
        if (w >= 0).all() and value < least:
            best, least = w, value
    assert best is not None
    return best


def plain_weights(rows: torch.Tensor, initial: torch.Tensor, sizes: np.ndarray) -> np.ndarray:
    updates, shares = (rows - initial).double(), np.asarray(sizes) / np.sum(sizes)
    cosine = torch.nn.functional.cosine_similarity
    return np.array([solve(np.array([1 - float(cosine(a, b, dim=0)) for b in updates]), shares) for a in updates])


@pytest.mark.parametrize("seed", range(4))
def test_the_server_solves_the_quadratic_programme(seed):
    rows, initial = models(seed)
    step = server("pfedgraph", rows, initial)
    weights = plain_weights(rows, initial, SIZES)
    np.testing.assert_allclose(step.matrix, weights, atol=1e-6)
    agree(combine(step.matrix, rows, initial), torch.from_numpy(weights) @ rows.double(), 1e-6)
    np.testing.assert_array_equal(step.graph, (weights > 1e-9) & ~np.eye(5, dtype=bool))
    assert (weights == 0).any()  # the constraints matter here


def test_the_projection_is_nearer_than_any_other_point_of_the_simplex():
    rng = np.random.default_rng(0)
    points = rng.normal(scale=2.0, size=(50, 6))
    found = onto_simplex(points)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(1), 1.0)
    others = rng.dirichlet(np.full(6, 0.5), size=500)
    nearest = ((points[:, None] - others[None]) ** 2).sum(2).min(1)
    assert (((points - found) ** 2).sum(1) <= nearest).all()


def test_rounds_are_those_of_plain_torch():
    with Trainer(PULLED, "pfedgraph", backend="rows", seed=3) as trainer:
        initial, rows = trainer.state.initial.clone(), trainer.state.rows.clone()
        for number in (1, 2, 3):
            graph = play(trainer, number)[-1]
            target = [None] * 5 if number == 1 else rows.clone()
            without = torch.stack([plain_sgd(trainer, i, number, rows[i]) for i in range(5)])
            trained = torch.stack([plain_sgd(trainer, i, number, rows[i], LAM, target[i]) for i in range(5)])
            weights = plain_weights(trained, initial, trainer.sizes)
            rows = (torch.from_numpy(weights) @ trained.double()).float()
            agree(trainer.state.rows, rows, 1e-5)
            np.testing.assert_array_equal(graph, (weights > 1e-6) & ~np.eye(5, dtype=bool))
        assert not torch.equal(trainer.state.rows[0], trainer.state.rows[1])
        assert float((trained - without).abs().max()) > 1e-4
