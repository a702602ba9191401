"""Payments on realised gains: the formulas, truthful ex post, not dominant."""

import numpy as np
import pytest

from mechanism import InvalidMechanismError, Market, Types, account, market_mechanism
from mechanism.market.rules.realised import Realised
from mechanism.market.settling import TwoStage
from tests.mechanism.market import draws

GLOBAL, BILATERAL = market_mechanism("realised"), market_mechanism("realised-bilateral")


def misreported(types, seed):
    rng = np.random.default_rng(seed)
    numbers = {"size": types.size, "cost": types.cost, "gain": types.gain}
    return types.report(**{name: array * rng.uniform(0.5, 2, array.shape) for name, array in numbers.items()})


def measured_gain(types, imports, i):
    total = types.size[i] + sum(types.size[j] for j in np.flatnonzero(imports[i]))
    return np.sqrt(types.gain[i] / types.size[i]) - np.sqrt(types.gain[i] / total)


def test_global_payments_follow_the_formula_at_any_reports():
    """t_i = h_i - [sum_{k != i} (ĝ_k - c_k exports_k) - sum pen], everything by brute force."""
    types, market = draws.markets(20, 25, 4)
    reports = misreported(types, 21)
    outcome = GLOBAL.settle(GLOBAL.clear(reports, market), types)
    assert not outcome.prices.any()
    for b in range(25):
        true, public = draws.single(types, market, b)
        said = Types(reports.size[b], reports.cost[b], reports.gain[b])
        imports = outcome.imports[b]
        pens = draws.burden(Types(true.size, np.zeros(4), true.gain), public)
        for i in range(4):
            h = sum(draws.best(said, public, k, (i,)) for k in range(4) if k != i)
            others = sum(
                measured_gain(true, imports, k) - said.cost[k] * imports[:, k].sum() for k in range(4) if k != i
            )
            assert outcome.centre[b, i] == pytest.approx(h - (others - (imports * pens).sum()), abs=1e-9)


def test_bilateral_prices_follow_the_formula_at_any_reports():
    """p_ij = ĝ_i - sum_{k in S, k != j} c_k - sum_S pen_ik - W_i(M without j)."""
    types, market = draws.markets(22, 25, 4)
    reports = misreported(types, 23)
    outcome = BILATERAL.settle(BILATERAL.clear(reports, market), types)
    assert not outcome.centre.any()
    traded = 0
    for b in range(25):
        true, public = draws.single(types, market, b)
        said = Types(reports.size[b], reports.cost[b], reports.gain[b])
        imports = outcome.imports[b]
        pens = draws.burden(Types(true.size, np.zeros(4), true.gain), public)
        for i, j in np.argwhere(imports):
            rest = [k for k in np.flatnonzero(imports[i]) if k != j]
            price = measured_gain(true, imports, i) - said.cost[rest].sum() - pens[i][imports[i]].sum()
            assert outcome.prices[b, i, j] == pytest.approx(price - draws.best(said, public, i, (j,)), abs=1e-9)
            traded += 1
        assert not outcome.prices[b][~imports].any()
    assert traded > 50


def test_at_truth_they_are_the_pivot_rules():
    types, market = draws.markets(24, 200, 4)
    for rule, same in ((GLOBAL, "vcg-two-sided"), (BILATERAL, "ipfl-exact")):
        settled = rule.settle(rule.clear(types.truthful(), market), types)
        other = market_mechanism(same).clear(types.truthful(), market)
        np.testing.assert_array_equal(settled.imports, other.imports)
        np.testing.assert_allclose(settled.prices, other.prices, atol=1e-9)
        np.testing.assert_allclose(settled.centre, other.centre, atol=1e-9)
        promised = rule.clear(types.truthful(), market)
        np.testing.assert_array_equal(promised.prices, settled.prices)
        np.testing.assert_array_equal(promised.centre, settled.centre)
        assert (account(types, settled).utility >= -1e-9).all()


