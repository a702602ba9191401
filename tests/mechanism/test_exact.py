"""Exact selection and critical-value prices against brute force over all subsets."""

import numpy as np
import pytest

from mechanism import Market, PowerGain, TableGain, Types, market_mechanism, optimal_objective
from mechanism.market.accounting import values
from mechanism.market.rules.rule import MarketMechanism
from tests.mechanism import oracle

KINDS = ["paper", "paper_shared", "wide", "equal", "ties", "proportional", "zeros", "free"]


def random_markets(kind, rng, count, m):
    size = rng.integers(100, 10_000, (count, m)).astype(float)
    cost = np.ones((count, m))
    gain = np.full((count, m), 5e5)
    lam = float(rng.choice([0.001, 0.1, 1.0, 2.0]))
    difference = rng.uniform(0, 1.5, (count, m, m))
    if kind == "paper_shared":
        size[:] = size[:, :1]
    elif kind in ("wide", "zeros", "free"):
        cost = rng.uniform(0, 3, (count, m))
        gain = 10 ** rng.uniform(4.5, 7.5, (count, m))
    elif kind in ("equal", "ties"):
        size[:] = 1000.0
        cost = rng.integers(1, 4, (count, m)) / 4.0
        if kind == "ties":
            lam = 0.0
            cost[:] = 0.5
    elif kind == "proportional":
        lam = 0.0
        cost = size * 2e-4
        gain[:] = 10 ** rng.uniform(5.5, 7, (count, 1))
    if kind == "zeros":
        cost *= rng.random((count, m)) < 0.5
        gain *= rng.random((count, m)) < 0.5
    if kind == "free":
        cost[:] = 0.0
        lam = 0.0
    difference[:, np.arange(m), np.arange(m)] = 0
    return Types(size, cost, gain), Market(difference, lam)


