"""Markets with effective sizes e_ij: the same problem importer by importer, with e_i· in the place of the sizes."""

from itertools import product

import numpy as np
import pytest

from mechanism.errors import InvalidMarketError
from mechanism.market.accounting import account, values
from mechanism.market.clients import Market, Types
from mechanism.market.direct import MarketDirect
from mechanism.market.gains import PowerGain, TableGain
from mechanism.market.mechanisms import MARKET_ENTRIES, market_mechanism
from mechanism.market.rules.rule import MarketMechanism
from mechanism.market.settling import clear_and_settle, settled
from proofs_checks.search.lies import best_reports
from proofs_checks.search.random_markets import KINDS, random_markets

RULES = list(MARKET_ENTRIES)
LAWS = [Market().law, PowerGain(0.3), TableGain((100, 400, 900, 2000), (0, 1, 1.4, 1.5))]


def drawn(kind, count, m, seed=0, law=None):
    """Random markets with effective sizes that differ from pair to pair, a third of them 0."""
    rng = np.random.default_rng(seed)
    types, market = random_markets(kind, rng, count, m)
    e = types.size[:, None, :] * rng.choice([0.0, 0.5, 1.0, 2.0, 3.0, 0.0], (count, m, m))
    return types, Market(market.differences, market.lam, market.law if law is None else law, e)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("kind", ["wide", "ties", "zeros", "proportional"])
def test_sizes_for_every_importer_are_the_plain_market_to_the_bit(name, kind):
    types, market = random_markets(kind, np.random.default_rng(1), 25, 5)
    e = np.broadcast_to(types.size[:, None, :], (25, 5, 5))
    same = Market(market.differences, market.lam, market.law, e)
    rule = market_mechanism(name)
    ours, plain = (clear_and_settle(rule, types.truthful(), types, public) for public in (same, market))
    for part in ("imports", "prices", "centre", "gap"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(plain, part))
    np.testing.assert_array_equal(account(types, ours, same).utility, account(types, plain, market).utility)


