"""Several equal units: uniform and discriminatory prices."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mechanism import InvalidMechanismError
from mechanism.auctions.units.discriminatory import discriminatory
from mechanism.auctions.units.uniform_price import uniform_price

TYPES = arrays(np.float64, (4, 3, 2), elements=st.sampled_from(list(np.arange(11) / 10)))


def _answer(auction, *types):
    deal = auction.outcome(np.array([types], dtype=float))
    return deal.allocation[0].tolist(), deal.payment[0].round(12).tolist()


def test_four_units_and_two_prices():
    """Marginal bids 0.9 0.6 | 0.8 0.7 | 0.5 0.1: three units go to 0.9, 0.8, 0.7, the highest losing bid is 0.6."""
    types = ([0.9, 0.6], [0.8, 0.7], [0.5, 0.1])
    assert _answer(uniform_price(3, 3), *types) == ([1, 2, 0], [0.6, 1.2, 0])
    assert _answer(discriminatory(3, 3), *types) == ([1, 2, 0], [0.9, 1.5, 0])


def test_the_order_of_the_two_numbers_does_not_matter():
    for make in (uniform_price, discriminatory):
        assert _answer(make(2), [0.9, 0.6], [0.1, 0.8]) == _answer(make(2), [0.6, 0.9], [0.8, 0.1])


def test_ties_go_to_the_lowest_agent_and_its_first_unit():
    assert _answer(uniform_price(3), [0.5, 0.5], [0.5, 0.5], [0.9, 0.5]) == ([1, 0, 1], [0.5, 0, 0.5])


def test_demand_reduction_pays():
    """Worths 0.9, 0.6 against 0.8, 0.1: the truth wins one unit at its own 0.6; hiding the second wins it at 0.1."""
    auction = uniform_price(2)
    types = np.array([[[0.9, 0.6], [0.8, 0.1]]])
    lie = np.array([[[0.9, 0.0], [0.8, 0.1]]])
    assert auction.utility(types, auction.outcome(types))[0, 0] == pytest.approx(0.3)
    assert auction.utility(types, auction.outcome(lie))[0, 0] == pytest.approx(0.8)


def test_units_for_everyone_cost_nothing():
    assert _answer(uniform_price(2, 4), [0.9, 0.6], [0.8, 0.1]) == ([2, 2], [0, 0])
    assert _answer(uniform_price(1, 5), [0.9, 0.6]) == ([2], [0])


@given(TYPES)
def test_the_units_go_where_they_are_worth_most(types):
    """Brute force over all ways to hand out at most two units each."""
    auction = uniform_price(3, 3)
    marginal = -np.sort(-types, axis=-1)
    worth = np.concatenate([np.zeros((4, 3, 1)), np.cumsum(marginal, axis=-1)], axis=-1)
    ways = [w for w in itertools.product(range(3), repeat=3) if sum(w) <= 3]
    best = np.max([sum(worth[:, i, w[i]] for i in range(3)) for w in ways], axis=0)
    np.testing.assert_allclose(auction.optimal_welfare(types), best, atol=1e-12)
    np.testing.assert_allclose(auction.welfare(types, auction.outcome(types)), best, atol=1e-12)


@given(TYPES)
def test_a_discriminatory_auction_charges_exactly_what_was_bid_for_what_was_won(types):
    auction = discriminatory(3)
    outcome = auction.outcome(types)
    np.testing.assert_allclose(auction.utility(types, outcome), 0, atol=1e-12)
    np.testing.assert_array_equal(outcome.allocation, uniform_price(3).outcome(types).allocation)


def test_an_auction_of_nothing_is_refused():
    with pytest.raises(InvalidMechanismError, match="0 units"):
        uniform_price(2, 0)
