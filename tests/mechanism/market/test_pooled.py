"""Pooled prices: a price from outside the pool."""

import numpy as np
import pytest

from mechanism import InvalidMechanismError, Market, Types, account
from mechanism.market.rules.pooled_price import PooledPrice
from tests.mechanism import oracle
from tests.mechanism.market import draws


def by_hand(types, i, k):
    """(pool, price) of importer i from the definition."""
    others = sorted((j for j in range(types.clients) if j != i), key=lambda j: (types.cost[j], j))
    return (others[:k], types.cost[others[k]]) if len(others) > k else ([], 0.0)


@pytest.mark.parametrize(("m", "k"), [(2, None), (3, None), (5, None), (6, None), (6, 1), (6, 4), (6, 5)])
def test_every_buyer_gets_its_best_set_of_the_pool(m, k):
    types, market = draws.markets(m, 60, m)
    types = Types(types.size, np.round(types.cost, 1), types.gain)  # with ties among costs
    rule = PooledPrice(k)
    outcome = rule.clear(types.truthful(), market)
    books = account(types, outcome)
    for b in range(60):
        alone, _ = draws.single(types, market, b)
        for i in range(m):
            pool, price = by_hand(alone, i, rule.k(m))
            bought = np.flatnonzero(outcome.imports[b, i])
            assert set(bought) <= set(pool)
            assert (outcome.prices[b, i, bought] == price).all()
            top = oracle.best_value(alone.gain[i], alone.size[i], alone.size, np.full(m, price), pool)
            assert books.buyer[b, i] == pytest.approx(top, abs=1e-9)
    assert (books.seller >= 0).all()


def test_default_pool_is_half_of_the_others_and_at_least_one():
    assert [PooledPrice().k(m) for m in (2, 3, 4, 5, 6, 7, 10, 11)] == [1, 1, 1, 2, 2, 3, 4, 5]


def test_without_a_next_one_there_is_no_pool():
    types = Types([100, 300], [0, 0.1], [3600, 0])
    assert not PooledPrice().clear(types.truthful(), Market()).imports.any()
    three = Types([100, 300, 300], [0, 0.1, 2], [3600, 0, 0])
    assert PooledPrice(1).clear(three.truthful(), Market()).prices[0].tolist() == [0, 2, 0]
    assert not PooledPrice(2).clear(three.truthful(), Market()).imports.any()


def test_inside_the_pool_no_report_moves_price_or_choice():
    """And one's own gain moves neither, for any report."""
    types, market = draws.markets(5, 300, 6)
    rule = PooledPrice()
    offers = rule.offers(types.cost)
    outcome = rule.clear(types.truthful(), market)
    for j in range(6):
        for share in (0.0, 0.5, 0.99):
            # below the lowest price that it is offered, j stays in every pool in which it was
            inside = np.isfinite(offers[:, :, j])
            price = offers[:, :, j].min(axis=1)
            cost = types.cost.copy()
            cost[:, j] = np.where(inside.any(axis=1), share * np.where(inside.any(axis=1), price, 0), cost[:, j])
            lied = rule.clear(types.report(cost=cost), market)
            np.testing.assert_array_equal(lied.imports[inside], outcome.imports[inside])
            np.testing.assert_array_equal(lied.prices[inside], outcome.prices[inside])
        gain = types.gain.copy()
        gain[:, j] *= 0.3
        shy = rule.clear(types.report(gain=gain), market)
        others = np.arange(6) != j
        np.testing.assert_array_equal(shy.prices[:, others], outcome.prices[:, others])


def test_entering_the_pool_by_a_lie_pays_at_most_the_own_cost():
    types, _ = draws.markets(6, 400, 5)
    rule = PooledPrice()
    offers = rule.offers(types.cost)
    for j in range(5):
        cost = types.cost.copy()
        cost[:, j] = 0.0
        lied = rule.offers(cost)
        entered = np.isfinite(lied[:, :, j]) & ~np.isfinite(offers[:, :, j])
        entered[:, j] = False
        rows, importers = np.nonzero(entered)
        assert len(rows) > 50
        assert (lied[rows, importers, j] <= types.cost[rows, j]).all()


def test_who_stays_outside_sets_the_price():
    """group-dsic fails: the next one asks more, gets nothing either way, and the pool earns more."""
    types = Types([100, 300, 300], [0, 0.1, 1.0], [3600, 0, 0])
    honest = PooledPrice().clear(types.truthful(), Market())
    lied = PooledPrice().clear(types.report(cost=[0, 0.1, 2.5]), Market())
    gained = account(types, lied).utility - account(types, honest).utility
    assert gained[1:].tolist() == pytest.approx([1.5, 0.0])


def test_wrong_pools_are_told():
    for k in (0, -1, 1.5):
        with pytest.raises(InvalidMechanismError, match="pool"):
            PooledPrice(k)
