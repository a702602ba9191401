"""The kernels as plain Python and as machine code give one answer; batches give what single markets give."""

import numba
import numpy as np
import pytest

from mechanism import InvalidMarketError, Market, Types, UnknownNameError, account, market_mechanism
from mechanism.market.allocation import jit, kernels, selection
from tests.mechanism.market import draws
from tests.mechanism.test_exact import KINDS, random_markets

RULES = [
    (kernels.THRESHOLD, kernels.MARGINAL), (kernels.THRESHOLD_SKIP, kernels.MARGINAL),
    (kernels.EXACT, kernels.CLARKE), (kernels.EXACT, kernels.MARGINAL), (kernels.FULL, kernels.NOTHING),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("allocation", "payment"), RULES)
def test_plain_and_compiled_agree(kind, allocation, payment):
    types, market = random_markets(kind, np.random.default_rng(7), 5, 6)
    plain, fast = (
        selection.run_kernels(types.truthful(), market, allocation=allocation, payment=payment, mode=mode)
        for mode in ("plain", "compiled")
    )
    np.testing.assert_array_equal(plain.imports, fast.imports)
    np.testing.assert_allclose(plain.prices, fast.prices, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("m", [60, 130])
def test_long_and_short_sorts_agree(m):
    """Above 48 candidates the library sorts, below it the kernel does: sub-markets of one market tell them apart."""
    rng = np.random.default_rng(m)
    size, key = rng.integers(1, 6, m).astype(float), rng.integers(0, 4, m).astype(float)
    order = np.empty(m, dtype=np.int64)
    kernels.order_by(key, size, order, m)
    assert order.tolist() == sorted(range(m), key=lambda a: (key[a], -size[a], a))
    kernels.order_by(key, size, order, 40)
    assert order[:40].tolist() == sorted(range(40), key=lambda a: (key[a], -size[a], a))


@pytest.mark.parametrize("name", ["ipfl", "ipfl-exact", "exact-marginal", "no-payment"])
def test_a_batch_is_its_markets_one_by_one(name):
    types, market = random_markets("wide", np.random.default_rng(1), 6, 5)
    mechanism = market_mechanism(name)
    whole = mechanism.clear(types.truthful(), market)
    for b in range(6):
        one = mechanism.clear(
            Types(types.size[b], types.cost[b], types.gain[b]).truthful(), Market(market.differences[b], market.lam)
        )
        np.testing.assert_array_equal(one.imports, whole.imports[b])
        np.testing.assert_allclose(one.prices, whole.prices[b], rtol=1e-13, atol=1e-13)


def test_axes_of_reports_and_differences_broadcast():
    types, market = random_markets("wide", np.random.default_rng(2), 4, 5)
    many = types.truthful().replace(cost=np.broadcast_to(types.cost, (3, 4, 5)))
    outcome = market_mechanism("ipfl").clear(many, market)
    assert outcome.imports.shape == (3, 4, 5, 5)
    np.testing.assert_array_equal(outcome.imports[2], market_mechanism("ipfl").clear(types.truthful(), market).imports)
    assert account(types, outcome).utility.shape == (3, 4, 5)


def test_many_threads_change_nothing():
    types, market = random_markets("wide", np.random.default_rng(3), 3000, 10)
    assert 100 * selection.PLAIN_WORK < 3000 * 100
    whole = market_mechanism("ipfl-exact").clear(types.truthful(), market)
    few, public = draws.single(types, market, slice(500))
    half = market_mechanism("ipfl-exact").clear(few.truthful(), public)
    np.testing.assert_array_equal(whole.prices[:500], half.prices)


@pytest.mark.parametrize("name", ["ipfl", "ipfl-exact", "exact-marginal", "no-payment"])
@pytest.mark.parametrize("lam", [0.0, 1.0])
def test_corners(name, lam):
    """One client, nobody who wants, everything free: no trade by accident, nothing that is not finite."""
    mechanism = market_mechanism(name)
    alone = mechanism.clear(Types([5], [1], [100]).truthful(), Market(np.zeros((1, 1)), lam))
    assert alone.imports.shape == (1, 1)
    assert not alone.imports.any()
    for cost in (0.0, 2.0):
        types = Types(np.full(4, 10.0), np.full(4, cost), np.zeros(4))
        outcome = mechanism.clear(types.truthful(), Market(1 - np.eye(4), lam))
        assert np.isfinite(outcome.prices).all()
        if cost and name != "no-payment":
            assert not outcome.imports.any()
    extreme = Types([1e-9, 1e15, 1.0], [0.0, 1e15, 1e-300], [1e15, 1e-300, 1e15])
    outcome = mechanism.clear(extreme.truthful(), Market(1 - np.eye(3), lam))
    assert np.isfinite(outcome.prices).all()
    assert np.isfinite(account(extreme, outcome).utility).all()


def test_a_batch_of_none_is_cleared():
    types = Types(np.ones((0, 3)), np.ones((0, 3)), np.ones((0, 3)))
    assert market_mechanism("ipfl-exact").clear(types.truthful(), Market()).imports.shape == (0, 3, 3)


def test_what_does_not_fit_is_refused():
    types = Types([1, 2], [0, 0], [1, 1])
    with pytest.raises(InvalidMarketError, match="3 clients"):
        market_mechanism("ipfl").clear(types.truthful(), Market(np.zeros((3, 3)), 1.0))
    with pytest.raises(UnknownNameError, match="ipfl-exact"):
        market_mechanism("vickrey")
    batch = Types(np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2)))
    with pytest.raises(InvalidMarketError, match="broadcast"):
        market_mechanism("ipfl").clear(batch.truthful(), Market(np.zeros((3, 2, 2)), 1.0))


def test_a_read_only_installation_compiles_without_a_cache(monkeypatch):
    """Numba raises at decoration when neither the package nor the home can be written."""
    real, calls = numba.njit, []

    def njit(**options):
        calls.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(numba, "njit", njit)
    doubled = jit.jit(lambda x: 2 * x)
    assert doubled(3) == 6
    assert [c.get("cache", False) for c in calls] == [True, False]
