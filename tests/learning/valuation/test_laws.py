"""From curves to markets: money, departures, and what the theorems say under measured and fitted laws."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from learning.errors import LearningError
from learning.valuation import KINDS, Curve, value, worth_of
from learning.valuation.valuation import departures
from mechanism import Market, PowerGain, SqrtGain, TableGain, Types, account, market_mechanism
from mechanism.market.accounting import values
from proofs_checks.search.lies import best_reports
from tests.learning.valuation.synthetic import measured, one, several

M = 5


def paper(x):
    return np.sqrt(100 / x)


def curve_of(seed, noise=0.02):
    return measured(paper, M, seed, noise=noise, spread=0.2)


def gains(seed):
    return np.random.default_rng([seed, 1]).uniform(0.5e4, 5e4, M)


def market_of(kind, seed):
    """A market of the valuation's law and parameters, with costs and differences at random."""
    curve, rng = curve_of(seed), np.random.default_rng([seed, 2])
    valuation = value(kind, gains(seed), curve, seed)
    d = rng.uniform(0, 1, (M, M))
    np.fill_diagonal(d, 0.0)
    types = Types(curve.own, rng.uniform(0.05, 1.0, M), valuation.gain)
    return types, Market(d, float(rng.choice([0.0, 0.3])), valuation.law), valuation


def test_a_nat_is_worth_what_the_paper_promises_for_unlimited_data():
    assert worth_of([3600.0, 0.0], [50.0, 150.0]).tolist() == [6.0, 0.0]
    unlimited = SqrtGain().value(3600.0, 100.0, 1e300)
    assert worth_of([3600.0, 0.0], [50.0, 150.0])[0] == pytest.approx(float(unlimited))


@pytest.mark.parametrize("kind", ["measured", "fitted"])
def test_a_curve_on_the_papers_law_is_valued_as_the_paper_does(kind):
    """Losses that are √(100/x) exactly: money is √(K/n̄) times the drops, and the law says nothing else."""
    curve = measured(paper, M, 3)
    valuation = value(kind, gains(3), curve, 3)
    money = np.sqrt(gains(3) / curve.own.mean())[:, None] * curve.drop
    told = valuation.law.value(valuation.gain[:, None], curve.own[:, None], np.maximum(curve.total, curve.own[:, None]))
    np.testing.assert_allclose(told[curve.tried], money[curve.tried], rtol=2e-4)
    assert valuation.defect.max() < 2e-3
    assert valuation.concavity_defect < 1e-6
    assert valuation.fit["explained"] > 1 - 1e-6
    assert valuation.fit["residual"] < 1e-4
    if kind == "fitted":
        np.testing.assert_allclose(valuation.gain, 100 * gains(3) / curve.own.mean(), rtol=1e-2)


def test_by_size_nothing_is_measured_and_the_paper_is_left_as_it_is():
    valuation = value("size", [3600.0, 0.0])
    assert isinstance(valuation.law, SqrtGain)
    assert valuation.gain.tolist() == [3600.0, 0.0]
    assert (valuation.curve, valuation.fit, valuation.premise(), valuation.flat) == (None, None, None, False)


@pytest.mark.parametrize("kind", ["measured", "fitted"])
def test_departures_are_the_largest_over_each_clients_sets_in_money(kind):
    curve, seed = curve_of(1), 1
    valuation = value(kind, gains(seed), curve, seed)
    over, under = np.zeros(M), np.zeros(M)
    for i in range(M):
        for x, drop in zip(curve.total[i], curve.drop[i], strict=True):
            if x > 0:
                law = float(valuation.law.value(valuation.gain[i], curve.own[i], x))
                error = np.sqrt(gains(seed)[i] / curve.own.mean()) * drop - law
                over[i], under[i] = max(over[i], error), max(under[i], -error)
    np.testing.assert_allclose(valuation.over, over, rtol=1e-12)
    np.testing.assert_allclose(valuation.under, under, rtol=1e-12)
    np.testing.assert_allclose(valuation.defect, np.maximum(over, under))
    bounds = valuation.premise()
    np.testing.assert_allclose(bounds.regret, over + under)
    assert (bounds.regret <= 2 * valuation.defect + 1e-12).all()