@pytest.mark.parametrize("coordinate", ["size", "cost", "gain", "all"])
def test_global_form_is_truthful_ex_post(coordinate):
    """U_i = V_lambda(measured) - h_i: no lie about size, cost, gain or all three, the others truthful."""
    types, market = draws.markets(25, 300, 4)
    truth = account(types, GLOBAL.settle(GLOBAL.clear(types.truthful(), market), types)).utility
    rng = np.random.default_rng(26)
    moved = 0
    for i in range(4):
        for _ in range(15):
            said = {name: getattr(types, name).copy() for name in ("size", "cost", "gain")}
            for name in said if coordinate == "all" else (coordinate,):
                said[name][:, i] *= np.exp(rng.normal(size=300))
            settled = GLOBAL.settle(GLOBAL.clear(types.report(**said), market), types)
            lied = account(types, settled).utility
            assert (lied[:, i] <= truth[:, i] + 1e-9).all()
            moved += (np.abs(lied[:, i] - truth[:, i]) > 1e-6).sum()
    assert moved > 1000


@pytest.mark.parametrize("coordinate", ["cost", "size"])
def test_bilateral_form_is_truthful_ex_post_for_sellers(coordinate):
    """Clients that want no model: no lie about cost or size pays."""
    types, market = draws.markets(27, 300, 4)
    gain = types.gain.copy()
    gain[:, 1:] = 0.0
    types = Types(types.size, types.cost, gain)
    truth = account(types, BILATERAL.settle(BILATERAL.clear(types.truthful(), market), types)).utility
    rng = np.random.default_rng(28)
    for i in range(1, 4):
        for _ in range(15):
            said = {coordinate: getattr(types, coordinate).copy()}
            said[coordinate][:, i] *= np.exp(rng.normal(size=300))
            settled = BILATERAL.settle(BILATERAL.clear(types.report(**said), market), types)
            assert (account(types, settled).utility[:, i] <= truth[:, i] + 1e-9).all()


def test_a_buyer_that_overstates_its_gain_pays_less_in_the_bilateral_form():
    """Two sellers of 300 at 1: what W_i(M without j) is said to be comes off the price that j is paid."""
    types = Types([100, 300, 300], [0, 1, 1], [3600, 0, 0])
    honest = BILATERAL.settle(BILATERAL.clear(types.truthful(), Market()), types)
    lied = BILATERAL.settle(BILATERAL.clear(types.report(gain=[4900, 0, 0]), Market()), types)
    assert account(types, honest).utility[0] == pytest.approx(2.0)
    assert account(types, lied).utility[0] == pytest.approx(2.5)  # W(M without 1) said to be 2.5, so that p = 0.5


@pytest.mark.parametrize("coordinate", ["cost", "gain", "size"])
def test_neither_is_dominant(coordinate):
    """Against a false report of the other, a false report of one's own can be the answer.

    cost: a seller of 300 at 1; the buyer, K = 400, says 3600 and would buy at a loss to the centre that the seller
    bears; asking 100 prevents it. gain and size: the seller says 300 and has 10; the buyer prevents the purchase.
    """
    if coordinate == "cost":
        types = Types([100, 300], [0, 1.5], [400, 0])
        others, own, i = {"gain": [3600, 0]}, {"cost": [0, 100]}, 1
    else:
        types = Types([100, 10], [0, 1.0], [3600, 0])
        others = {"size": [100, 300]}
        own, i = ({"gain": [0, 0]} if coordinate == "gain" else {"size": [1e5, 300]}), 0
    for rule in (GLOBAL,) if coordinate != "cost" else (GLOBAL, BILATERAL):
        honest = rule.settle(rule.clear(types.report(**others), Market()), types)
        lied = rule.settle(rule.clear(types.report(**(others | own)), Market()), types)
        assert account(types, lied).utility[i] > account(types, honest).utility[i] + 0.4


def test_wrong_use_is_told():
    with pytest.raises(InvalidMechanismError, match="form"):
        Realised("local")
    types = Types([100, 300], [0, 1], [3600, 0])
    with pytest.raises(InvalidMechanismError, match="settle"):
        GLOBAL.settle(market_mechanism("ipfl").clear(types.truthful(), Market()), types)
    assert isinstance(GLOBAL, TwoStage)
    assert not isinstance(market_mechanism("ipfl"), TwoStage)
