"""FACT: the loss that it leaves, who is paid, and that the middle is where to be."""

import numpy as np
import pytest

from mechanism.auctions.public.fact import Fact


def test_three_agents_by_hand():
    """Costs 1/4, 1, 9/4 (m = 2, 1, 2/3, M = 11/3): the middle gets what the other two are spared."""
    rule = Fact(3)
    types = np.array([[[0.25], [1.0], [2.25]]])
    outcome = rule.outcome(types)
    np.testing.assert_allclose(outcome.data, [[2, 1, 2 / 3]])
    spared = np.array([1 / 2, 1, 3 / 2]) - 3 / 11
    np.testing.assert_allclose(rule.payments(outcome), [[spared[0], spared[1] - spared[0] - spared[2], spared[2]]])
    np.testing.assert_allclose(rule.utility(types, outcome), [[0, spared[0] + spared[2], 0]], atol=1e-12)


def test_the_expected_prize_is_the_mean_over_random_groups():
    rng = np.random.default_rng(0)
    cost = rng.uniform(0.5, 1.5, (1, 7))
    rule = Fact(7)
    outcome = rule.outcome(cost[..., None])
    spared = 1 / outcome.data[0] - 1 / outcome.data.sum()
    for i in range(7):
        others = [j for j in range(7) if j != i]
        groups = [(a, b) for a in others for b in others if a < b]
        wins = np.mean([(cost[0, a] - cost[0, i]) * (cost[0, b] - cost[0, i]) < 0 for a, b in groups])
        prize = 3 * np.mean(spared[others]) * 6 / 7  # the others' mean saving counts as (n - 1)/n
        assert outcome.price[0, i] == pytest.approx(spared[i] - wins * prize)


@pytest.mark.parametrize("agents", [3, 4, 9])
def test_nobody_loses_at_truth_and_the_server_never_pays_in(agents):
    types = np.random.default_rng(1).uniform(0.5, 1.5, (500, agents, 1))
    rule = Fact(agents)
    outcome = rule.outcome(types)
    assert rule.utility(types, outcome).min() >= -1e-12
    assert rule.payments(outcome).sum(axis=1).min() >= -1e-12
    assert (rule.welfare(types, outcome) <= rule.optimal_welfare(types)).all()


def test_the_cheapest_gains_by_saying_the_middle():
    rule, types = Fact(3), np.array([[[0.6], [0.9], [1.2]]])
    lie = types.copy()
    lie[0, 0] = 1.0
    gained = rule.utility(types, rule.outcome(lie))[0, 0] - rule.utility(types, rule.outcome(types))[0, 0]
    whole = 1 + 1 / np.sqrt(0.9) + 1 / np.sqrt(1.2)
    prize = np.sqrt(0.9) + np.sqrt(1.2) - 2 / whole
    assert gained == pytest.approx(prize - (1 + 0.6 - 2 * np.sqrt(0.6)))
