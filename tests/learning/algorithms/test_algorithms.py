"""The methods' server steps and local specifications against their definitions."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.algorithms import ALGORITHMS, Uploads
from learning.differences import combine, geometry
from learning.errors import LearningError
from learning.plan import LearningPlan
from tests.learning.algorithms.rendering import PLAN as PLAIN
from tests.learning.algorithms.rendering import SIZES, models, same_in_a_pool, same_when_resumed

PLAN = LearningPlan(lam=2.0, eta=5.0)


def step(name, imports, rows, initial, plan=PLAN):
    found = geometry(rows, initial)
    memory = np.zeros_like(found.cosines)
    return ALGORITHMS[name].aggregate(Uploads(plan, imports, SIZES, found.cosines, found.norms, memory))


@pytest.mark.parametrize("seed", range(5))
def test_target_is_one_gradient_step_on_the_similarity_objective(seed):
    """Paper, model step: target_i = θ_i − η ∇ [ −Σ_j a_ij (n_j/n_i) cos(θ_i − θ_0, θ_j − θ_0) ], by autograd."""
    rows, initial = models(seed)
    imports = np.random.default_rng(seed).random((5, 5)) < 0.5
    aggregation = step("ipfl", imports, rows, initial)
    found = combine(aggregation.matrix, rows, initial)
    assert aggregation.into == "target"
    for i in range(5):
        theta = rows[i].double().requires_grad_()
        objective = torch.zeros((), dtype=torch.float64)
        for j in range(5):
            if imports[i, j] and i != j:
                cosine = torch.nn.functional.cosine_similarity(theta - initial, rows[j].double() - initial, dim=0)
                objective = objective - SIZES[j] / SIZES[i] * cosine
        gradient = torch.autograd.grad(objective, theta, allow_unused=True)[0] if objective.requires_grad else 0.0
        expected = theta.detach() - PLAN.eta * gradient
        scale = max(1.0, float(expected.abs().max()))
        assert float((found[i].double() - expected).abs().max()) <= 1e-6 * scale


def test_target_of_a_client_that_imports_nothing_is_its_own_model():
    rows, initial = models()
    aggregation = step("ipfl", np.eye(5, dtype=bool), rows, initial)
    np.testing.assert_array_equal(aggregation.matrix, np.eye(5))


def test_clients_without_a_direction_neither_pull_nor_are_pulled():
    rows, initial = models()
    rows[1] = initial
    matrix = step("ipfl", np.ones((5, 5), dtype=bool), rows, initial).matrix
    assert np.isfinite(matrix).all()
    np.testing.assert_array_equal(matrix[1], np.eye(5)[1])
    np.testing.assert_array_equal(np.delete(matrix[:, 1], 1), 0.0)


def test_ipfl_pulls_with_lam_over_eta_and_not_before_there_are_targets():
    spec = ALGORITHMS["ipfl"].local_spec
    assert (spec(PLAN, True).pull, spec(PLAN, True).steps) == (0.0, PLAN.steps)
    assert (spec(PLAN, False).pull, spec(PLAN, False).target) == (0.4, "target")
    assert ALGORITHMS["ipfl"].implied(5) is None


def test_a_pull_under_which_momentum_diverges_is_refused_exactly_from_the_limit_on():
    """Heavy ball on k/2 θ²: stable if and only if lr k < 2 (1 + momentum)."""

    def final(k: float, plan: LearningPlan) -> float:
        theta, v = 1.0, 0.0
        for _ in range(3000):
            v = plan.momentum * v + k * theta
            theta -= plan.lr * v
        return abs(theta)

    inside = replace(PLAN, lr=0.01, eta=1.0, lam=379.0, weight_decay=0.0)
    assert final(ALGORITHMS["ipfl"].local_spec(inside, False).pull, inside) < 1
    outside = replace(inside, lam=381.0)
    assert final(381.0, outside) > 1e6
    with pytest.raises(LearningError, match="SGD diverges"):
        ALGORITHMS["ipfl"].local_spec(outside, False)


def test_fedavg_is_the_average_weighted_by_samples_for_everybody():
    rows, initial = models()
    aggregation = step("fedavg", ALGORITHMS["fedavg"].implied(5), rows, initial)
    found = combine(aggregation.matrix, rows, initial)
    expected = (torch.from_numpy(SIZES)[:, None] * rows.double()).sum(0) / SIZES.sum()
    assert aggregation.into == ""
    assert torch.allclose(found.double(), expected.expand(5, -1), atol=1e-6)
    assert (found == found[0]).all()
    np.testing.assert_array_equal(ALGORITHMS["fedavg"].implied(3), ~np.eye(3, dtype=bool))


def test_local_imports_nothing_and_changes_nothing():
    rows, initial = models()
    assert step("local", np.zeros((5, 5), dtype=bool), rows, initial) is None
    assert not ALGORITHMS["local"].implied(4).any()


@pytest.mark.parametrize("name", ["fedavg", "ipfl", "fedamp", "cfl", "pfedgraph"])
def test_relabelling_clients_relabels_the_server_step(name):
    rows, initial = models()
    imports = np.random.default_rng(1).random((5, 5)) < 0.6
    order = np.array([2, 4, 0, 1, 3])
    found = geometry(rows, initial)
    at = np.ix_(order, order)
    aggregate = ALGORITHMS[name].aggregate
    memory = np.zeros((5, 5))
    one = aggregate(Uploads(PLAN, imports, SIZES, found.cosines, found.norms, memory)).matrix
    two = aggregate(Uploads(PLAN, imports[at], SIZES[order], found.cosines[at], found.norms[order], memory)).matrix
    np.testing.assert_allclose(two, one[at], rtol=1e-12)


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_every_method_says_what_it_is(name):
    algorithm = ALGORITHMS[name]
    assert algorithm.name == name
    assert algorithm.citation
    assert algorithm.summary
    assert algorithm.deploys in ("trained", "aggregated")


LONG = {
    "cfl": replace(PLAIN, lr=0.05, steps=40, split_beta=0.1, split="niid"),  # clients pull a cluster apart
    "fedfomo": replace(PLAIN, clients=9, split_beta=1.0),  # more than are downloaded, alike enough to be of use
}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_pool_is_bitwise_the_plain_loop(name):
    same_in_a_pool(name, LONG.get(name, PLAIN))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_stopped_run_goes_on_bitwise(name, tmp_path):
    same_when_resumed(name, tmp_path, LONG.get(name, PLAIN))