def test_departures_by_hand():
    """K = 1 in a table of slope 1/100: 2 nats at 300 are promised, 2.5 and 1 are measured; 1 at 200, 1.25 measured."""
    totals, drops = [[300.0, 0.0], [300.0, 200.0], [0.0, 0.0]], [[2.5, 0.0], [1.0, 1.25], [0.0, 0.0]]
    curve = several([100, 100, 100], totals, drops)
    law = TableGain((100.0, 1000.0), (0.0, 9.0))
    over, under = departures(curve, law, np.full(3, 2.0), np.full(3, 2.0))
    assert over.tolist() == [1.0, 0.5, 0.0]
    assert under.tolist() == [0.0, 2.0, 0.0]


def test_a_residual_by_hand():
    """Drops 0.1 and 0.5 against the line 0.22, 0.44: misses 0.12 and 0.06, mean square (0.0144 + 0.0036)/2."""
    fit = value("measured", [100.0], one([200, 300], [0.1, 0.5])).fit
    assert fit["residual"] == pytest.approx(np.sqrt(0.009))
    assert fit["explained"] == pytest.approx(1 - 0.018 / 0.26)


@pytest.mark.parametrize("kind", ["measured", "fitted"])
@pytest.mark.parametrize("case", ["rises", "still", "untried", "alone", "nobody buys"])
def test_poor_curves_make_a_market_without_nan_and_trade(kind, case):
    curve, k = measured(paper, M, 0), np.full(M, 1e4)
    if case == "rises":
        curve = replace(curve, drop=-np.abs(curve.drop))
    elif case == "still":
        curve = replace(curve, drop=np.zeros_like(curve.drop))
    elif case == "untried":
        curve = replace(curve, total=np.zeros_like(curve.total), drop=np.zeros_like(curve.drop))
    elif case == "alone":
        curve, k = measured(paper, 1, 0), k[:1]
    else:
        k = np.zeros(M)
    valuation = value(kind, k, curve)
    assert valuation.flat == (case != "nobody buys")
    for array in valuation.arrays().values():
        assert np.isfinite(array).all()
    types = Types(curve.own, np.full(len(k), 0.1), valuation.gain)
    for name in ("ipfl", "ipfl-exact", "vcg-two-sided"):
        outcome = market_mechanism(name).clear(types.truthful(), Market(None, 0.0, valuation.law))
        assert not outcome.imports.any()
        assert (account(types, outcome, Market(law=valuation.law)).utility == 0).all()
    if valuation.flat:
        assert any("no gain was measured" in words for words in valuation.sentences())


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_repair_keeps_its_promises_under_every_law(kind):
    """No false cost gains anything (exact best responses), nobody loses in any role, and the selection is the best."""
    rule, traded = market_mechanism("ipfl-exact"), 0
    for seed in range(12):
        types, public, _ = market_of(kind, seed)
        lies = best_reports(rule, types, public)
        assert lies.exact
        assert lies.gain.max() <= 1e-9
        outcome = rule.clear(types.truthful(), public)
        accounts = account(types, outcome, public)
        assert min(a.min() for a in (accounts.utility, accounts.buyer, accounts.seller)) >= -1e-9
        traded += int(outcome.imports.sum())
        for i in range(M):
            others = [j for j in range(M) if j != i]
            best = 0.0
            for chosen in itertools.chain.from_iterable(itertools.combinations(others, r) for r in range(M)):
                imports = np.zeros((M, M), dtype=bool)
                imports[i, list(chosen)] = True
                best = max(best, float(values(types, imports, public)[i]))
            assert values(types, outcome.imports, public)[i] == pytest.approx(best, abs=1e-9)
    assert traded > 20


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_ladder_of_false_costs_gains_nothing_either(kind):
    """The same by brute force, with nothing known of break points."""
    rule = market_mechanism("ipfl-exact")
    for seed in range(6):
        types, public, _ = market_of(kind, seed)
        honest = account(types, rule.clear(types.truthful(), public), public).utility
        for i in range(M):
            cost = np.tile(types.cost, (120, 1))
            cost[:, i] = np.concatenate([np.linspace(0, 3, 100), types.cost[i] * np.geomspace(0.01, 100, 20)])
            lied = account(types, rule.clear(types.report(cost=cost), public), public).utility[:, i]
            assert lied.max() <= honest[i] + 1e-9


