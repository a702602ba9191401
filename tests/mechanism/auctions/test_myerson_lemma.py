"""Myerson's lemma: a truthful rule pays v x(v) - ∫₀ᵛ x(t) dt, up to what does not depend on one's own report."""

import numpy as np
import pytest

from mechanism.catalogue import direct_mechanism
from tests.mechanism.auctions.audit import profiles

TRUTHFUL = [
    "second-price", "second-price-reserve", "vcg-positions", "myerson", "posted-price-single", "mcafee",
    "clarke-public-good", "moulin-shapley", "greedy-knapsack",
]  # fmt: skip
UNTRUTHFUL = ["first-price", "all-pay", "gsp", "k-double-auction", "proportional-share"]
STEPS = 4000


def _gap(name: str, rng: np.random.Generator) -> float:
    """Largest |U_i(1) - U_i(0) - ∫₀¹ x_i(t) dt| over 30 profiles and all agents, the integral by midpoints."""
    mechanism = direct_mechanism(name)
    worst = 0.0
    for base in profiles(mechanism, 30, rng):
        for agent in range(mechanism.space.agents):
            grid = np.concatenate([[0.0], (np.arange(STEPS) + 0.5) / STEPS, [1.0]])
            types = np.repeat(base[None], len(grid), axis=0)
            types[:, agent, 0] = grid
            outcome = mechanism.outcome(types)
            utility = mechanism.utility(types, outcome)[:, agent]
            area = mechanism.allocation(outcome)[1:-1, agent].mean()
            worst = max(worst, abs(utility[-1] - utility[0] - area))
    return worst


@pytest.mark.parametrize("name", TRUTHFUL)
def test_truthful_payments_are_the_area_above_the_allocation_curve(name):
    assert _gap(name, np.random.default_rng(1)) < 4 / STEPS


@pytest.mark.parametrize("name", UNTRUTHFUL)
def test_payments_of_an_untruthful_rule_are_something_else(name):
    assert _gap(name, np.random.default_rng(1)) > 0.01


@pytest.mark.parametrize("name", ["second-price-reserve", "myerson", "greedy-knapsack"])
def test_a_winner_pays_its_critical_value_found_by_bisection(name):
    mechanism = direct_mechanism(name, 4)
    types = profiles(mechanism, 400, np.random.default_rng(2))
    outcome = mechanism.outcome(types)
    for agent in range(4):
        low, high = np.zeros(400), types[:, agent, 0].copy()
        for _ in range(50):
            middle = (low + high) / 2
            reports = types.copy()
            reports[:, agent, 0] = middle
            wins = mechanism.allocation(mechanism.outcome(reports))[:, agent] > 0
            low, high = np.where(wins, low, middle), np.where(wins, middle, high)
        won = mechanism.allocation(outcome)[:, agent] > 0
        assert won.any()
        np.testing.assert_allclose(mechanism.payments(outcome)[won, agent], high[won], atol=1e-12)
