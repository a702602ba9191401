"""Margins that are earned: nobody loses whatever was measured, and in expectation all is as cleared."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism import InvalidMechanismError, Market, Types, account, market_mechanism
from mechanism.market.rules.earned import MOST
from mechanism.market.settling import clear_and_settle
from proofs_checks.search.effective_markets import effective_markets
from proofs_checks.search.random_markets import KINDS

NAMES = ("ipfl-exact", "pooled-price", "clock-price")


def test_margins_are_scaled_as_far_as_the_gain_allows():
    """By hand: n = 1, K = 16, e = 3 of each: G of one is 2, of two 4 - 4/√7; costs 0.1, others' 1."""
    types = Types(np.array([1.0, 1.0, 1.0]), np.array([1.0, 0.1, 0.3]), np.array([16.0, 0.0, 0.0]))
    e = np.zeros((3, 3))
    e[0, 1:] = 3.0
    rule, market = market_mechanism("ipfl-exact-earned"), Market(effective=e)
    outcome = rule.clear(types.truthful(), market)
    second = 2.0 - 4.0 / np.sqrt(7.0)  # what the second of two brings: worth less than 2, more than either cost
    np.testing.assert_allclose(outcome.prices[0], [0.0, second, second])
    margins, spare = np.array([0.0, second - 0.1, second - 0.3]), 4.0 - 4.0 / np.sqrt(7.0) - 2.0 * second
    assert spare > 0.0
    share = min(1.0, spare / (MOST * margins.sum()))
    for s in (-1.0, 0.5, MOST):
        settled = rule.settle(outcome, types, np.array([s, 0.0, 0.0]))
        np.testing.assert_allclose(settled.prices[0], outcome.prices[0] + share * s * margins)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NAMES), st.sampled_from(list(KINDS)), st.integers(0, 10**6), st.integers(3, 6))
def test_nobody_loses_and_utilities_are_affine_in_what_was_measured(name, kind, seed, clients):
    rng = np.random.default_rng(seed)
    types, market = effective_markets(kind, rng, 8, clients)
    rule, plain = market_mechanism(f"{name}-earned"), market_mechanism(name).clear(types.truthful(), market)
    cleared = rule.clear(types.truthful(), market)
    np.testing.assert_array_equal(cleared.prices, plain.prices)
    np.testing.assert_array_equal(rule.settle(cleared, types).prices, plain.prices)
    low, high = np.full((8, clients), -1.0), np.full((8, clients), MOST)
    some = rng.uniform(-1.0, MOST, (8, clients))
    told = [account(types, rule.settle(cleared, types, s), market) for s in (low, some, high)]
    small = 1e-9 * max(1.0, float(np.abs(told[2].gain).max()))
    for books in told:
        assert books.utility.min() >= -small
        assert books.buyer.min() >= -small
        assert books.seller.min() >= -small
        np.testing.assert_allclose(books.paid.sum(-1), books.received.sum(-1), rtol=1e-12)
    expected = account(types, plain, market).utility  # s is -1 in four of five cases, and 4 in one: 0 in the mean
    np.testing.assert_allclose((MOST * told[0].utility + told[2].utility) / (MOST + 1.0), expected, atol=small)


def test_who_is_away_neither_pays_nor_earns_and_what_is_off_is_refused():
    types, market = effective_markets("paper", np.random.default_rng(1), 1, 5)
    rule, present = market_mechanism("clock-price-earned"), np.array([[True, True, True, True, False]])
    outcome = clear_and_settle(rule, types.truthful(), types, market, present, lambda imports: imports.any(-1) * 1.0)
    assert not outcome.imports[:, 4].any()
    assert not outcome.imports[..., 4].any()
    cleared = rule.clear(types.truthful(), market)
    for off in (-1.5, MOST + 1.0, np.nan):
        with pytest.raises(InvalidMechanismError, match="from -1 to 4"):
            rule.settle(cleared, types, np.full((1, 5), off))
    with pytest.raises(InvalidMechanismError, match="what clear returned"):
        rule.settle(market_mechanism("ipfl-exact").clear(types.truthful(), market), types)
