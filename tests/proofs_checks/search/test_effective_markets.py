"""Lies in markets on effective sizes: none pays where a rule is truthful, and the search finds those that pay."""

import numpy as np
import pytest

from mechanism.market.clients import Types
from mechanism.market.mechanisms import market_mechanism
from proofs_checks.search.effective_markets import effective_markets, largest_lie
from proofs_checks.search.lies import best_reports
from proofs_checks.search.random_markets import KINDS

EVERYTHING = ("cost", "gain", "size")


def drawn(kind, m, count=40):
    rng = np.random.default_rng(m)
    return rng, *effective_markets(kind, rng, count, m)


@pytest.mark.parametrize("m", [3, 5])
@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("name", ["pooled-price", "clock-price"])
def test_no_lie_pays_where_the_price_is_nobodys_to_move(name, kind, m):
    rng, types, market = drawn(kind, m)
    rule = market_mechanism(name)
    for told in (*((x,) for x in EVERYTHING), EVERYTHING):
        assert largest_lie(rule, types, market, told, rng, 8)[0] <= 1e-9


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_cost_lie_pays_under_exact_selection_and_no_size_of_a_seller_is_read(kind):
    rng, types, market = drawn(kind, 4)
    rule = market_mechanism("ipfl-exact")
    best = best_reports(rule, types, market)
    assert best.exact
    assert best.gain.max() <= 1e-9
    assert best.utility_truthful.min() >= -1e-9
    pure = Types(types.size, types.cost, np.where(np.arange(4) == 2, 0.0, types.gain))
    only = np.broadcast_to(np.arange(4) == 2, pure.size.shape)
    assert largest_lie(rule, pure, market, ("size",), rng, 12, only) == (0.0, 0.0)


def test_lies_that_pay_are_found():
    rng, types, market = drawn("small", 5)
    assert largest_lie(market_mechanism("ipfl-exact"), types, market, ("gain",), rng, 8)[0] > 0.1
    assert largest_lie(market_mechanism("ipfl"), types, market, ("cost",), rng, 8)[0] > 0.1
    assert largest_lie(market_mechanism("ipfl-exact"), types, market, ("size",), rng, 8)[0] > 0.1  # of buyers


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_four_patterns_hold_sellers_that_bring_nothing_and_ties(kind):
    _, types, market = drawn(kind, 6)
    share = market.effective / types.size[:, None, :]
    off = ~np.eye(6, dtype=bool)
    assert (share[0::4][:, off] == 1).all()
    assert (share[1::4][:, off] < 1.5).all()
    assert 0.3 < (share[2::4][:, off] == 0).mean() < 0.7
    assert set(np.unique(share[3::4][:, off].round(12))) <= {0, 0.25, 0.5, 1}
