"""Clearing without looking at everyone against the dense kernels, which look at everyone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism import Market, PowerGain, SqrtGain, TableGain, Types, market_mechanism
from mechanism.market.accounting import values
from mechanism.market.large import table
from mechanism.market.large.clearing import LargeClearing, clear_large
from mechanism.market.large.sparse import LargeMarket, SparseMatrix

KINDS = ("uniform", "equal", "proportional", "giant", "digits", "ties", "free", "steps")
PUBLIC = ("nothing", "vectors", "pairs", "effective", "all")
LAWS = (SqrtGain(), PowerGain(0.3), TableGain((50, 2_000, 9_000, 30_000), (0.0, 3e-5, 4e-5, 4.2e-5)))


def clients(kind: str, m: int, rng: np.random.Generator) -> Types:
    """Markets that are hard for one bound or another; amounts in the range of the paper's."""
    size, cost, gain = rng.uniform(500, 10_000, m), rng.uniform(0.05, 0.3, m), np.full(m, 5e5)
    if kind == "equal":
        size[:], cost[:] = 3_000.0, 0.1
    elif kind == "proportional":
        size = np.round(size)
        cost = size * 2e-5
    elif kind == "giant":
        size[rng.integers(m)], cost[rng.integers(m)] = 1e9, 0.0
    elif kind == "digits":
        gain = 10 ** rng.uniform(0.0, 10.0, m)
    elif kind == "ties":
        size, cost = rng.integers(1, 4, m) * 1_000.0, rng.integers(1, 3, m) / 10.0
    elif kind == "free":
        cost *= rng.random(m) < 0.5
        gain *= rng.random(m) < 0.7
    elif kind == "steps":
        size, cost = np.full(m, 4_000.0), 0.05 + 0.002 * rng.permutation(m)
    return Types(size, cost, gain)


def listed(m: int, rng: np.random.Generator, top: float, rest: float = 0.0) -> SparseMatrix:
    i, j = np.nonzero((rng.random((m, m)) < 0.4) & ~np.eye(m, dtype=bool))
    return SparseMatrix.of_pairs(m, i, j, rng.uniform(0, top, len(i)), rest)


def public(kind: str, m: int, lam: float, law: object, rng: np.random.Generator) -> LargeMarket:
    told = {}
    if kind in ("vectors", "all"):
        centres = rng.normal(size=(3, 4))
        told["vectors"] = centres[rng.integers(3, size=m)] + rng.choice([0.0, 0.1, 3.0]) * rng.normal(size=(m, 4))
    if kind == "pairs":
        told["pairs"] = listed(m, rng, 0.5, rng.choice([0.0, 1.0]))
    if kind in ("effective", "all"):
        told["effective"] = listed(m, rng, 9_000.0)
    return LargeMarket(lam, law, **told)


def the_same(types: Types, market: LargeMarket, rule: str, *, sets: bool, mode: str) -> None:
    """Compare with the dense kernels: the objective, the prices, and where sets must agree those as well."""
    m = types.clients
    dense_market = market.dense(m)
    dense = market_mechanism(rule).clear(types.truthful(), dense_market)
    found = LargeClearing(types.truthful(), market, market_mechanism(rule), mode=mode).block(0, m)
    large = found.dense()
    # each search may leave `SEARCH` of the gain on the table
    scale = np.maximum(1.0, 3.0 * np.abs(market.law.value(types.gain, types.size, 1e300)))[:, None]
    unsure = (large.gap + dense.gap)[:, None]  # told by either: a search by another way, within its nodes
    assert (unsure <= 0.1).all()
    worth = [values(types, outcome.imports, dense_market)[:, None] for outcome in (large, dense)]
    assert (np.abs(worth[0] - worth[1]) <= 2e-12 * scale + unsure).all()
    if sets:
        np.testing.assert_array_equal(large.imports, dense.imports)
    both = large.imports & dense.imports
    apart = 4e-12 * scale + unsure + np.zeros((m, m))
    assert (np.abs(large.prices - dense.prices) <= apart)[both].all()
    if rule == "ipfl-exact":  # of equally good sets, who is in one only is worth nothing more than it costs
        for one in (large, dense):
            assert (np.abs(one.prices - types.cost) <= apart)[one.imports & ~both].all()


@pytest.mark.parametrize("rule", ["ipfl-exact", "ipfl", "exact-marginal"])
@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(KINDS), told=st.sampled_from(PUBLIC), m=st.integers(2, 13),
    lam=st.sampled_from([0.0, 1e-3, 0.1, 2.0]), law=st.sampled_from(LAWS), seed=st.integers(0, 2**20),
)  # fmt: skip
def test_small_markets_are_cleared_as_by_matrices(rule, kind, told, m, lam, law, seed):
    rng = np.random.default_rng(seed)
    types, market = clients(kind, m, rng), public(told, m, lam, law, rng)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "DEPTHS", (1, 3))
        the_same(types, market, rule, sets=kind in ("uniform", "digits"), mode="plain")


@pytest.mark.parametrize("rule", ["ipfl-exact", "ipfl"])
@pytest.mark.parametrize("told", PUBLIC)
@pytest.mark.parametrize("kind", KINDS)
def test_markets_of_hundreds_are_cleared_as_by_matrices(kind, told, rule):
    """Sub-markets of which the shorter streams hold a part, with machine code."""
    rng = np.random.default_rng([KINDS.index(kind), PUBLIC.index(told)])
    m = 60 if kind == "proportional" else 120  # the matrices' search is slow where all models cost as much per sample
    types = clients(kind, m, rng)
    market = public(told, m, 0.02, SqrtGain(), rng)
    the_same(types, market, rule, sets=kind in ("uniform", "steps") and told != "all", mode="compiled")


def test_blocks_and_threads_change_no_bit():
    types = clients("uniform", 5_000, np.random.default_rng(0))
    clearing = LargeClearing(types.truthful(), LargeMarket(), market_mechanism("ipfl-exact"))
    whole = clearing.block(0, 300)
    parts = [clearing.block(a, a + 60) for a in range(0, 300, 60)]
    np.testing.assert_array_equal(whole.prices, np.concatenate([part.prices for part in parts]))
    np.testing.assert_array_equal(whole.sellers, np.concatenate([part.sellers for part in parts]))


def test_a_sample_of_a_large_market_agrees_with_the_dense_kernel_to_the_last_bit():
    types = clients("uniform", 3_000, np.random.default_rng(3))
    found = clear_large(types.truthful(), LargeMarket()).dense()
    dense = market_mechanism("ipfl-exact").clear(types.truthful(), Market())
    np.testing.assert_array_equal(found.imports, dense.imports)
    np.testing.assert_allclose(found.prices, dense.prices, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["uniform", "proportional"])
def test_few_nodes_leave_a_gap_that_holds_and_is_told(kind):
    """No importer's best objective, by the dense search, is above what was found and the gap."""
    rng = np.random.default_rng(9)
    types, market = clients(kind, 40, rng), LargeMarket(effective=listed(40, rng, 9_000.0))
    found = LargeClearing(types.truthful(), market, market_mechanism("ipfl-exact"), node_limit=1).block(0, 40)
    assert (found.gap > 0).any()
    dense_market = market.dense(40)
    best = market_mechanism("ipfl-exact").clear(types.truthful(), dense_market)
    worth = [values(types, imports, dense_market) for imports in (found.dense().imports, best.imports)]
    assert (worth[1] <= worth[0] + found.gap + 1e-9).all()
