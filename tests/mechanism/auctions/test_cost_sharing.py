"""A public good and a shared cost."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mechanism import InvalidMechanismError
from mechanism.auctions.public.clarke_public_good import clarke_public_good
from mechanism.auctions.public.moulin_shapley import moulin_shapley

VALUES = arrays(np.float64, (5, 4), elements=st.sampled_from(list(np.arange(9) / 8)))


def _served_and_price(mechanism, *values):
    outcome = mechanism.outcome(np.array(values, dtype=float).reshape(1, -1, 1))
    return outcome.allocation[0].tolist(), outcome.price[0].round(12).tolist()


def test_the_pivotal_agent_pays_what_the_others_lose():
    """Shares 0.5; net values 0.4, -0.3, -0.05. Built (0.05); without the first not (-0.35): it pays 0.35 more."""
    assert _served_and_price(clarke_public_good(3), 0.9, 0.2, 0.45) == ([1, 1, 1], [0.85, 0.5, 0.5])


def test_who_prevents_the_good_pays_too():
    """Net values 0.2, 0.1, -0.4: not built; the third prevents it and pays 0.3."""
    assert _served_and_price(clarke_public_good(3), 0.7, 0.6, 0.1) == ([0, 0, 0], [0, 0, 0.3])


def test_overstating_together_saves_the_tax():
    mechanism = clarke_public_good(3)
    types = np.array([[[0.9], [0.9], [0.0]]])
    lie = np.array([[[1.0], [1.0], [0.0]]])
    before, after = (mechanism.utility(types, mechanism.outcome(r))[0] for r in (types, lie))
    assert before.round(12).tolist() == [0.3, 0.3, -0.5]
    assert after.round(12).tolist() == [0.4, 0.4, -0.5]


@given(VALUES)
def test_the_tax_is_the_loss_of_the_others(values):
    """Clarke's pivot from scratch: the others' best total net value without i, less what they get."""
    mechanism = clarke_public_good(4)
    outcome = mechanism.outcome(values[..., None])
    taxes = mechanism.payments(outcome)
    for i in range(4):
        others = np.delete(values - 0.5, i, axis=1).sum(axis=1)
        np.testing.assert_allclose(taxes[:, i], np.maximum(others, 0) - others * outcome.allocation[:, i], atol=1e-12)


def test_a_tie_builds():
    assert _served_and_price(clarke_public_good(2), 0.75, 0.25)[0] == [1, 1]


def test_agents_leave_until_the_share_suits_all_that_stay():
    """Cost 1: a third suits all but 0.3; a half then suits all but 0.45; alone 0.9 does not carry it."""
    assert _served_and_price(moulin_shapley(3), 0.9, 0.5, 0.3) == ([1, 1, 0], [0.5, 0.5, 0])
    assert _served_and_price(moulin_shapley(3), 0.9, 0.45, 0.3) == ([0, 0, 0], [0, 0, 0])
    assert _served_and_price(moulin_shapley(3), 1.0, 0.45, 0.3) == ([1, 0, 0], [1, 0, 0])


@given(VALUES)
def test_moulin_serves_the_largest_set_that_accepts_its_share(values):
    """Moulin, Shenker 2001: the union of all acceptable sets, found by brute force."""
    outcome = moulin_shapley(4).outcome(values[..., None])
    for row, v in enumerate(values):
        accepted = [
            set(s) for k in range(1, 5) for s in itertools.combinations(range(4), k) if all(v[list(s)] >= 1 / k)
        ]
        assert {i for i in range(4) if outcome.allocation[row, i]} == set().union(*accepted)
        assert outcome.price[row].sum() == pytest.approx(1.0 if accepted else 0.0, abs=1e-12)
        assert outcome.cost[row] == (1.0 if accepted else 0.0)


@given(VALUES)
def test_the_best_project_by_brute_force_over_who_is_served(values):
    for mechanism in (moulin_shapley(4), clarke_public_good(4)):
        sets = [s for k in range(1, 5) for s in itertools.combinations(range(4), k)]
        best = np.max([np.zeros(5)] + [values[:, list(s)].sum(axis=1) - mechanism.cost for s in sets], axis=0)
        np.testing.assert_allclose(mechanism.optimal_welfare(values[..., None]), best, atol=1e-12)


def test_a_project_at_no_cost_serves_everybody_and_a_negative_cost_is_refused():
    assert _served_and_price(moulin_shapley(2, 0.0), 0.0, 0.4) == ([1, 1], [0, 0])
    with pytest.raises(InvalidMechanismError, match="cost"):
        moulin_shapley(2, -1.0)