@pytest.mark.parametrize("name", sorted(set(RULES) - {"clock-price"}))  # it reads the sizes of those who have left
def test_each_importer_faces_the_plain_market_of_its_own_row(name):
    """Importer i's imports and prices are those of the market in which every seller has the size e_ij."""
    types, market = drawn("small", 40, 5)
    e = np.where(market.effective > 0, market.effective, 1e-9)  # a plain size is positive
    rule = market_mechanism(name)
    ours = rule.clear(types.truthful(), Market(market.differences, market.lam, market.law, e))
    assert ours.imports.any()
    for i in range(5):
        row = e[:, i].copy()
        row[:, i] = types.size[:, i]
        alone = Types(row, types.cost, types.gain)
        plain = rule.clear(alone.truthful(), Market(market.differences, market.lam, market.law))
        np.testing.assert_array_equal(ours.imports[:, i], plain.imports[:, i])
        np.testing.assert_allclose(ours.prices[:, i], plain.prices[:, i], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("allocation", ["exact", "milp"])
def test_exact_selection_finds_the_best_of_all_sets(allocation, law):
    types, market = drawn("small", 4 if allocation == "milp" else 60, 4, seed=2, law=law)
    reports = types.truthful()
    found = values(reports, MarketMechanism("x", allocation, "none").clear(reports, market).imports, market)
    best = np.zeros(found.shape)
    for i in range(4):
        for members in product([False, True], repeat=3):
            imports = np.zeros((4, 4), dtype=bool)
            imports[i, np.arange(4) != i] = members
            best[:, i] = np.maximum(best[:, i], values(reports, imports, market)[:, i])
    np.testing.assert_allclose(found, best, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", sorted(set(RULES) - {"no-payment"}))
def test_who_brings_nothing_is_not_taken_even_for_nothing(name):
    types = Types([100.0, 300, 300, 300], [0.0, 0, 0, 2], [1e6, 0, 0, 0])
    e = np.zeros((4, 4))
    e[0, 2:] = 300
    outcome = clear_and_settle(market_mechanism(name), types.truthful(), types, Market(effective=e))
    assert not outcome.imports[:, 1].any()
    assert outcome.imports[0, 2]
    assert outcome.prices[:, 1].sum() == 0


def test_the_pool_is_of_those_who_bring_something():
    types = Types([100.0] * 5, [0.0, 0.1, 0.2, 0.3, 0.9], [1e6, 0, 0, 0, 0])
    e = np.zeros((5, 5))
    e[0] = [0, 0, 50, 80, 90]  # three useful others: pool of one, at the cost of the next
    outcome = market_mechanism("pooled-price").clear(types.truthful(), Market(effective=e))
    assert outcome.imports[0].tolist() == [False, False, True, False, False]
    assert outcome.prices[0, 2] == 0.3
    e[0, 3:] = 0  # nobody behind the pool: no price
    assert not market_mechanism("pooled-price").clear(types.truthful(), Market(effective=e)).imports.any()


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("rule", [("threshold", "marginal"), ("threshold-skip", "marginal"), ("exact", "marginal")])
def test_no_cost_on_a_fine_line_beats_the_break_points(kind, rule):
    types, market = drawn(kind, 6, 4, seed=5, law=PowerGain(0.3) if kind == "wide" else None)
    mechanism = MarketMechanism("x", *rule)
    best = best_reports(mechanism, types, market)
    assert best.exact
    for j in range(4):
        for said in np.linspace(0, 4, 200):
            cost = np.array(types.cost)
            cost[:, j] = said
            utility = account(types, mechanism.clear(types.report(cost=cost), market), market).utility[:, j]
            assert (utility <= best.utility_lying[:, j] + 1e-9 * (1 + np.abs(utility))).all()


def test_take_flat_and_presence_keep_rows_and_columns():
    types, market = drawn("wide", 6, 5)
    there = np.array([True, False, True, True, False])
    some = market.take(there)
    np.testing.assert_array_equal(some.effective, market.effective[:, there][:, :, there])
    np.testing.assert_array_equal(market.flat((6,)).at(np.array([4, 1])).effective, market.effective[[4, 1]])
    rule = market_mechanism("ipfl-exact")
    whole = clear_and_settle(rule, types.truthful(), types, market, there)
    part = rule.clear(types.take(there).truthful(), some)
    np.testing.assert_array_equal(whole.prices[:, there][:, :, there], part.prices)
    assert not whole.imports[:, ~there].any()
    shared = Market(effective=market.effective[0])
    assert shared.flat((6,)).at(3).effective.shape == (5, 5)


@pytest.mark.parametrize(
    ("effective", "words"),
    [
        (np.full((3, 3), -1.0), r"effective\[0, 1\] is -1.0; expected samples from 0 to 1e\+15"),
        (np.full((3, 3), np.nan), r"effective\[0, 1\] is nan"),
        (np.full((3, 3), 1e16), r"effective\[0, 1\] is 1e\+16"),
        (np.ones((2, 3)), r"effective have shape \[2, 3\]; expected square"),
    ],
)
def test_wrong_sizes_are_refused(effective, words):
    with pytest.raises(InvalidMarketError, match=words):
        Market(effective=effective)


@pytest.mark.parametrize("name", RULES)
def test_sizes_for_another_number_of_clients_are_refused(name):
    types = Types([100.0, 200], [1.0, 1], [1e5, 1e5])
    with pytest.raises(InvalidMarketError, match="effective sizes are for 3 clients, the reports for 2"):
        market_mechanism(name).clear(types.truthful(), Market(effective=np.ones((3, 3))))


def test_the_diagonal_is_not_read_and_dust_is_nothing():
    market = Market(effective=[[np.nan, 1e-10], [1e-9, 7.0]])
    assert market.effective.tolist() == [[0, 0], [1e-9, 0]]


@pytest.mark.parametrize("form", ["realised", "realised-bilateral"])
def test_two_stages_settle_on_what_was_measured(form):
    """Global: U_i = V(measured) - h_i; bilateral: p_ij = ĝ_i - other costs - penalties - W_i(M without j)."""
    types, market = drawn("small", 20, 4, seed=7)
    rule = market_mechanism(form)
    stage = rule.clear(types.truthful(), market)
    measured = np.random.default_rng(0).uniform(0, 5, (20, 4))
    final = settled(rule, stage, types, measured)
    burden = stage.imports * (types.cost[:, None, :] + market.penalties(types.size))
    utility = account(types, final, market, measured).utility
    if form == "realised":
        left = (measured - burden.sum(axis=-1)).sum(axis=-1, keepdims=True)
        pivots = stage.removed.sum(axis=-2) - np.diagonal(stage.removed, axis1=-2, axis2=-1)
        assert stage.imports.any()
        own = (stage.imports * market.penalties(types.size)).sum(axis=-1)
        np.testing.assert_allclose(utility, left - pivots, atol=1e-9)
        assert own.min() >= 0
    else:
        price = (measured - burden.sum(axis=-1))[..., None] + types.cost[:, None, :] - stage.removed
        np.testing.assert_allclose(final.prices, np.where(stage.imports, price, 0.0), atol=1e-9)


@pytest.mark.parametrize("present", [None, np.array([True, True, False, True])])
def test_gains_can_be_measured_once_the_imports_are_known(present):
    types, market = drawn("small", 1, 4, seed=3)
    rule = market_mechanism("realised-bilateral")
    seen = []

    def measure(imports):
        seen.append(imports)
        return np.array([[1.0, 2.0, 3.0, 4.0]])

    late = clear_and_settle(rule, types.truthful(), types, market, present, measure)
    again = clear_and_settle(rule, types.truthful(), types, market, present, np.array([1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_array_equal(seen[0], late.imports)
    np.testing.assert_array_equal(late.prices, again.prices)
    assert late.prices.any()
    assert (late.prices != clear_and_settle(rule, types.truthful(), types, market, present).prices).any()


def test_a_direct_mechanism_reads_effective_sizes_as_public_columns():
    types, market = drawn("small", 3, 4, seed=4)
    rule = MarketDirect(market_mechanism("ipfl-exact"), 4, effective=1000.0)
    assert rule.space.k == 11
    assert not rule.space.private[:, 3:].any()
    rows = np.concatenate(
        [np.stack([types.size, types.cost, types.gain], axis=-1), np.zeros((3, 4, 4)), market.effective], axis=-1
    )
    plain = Market(effective=market.effective)
    expected = market_mechanism("ipfl-exact").clear(types.truthful(), plain)
    np.testing.assert_array_equal(rule.outcome(rows).prices, expected.prices)
    np.testing.assert_array_equal(rule.utility(rows, rule.outcome(rows)), account(types, expected, plain).utility)
    order = np.array([2, 0, 3, 1])
    moved = rule.permuted(rows, order)
    np.testing.assert_array_equal(rule.matrices(moved)[1], market.effective[:, order][:, :, order])
    two = rule.resized(5).matrices(rule.split(rows, 1, 0.25))[1]
    np.testing.assert_allclose(two[:, 0, 1], 0.25 * market.effective[:, 0, 1])
    np.testing.assert_allclose(two[:, 0, 4], 0.75 * market.effective[:, 0, 1])
    one = rule.resized(3).matrices(rule.merge(rows, 1, 2))[1]
    np.testing.assert_allclose(one[:, 0, 1], market.effective[:, 0, 1] + market.effective[:, 0, 2])
    np.testing.assert_array_equal(one[:, 0, 2], market.effective[:, 0, 3])