@pytest.mark.parametrize("m", [2, 4, 7, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_selection_equals_brute_force(kind, m):
    """8 kinds × 4 sizes × 80 markets = 2,560 markets, every importer of each."""
    types, market = random_markets(kind, np.random.default_rng([KINDS.index(kind), m]), 80, m)
    outcome = market_mechanism("ipfl-exact").clear(types.truthful(), market)
    assert (outcome.gap == 0).all()
    ours = values(types, outcome.imports, market)
    burden = types.cost[:, None, :] + market.penalties(types.size)
    for i in range(m):
        others = np.arange(m) != i
        size = types.size
        best = oracle.best_values_fast(types.gain[:, i], size[:, i], size[:, others], burden[:, i][:, others])
        np.testing.assert_allclose(ours[:, i], best, atol=1e-9 * max(1.0, np.abs(best).max()))


@pytest.mark.parametrize("kind", KINDS)
def test_prices_are_critical_values(kind):
    """p_ij = c_j + W(all) - W(all without j), brute force on both terms."""
    types, market = random_markets(kind, np.random.default_rng(KINDS.index(kind)), 12, 5)
    outcome = market_mechanism("ipfl-exact").clear(types.truthful(), market)
    burden = types.cost[:, None, :] + market.penalties(types.size)
    for b, i, j in np.argwhere(outcome.imports):
        others = [a for a in range(5) if a != i]
        price = oracle.clarke_price(
            types.gain[b, i], types.size[b, i], types.size[b, others], burden[b, i, others], types.cost[b, others],
            others.index(j),
        )  # fmt: skip
        assert outcome.prices[b, i, j] == pytest.approx(price, abs=1e-9 * max(1.0, abs(price)))
    assert (outcome.prices[~outcome.imports] == 0).all()


@pytest.mark.parametrize("law", [PowerGain(0.3), TableGain((100, 2000, 9000, 30000), (0.0, 3.0, 4.0, 4.2))])
def test_any_concave_law(law):
    rng = np.random.default_rng(5)
    types = Types(rng.uniform(100, 9000, (40, 6)), rng.uniform(0, 0.5, (40, 6)), rng.uniform(1, 5, (40, 6)))
    market = Market(None, 0.0, law)
    outcome = market_mechanism("ipfl-exact").clear(types.truthful(), market)
    ours = values(types, outcome.imports, market)
    rows = oracle.subsets_matrix(5)
    for i in range(6):
        others = np.arange(6) != i
        total = types.size[:, i, None] + types.size[:, others] @ rows.T
        best = law.value(types.gain[:, i, None], types.size[:, i, None], total) - types.cost[:, others] @ rows.T
        np.testing.assert_allclose(ours[:, i], best.max(axis=1), atol=1e-9)


def test_of_equal_sellers_the_first_is_taken():
    types = Types(size=[100, 300, 300, 300], cost=[0, 1, 1, 1], gain=[3600, 0, 0, 0])
    for name in ("ipfl", "ipfl-exact", "exact-marginal"):
        imports = market_mechanism(name).clear(types.truthful(), Market()).imports[0]
        assert imports.tolist() == [False, True, False, False]


def test_what_adds_nothing_is_not_bought():
    types = Types(size=[100, 300], cost=[0, 3], gain=[3600, 0])  # worth exactly its price
    assert not market_mechanism("ipfl-exact").clear(types.truthful(), Market()).imports.any(axis=1)[0]


def test_a_search_that_is_stopped_tells_a_gap_that_holds():
    rng = np.random.default_rng(3)
    size = rng.integers(500, 10_000, (5, 40)).astype(float)
    types = Types(size, size * 2.7e-5, np.full((5, 40), 5e5))  # price proportional to size: a subset sum
    best, gap = optimal_objective(types.truthful(), Market())
    short = MarketMechanism("short", "exact", "clarke", node_limit=60).clear(types.truthful(), Market())
    values_short = values(types, short.imports, Market())
    longer = MarketMechanism("longer", "exact", "none", node_limit=200_000).clear(types.truthful(), Market())
    assert (short.gap > 0).any()
    assert (values(types, longer.imports, Market()) <= values_short + short.gap + 1e-12).all()
    assert (values(types, longer.imports, Market()) >= values_short - 1e-12).all()
    assert (gap >= 0).all()
    assert np.isfinite(best).all()


@pytest.mark.parametrize("digits", [3, 9, 15])
def test_exact_also_where_sizes_differ_by_many_digits(digits):
    """One seller of a huge size beside small ones, worth nearly the same: plain differences of totals would cancel."""
    rng = np.random.default_rng(digits)
    for _ in range(60):
        size = rng.uniform(1, 20, 6)
        huge = int(rng.integers(1, 6))
        size[huge] = 10.0**digits
        small = [j for j in range(1, 6) if j != huge]
        gain = np.array([10 ** rng.uniform(2, 5), 0, 0, 0, 0, 0])
        cost = np.zeros(6)
        if rng.random() < 0.5:  # the small ones free: taken beside the huge one, each priced by what it is without it
            cost[huge] = rng.uniform(0.01, 0.1)
        else:  # the huge one nearly as good as the best of the small ones
            alone = np.sqrt(gain[0] / size[0]) - np.sqrt(gain[0] / (size[0] + size[small]))
            cost[small] = alone * rng.uniform(0.2, 0.9, 4)
            cost[huge] = np.sqrt(gain[0] / size[0]) - np.sqrt(gain[0] / (size[0] + size[huge]))
            best = oracle.best_value(gain[0], size[0], size[small], cost[small])
            cost[huge] -= best * (1 - 10 ** rng.uniform(-7, -2))
        types = Types(size, cost, gain)
        for name in ("ipfl-exact", "exact-marginal"):
            outcome = market_mechanism(name).clear(types.truthful(), Market())
            best = oracle.best_value(gain[0], size[0], size[1:], cost[1:])
            assert values(types, outcome.imports, Market())[0] == pytest.approx(best, abs=1e-12 * max(1, best), rel=0)
            for j in np.flatnonzero(outcome.imports[0]):
                chosen = set(np.flatnonzero(outcome.imports[0]) - 1)
                if name == "ipfl-exact":
                    price = oracle.clarke_price(gain[0], size[0], size[1:], cost[1:], cost[1:], j - 1)
                else:
                    kept = (chosen, chosen - {j - 1})
                    whole, less = (oracle.value(gain[0], size[0], size[1:], np.zeros(5), s) for s in kept)
                    price = whole - less
                assert outcome.prices[0, j] == pytest.approx(price, abs=1e-11 * max(1, price), rel=0)
