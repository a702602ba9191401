"""Whole rounds of the market's method and of plain averaging, against loops in plain PyTorch that share no step."""

from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import torch
import torch.nn.functional as F

from learning.trainer import Trainer
from mechanism import Market, Types, market_mechanism
from tests.learning.algorithms.rendering import PULLED, agree, plain_sgd, weighted_mean

PLAN = replace(PULLED, steps=10, lam=0.5, eta=5.0, split_beta=1.0)
ROUNDS = (1, 2, 3)


def updates_apart(rows: torch.Tensor, initial: torch.Tensor) -> np.ndarray:
    """1 − cos(θ_i − θ_0, θ_j − θ_0), pair by pair."""
    u = (rows - initial).double()
    m = len(u)
    return np.array(
        [[0.0 if i == j else 1 - float(F.cosine_similarity(u[i], u[j], dim=0)) for j in range(m)] for i in range(m)]
    )


def best_imports(n: np.ndarray, cost: np.ndarray, gain: np.ndarray, apart: np.ndarray, lam: float) -> np.ndarray:
    """Each buyer's best set S by trying all: √(g_i/n_i) − √(g_i/(n_i + Σ n_j)) − Σ (c_j + λ d_ij n_j/n_i) over S."""
    m = len(n)
    graph = np.zeros((m, m), dtype=bool)
    for i in range(m):
        others = [j for j in range(m) if j != i]
        best: tuple[float, tuple[int, ...]] = (0.0, ())
        for chosen in chain.from_iterable(combinations(others, k) for k in range(1, m)):
            worth = np.sqrt(gain[i] / n[i]) - np.sqrt(gain[i] / (n[i] + sum(n[j] for j in chosen)))
            worth -= sum(cost[j] + lam * apart[i, j] * n[j] / n[i] for j in chosen)
            best = max(best, (worth, chosen), key=lambda found: found[0])
        graph[i, list(best[1])] = True
    return graph


def pulled_targets(
    rows: torch.Tensor, initial: torch.Tensor, graph: np.ndarray, n: np.ndarray, eta: float
) -> torch.Tensor:
    """θ_i − η ∇ Σ_j (n_j / n_i) d(θ_i, θ_j) over what i imports, the gradient by autograd."""
    targets = []
    for i, row in enumerate(rows.double()):
        theta = row.clone().requires_grad_()
        objective = 0.0 * theta.sum()
        for j in np.flatnonzero(graph[i]):
            cosine = F.cosine_similarity(theta - initial.double(), rows[j].double() - initial.double(), dim=0)
            objective = objective + n[j] / n[i] * (1 - cosine)
        (gradient,) = torch.autograd.grad(objective, theta)
        targets.append((row - eta * gradient).float())
    return torch.stack(targets)


def test_three_rounds_of_ipfl_are_those_of_plain_pytorch():
    m = 5
    cost, gain = np.random.default_rng(0).uniform(0.5, 1.0, m), np.full(m, 1.5e4)
    with Trainer(PLAN, "ipfl", backend="rows", seed=3) as trainer:
        initial, rows = trainer.state.initial.clone(), trainer.state.rows.clone()
        targets: list[torch.Tensor | None] = [None] * m
        n = trainer.sizes.astype(float)
        mechanism, imports = market_mechanism("ipfl-exact"), 0
        for number in ROUNDS:
            trainer.train(number)
            market = Market(trainer.differences()[0], PLAN.lam)
            graph = mechanism.clear(Types(n, cost, gain).truthful(), market).imports
            trainer.aggregate(graph)
            started = rows
            rows = torch.stack(
                [plain_sgd(trainer, i, number, rows[i], PLAN.lam / PLAN.eta, targets[i]) for i in range(m)]
            )
            apart = updates_apart(rows, initial)
            np.testing.assert_array_equal(graph, best_imports(n, cost, gain, apart, PLAN.lam))
            np.testing.assert_allclose(market.differences, apart, atol=1e-5)
            found = pulled_targets(rows, initial, graph, n, PLAN.eta)
            agree(trainer.state.rows, rows, 1e-6)
            agree(trainer.state.slots["target"], found, 1e-5)
            targets, imports = list(found), imports + int(graph.sum())
        assert 0 < imports < len(ROUNDS) * m * (m - 1)
        unpulled = torch.stack([plain_sgd(trainer, i, 3, started[i]) for i in range(m)])
        assert float((unpulled - trainer.state.rows).abs().max()) > 1e-3


def test_three_rounds_of_fedavg_are_those_of_plain_pytorch():
    with Trainer(PLAN, "fedavg", backend="rows", seed=3) as trainer:
        common = trainer.state.rows[0].clone()
        for number in ROUNDS:
            trainer.train(number)
            trainer.aggregate(trainer.implied_imports())
            trained = torch.stack([plain_sgd(trainer, i, number, common) for i in range(5)])
            common = weighted_mean(trained, trainer.sizes)
            agree(trainer.state.rows, common.expand(5, -1), 1e-6)
