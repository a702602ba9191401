"""The VCG auction of two items and their bundle."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mechanism.auctions.units.vcg_combinatorial import VcgCombinatorial

TYPES = arrays(np.float64, (3, 4, 3), elements=st.floats(0, 1)).map(lambda t: t * [1, 1, 2])


def _best(types: np.ndarray) -> float:
    """Brute force for one profile: each item to an agent or to nobody."""
    agents = range(len(types))
    totals = [0.0]
    for a, b in itertools.product([None, *agents], repeat=2):
        if a is not None and a == b:
            totals.append(max(types[a]))
        else:
            totals.append((types[a][0] if a is not None else 0.0) + (types[b][1] if b is not None else 0.0))
    return max(totals)


def _row(auction, types):
    types = np.array([types], dtype=float)
    outcome = auction.outcome(types)
    return int(outcome.holder_a[0]), int(outcome.holder_b[0]), outcome.payment[0].round(12).tolist()


def test_a_bundle_bidder_against_two_single_bidders():
    """0.9 for the pair loses to 0.6 + 0.5; each winner pays what the pair would have added: 0.4 and 0.3."""
    types = [[0, 0, 0.9], [0.6, 0, 0], [0, 0.5, 0]]
    assert _row(VcgCombinatorial(3), types) == (1, 2, [0, 0.4, 0.3])


def test_revenue_can_vanish_with_complements():
    """Ausubel, Milgrom 2006: a pair worth 1 and two single bids of 1; both winners pay 0, outside the core."""
    assert _row(VcgCombinatorial(3), [[0, 0, 1], [1, 0, 0], [0, 1, 0]]) == (1, 2, [0, 0, 0])


def test_surplus_is_thrown_away_freely_and_ties_go_to_the_lowest_holders():
    assert _row(VcgCombinatorial(2), [[0.7, 0.2, 0.1], [0, 0, 0.6]]) == (0, 0, [0.6, 0])
    assert _row(VcgCombinatorial(3), [[0.5, 0.5, 1.0]] * 3)[:2] == (0, 0)


def test_a_false_name_pays():
    """Yokoo, Sakurai, Matsubara 2004: the pair is bid 1; 0.6 + 0.6 pays 1 as one name and 0.4 + 0.4 as two."""
    assert _row(VcgCombinatorial(2), [[0, 0, 1], [0.6, 0.6, 1.2]]) == (1, 1, [0, 1])
    assert _row(VcgCombinatorial(3), [[0, 0, 1], [0.6, 0, 0], [0, 0.6, 0]]) == (1, 2, [0, 0.4, 0.4])


@given(TYPES)
@settings(max_examples=50)
def test_allocation_and_pivot_payments_against_brute_force(types):
    auction = VcgCombinatorial(4)
    outcome = auction.outcome(types)
    worth = auction.utility(types, outcome) + outcome.payment
    for row, profile in enumerate(types):
        best = _best(profile)
        assert auction.optimal_welfare(types)[row] == pytest.approx(best, abs=1e-12)
        assert worth[row].sum() == pytest.approx(best, abs=1e-12)
        for i in range(4):
            pivot = _best(np.delete(profile, i, axis=0)) - (best - worth[row, i])
            assert outcome.payment[row, i] == pytest.approx(pivot, abs=1e-12)


def test_alone_everything_is_free():
    assert _row(VcgCombinatorial(1), [[0.3, 0.4, 0.9]]) == (0, 0, [0])
    assert VcgCombinatorial(1).optimal_welfare(np.array([[[0.3, 0.4, 0.9]]])).tolist() == [0.9]
