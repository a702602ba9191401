"""The greedy knapsack auction."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mechanism import InvalidMechanismError
from mechanism.auctions.units.greedy_knapsack import GreedyKnapsack

VALUES = arrays(np.float64, (4, 4), elements=st.sampled_from(list(np.arange(13) / 12)))
SIZES = arrays(np.float64, (4, 4), elements=st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5, 0.6, 0.7, 1.0]))


def _greedy(value, size, capacity=1.0):
    """The rule in plain Python, for one profile: the set of accepted items."""
    taken, room = set(), capacity
    for i in sorted(range(len(value)), key=lambda i: (-value[i] / size[i], i)):
        if size[i] <= room + 1e-9:
            taken.add(i)
            room -= size[i]
    return taken


@given(VALUES, SIZES)
def test_the_accepted_items_are_those_of_the_rule_in_plain_python(value, size):
    deal = GreedyKnapsack(4).outcome(np.stack([value, size], axis=-1))
    for row in range(4):
        assert {i for i in range(4) if deal.allocation[row, i]} == _greedy(value[row], size[row])


@given(VALUES, SIZES)
def test_just_above_the_price_wins_and_just_below_loses(value, size):
    """The critical value, checked with the plain rule: the price is the lowest value that is accepted."""
    deal = GreedyKnapsack(4).outcome(np.stack([value, size], axis=-1))
    for row, i in np.argwhere(deal.allocation > 0):
        price = deal.payment[row, i]
        assert price <= value[row, i] + 1e-12
        for other, wins in ((price + 1e-9, True), (price - 1e-9, False)):
            if other >= 0:
                said = value[row].copy()
                said[i] = other
                assert (i in _greedy(said, size[row])) == wins


@given(VALUES, SIZES)
def test_the_optimum_is_the_best_set_that_fits(value, size):
    types = np.stack([value, size], axis=-1)
    sets = [s for k in range(5) for s in itertools.combinations(range(4), k)]
    for row in range(4):
        best = max(value[row, list(s)].sum() for s in sets if size[row, list(s)].sum() <= 1 + 1e-9)
        assert GreedyKnapsack(4).optimal_welfare(types)[row] == pytest.approx(best, abs=1e-12)


def test_a_small_dense_item_may_shut_out_a_large_one():
    """Value 0.2 in a tenth of the room beats value 1 in all of it: nine tenths of the value are lost."""
    auction = GreedyKnapsack(2)
    types = np.array([[[0.2, 0.1], [1.0, 1.0]]])
    outcome = auction.outcome(types)
    assert outcome.allocation.tolist() == [[1, 0]]
    assert outcome.payment.round(12).tolist() == [[0.1, 0]]
    assert auction.welfare(types, outcome).tolist() == [0.2]
    assert auction.optimal_welfare(types).tolist() == [1.0]


def test_sizes_are_public_and_a_knapsack_needs_room():
    assert GreedyKnapsack(3).space.private[0].tolist() == [True, False]
    with pytest.raises(InvalidMechanismError, match="capacity"):
        GreedyKnapsack(3, 0.0)


def test_an_item_larger_than_the_knapsack_is_never_accepted():
    assert GreedyKnapsack(2, 0.5).outcome(np.array([[[1.0, 0.6], [0.1, 0.2]]])).allocation.tolist() == [[0, 1]]