@pytest.mark.parametrize("kind", ["measured", "fitted"])
def test_what_was_bought_counts_once_it_was_measured(kind):
    _, _, valuation = market_of(kind, 2)
    own = valuation.curve.own
    total = np.zeros((M, 1))
    total[0] = own[:2].sum()
    drop = np.zeros((M, 1))
    drop[0] = -5.0
    seen = valuation.seen(Curve(own, valuation.curve.start, total, drop))
    law = float(valuation.law.value(valuation.gain[0], own[0], total[0, 0]))
    assert seen.under[0] == pytest.approx(5 * valuation.worth[0] + law)
    assert (seen.under[1:] == valuation.under[1:]).all()
    assert (seen.over == valuation.over).all()
    assert seen.law is valuation.law
    assert seen.curve.sets == valuation.curve.sets + 1


@pytest.mark.parametrize("kind", ["measured", "fitted"])
def test_a_law_is_held_against_another_round(kind):
    _, _, valuation = market_of(kind, 2)
    assert (valuation.against(valuation.curve).defect == valuation.defect).all()
    first = valuation.curve
    worse = Curve(first.own, first.start, first.total, first.drop - first.tried)  # a nat less from every set
    later = valuation.against(worse)
    below = valuation.under > 0
    assert below.any()
    np.testing.assert_allclose(later.under[below], (valuation.under + valuation.worth)[below])
    np.testing.assert_allclose(later.over, np.maximum(0.0, valuation.over - valuation.worth))
    assert later.law is valuation.law
    assert later.curve is worse
    assert {n: a.shape for n, a in later.arrays().items()} == {n: a.shape for n, a in valuation.arrays().items()}


def test_money_scales_the_fitted_law_and_not_the_exponent():
    curve = curve_of(4)
    one, many = (value("fitted", k * gains(4), curve, 4) for k in (1.0, 100.0))
    assert one.fit["exponent"] == many.fit["exponent"]
    np.testing.assert_allclose(many.worth, 10 * one.worth)
    np.testing.assert_allclose(many.gain**many.law.exponent, 10 * one.gain**one.law.exponent)
    np.testing.assert_allclose(many.defect, 10 * one.defect)


def test_the_mean_size_may_be_fixed_for_a_run():
    fixed = value("measured", gains(4), curve_of(4), sizes=np.full(M, 50.0))
    np.testing.assert_allclose(fixed.worth, np.sqrt(gains(4) / 50.0))


def test_sentences_say_what_the_law_is():
    curve = curve_of(5)
    fitted, table, size = (
        " ".join(value(kind, gains(5), curve, 5).sentences()) for kind in ("fitted", "measured", "size")
    )
    assert "power law" in fitted
    assert "95 % between" in fitted
    assert "concave table" in table
    assert "estimates, and not proved" in fitted
    assert "assumed, not measured" in size
    assert isinstance(value("fitted", gains(5), curve, 5).law, PowerGain)


def test_unknown_kinds_and_missing_curves_are_told():
    for arguments, words in (
        (("guess", [1.0]), "no valuation 'guess'; expected size, measured, fitted"),
        (("measured", [1.0, 1.0]), "needs a measured curve of 2 clients"),
        (("fitted", [1.0, 1.0], curve_of(0)), "needs a measured curve of 2 clients"),
        (("measured", [-1.0] * M, curve_of(0)), "gains K"),
    ):
        with pytest.raises(LearningError, match=words):
            value(*arguments)
    with pytest.raises(LearningError, match="nothing was measured"):
        value("size", gains(0)).seen(curve_of(0))
