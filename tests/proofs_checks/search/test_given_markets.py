"""Properties measured on given markets: they pass what holds and fail mechanisms that are wrong by a millionth."""

from dataclasses import dataclass

import numpy as np
import pytest

from mechanism import InvalidMechanismError, Market, Types, account, market_mechanism
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import truthful
from proofs_checks.search.given_markets import GivenMarkets
from proofs_checks.search.lies import best_reports
from proofs_checks.search.random_markets import KINDS, random_markets
from tests.proofs_checks import mutants
from tests.proofs_checks.mutants import Mutant
from tests.proofs_checks.rules import cost_steps, each_lie, relabelled_as

EXACT = market_mechanism("ipfl-exact")


@pytest.fixture(scope="module")
def drawn() -> tuple[Types, Market]:
    return random_markets("small", np.random.default_rng(11), 60, 4)


def checked(prop, mechanism, types, market, cases=truthful):
    rule, profiles = GivenMarkets.of(mechanism, types, market)
    return PROPERTY[prop].check(rule, cases(profiles))


def best_lies(mechanism, types, market):
    lies = best_reports(mechanism, types, market)
    return checked("dsic-cost", mechanism, types, market, lambda profiles: each_lie(profiles, lies))


@pytest.mark.parametrize("kind", KINDS)
def test_given_markets_are_cleared_as_they_are(kind):
    """Bit for bit what the mechanism answers on the markets themselves, at every λ."""
    types, market = random_markets(kind, np.random.default_rng(10), 40, 4)
    rule, profiles = GivenMarkets.of(EXACT, types, market)
    outcome, expected = rule.outcome(profiles), EXACT.clear(types.truthful(), market)
    np.testing.assert_array_equal(outcome.imports, expected.imports)
    np.testing.assert_array_equal(outcome.prices, expected.prices)
    np.testing.assert_array_equal(rule.utility(profiles, outcome), account(types, expected, market).utility)
    assert ((profiles >= rule.space.low) & (profiles <= rule.space.high)).all()
    fewer = rule.resized(3)
    assert (fewer.space.agents, fewer.lam) == (3, market.lam)


def test_batch_axes_and_shared_differences_are_laid_flat():
    types, market = random_markets("small", np.random.default_rng(9), 6, 3)
    folded = Types(*(a.reshape(2, 3, 3) for a in (types.size, types.cost, types.gain)))
    one = Market(market.differences[0], market.lam)
    _, profiles = GivenMarkets.of(EXACT, folded, one)
    assert profiles.shape == (6, 3, 6)
    np.testing.assert_array_equal(profiles[:, :, 0], types.size)
    np.testing.assert_array_equal(profiles[:, :, 3:], np.broadcast_to(market.differences[0], (6, 3, 3)))
    _, bare = GivenMarkets.of(EXACT, folded, Market())
    assert not bare[..., 3:].any()


def test_seller_paid_a_millionth_below_cost_fails_individual_rationality(drawn):
    assert checked("ir-seller", EXACT, *drawn).holds
    check = checked("ir-seller", Mutant(mutants.below_cost), *drawn)
    assert not check.holds
    assert 0.9e-6 < check.violation < 5e-6  # 1e-6 for each of at most three exports
    assert "tells the truth and is left with -" in check.sentence
    assert check.checked == 60


def test_buyer_charged_a_millionth_above_its_gain_fails_individual_rationality(drawn):
    assert checked("ir-buyer", EXACT, *drawn).holds
    check = checked("ir-buyer", Mutant(mutants.buyers_pay_all), *drawn)
    assert not check.holds
    assert check.violation == pytest.approx(1e-6, rel=1e-3)


@pytest.mark.parametrize("change", [mutants.follows_report, mutants.falls_with_report])
def test_price_that_moves_by_a_millionth_with_the_report_fails_truthfulness(drawn, change):
    assert best_lies(EXACT, *drawn).holds
    check = best_lies(Mutant(change), *drawn)
    assert not check.holds
    assert 0.0 < check.violation < 1e-4


def test_the_engine_measures_of_each_lie_what_the_search_for_lies_says_it_gains(drawn):
    """Two ways to the same number: utilities by reports, and the property's violation of the case."""
    mechanism = market_mechanism("ipfl")
    lies = best_reports(mechanism, *drawn)
    rule, profiles = GivenMarkets.of(mechanism, *drawn)
    found = PROPERTY["dsic-cost"].violation(rule, each_lie(profiles, lies))
    np.testing.assert_allclose(found.ravel(), (lies.utility_lying - lies.utility_truthful).ravel(), rtol=0, atol=1e-9)
    assert (found > 0.1).any()


def test_the_millionth_is_found_by_the_right_kind_of_lie():
    """Where the price rises with the report the best lie overstates; where it falls, it understates."""
    types, market = random_markets("small", np.random.default_rng(12), 60, 4)
    over = best_reports(Mutant(mutants.follows_report), types, market)
    under = best_reports(Mutant(mutants.falls_with_report), types, market)
    assert not over.exact
    pays = over.gain > 1e-8
    assert pays.any()
    assert (over.report[pays] > types.cost[pays]).all()
    pays = under.gain > 1e-8
    assert pays.any()
    assert (under.report[pays] < types.cost[pays]).all()


def test_a_millionth_to_the_centre_fails_budget_balance(drawn):
    assert checked("budget-balance", EXACT, *drawn).holds
    check = checked("budget-balance", Mutant(mutants.leaks), *drawn)
    assert not check.holds
    assert check.violation == pytest.approx(1e-6, rel=1e-6)


def test_leaving_one_import_out_fails_efficiency(drawn):
    assert checked("efficiency", EXACT, *drawn).holds
    assert not checked("efficiency", Mutant(mutants.forgets_one), *drawn).holds


def test_favouring_one_client_by_a_millionth_fails_anonymity():
    markets = random_markets("wide", np.random.default_rng(13), 40, 4)

    def turned(profiles):
        return relabelled_as(profiles, np.array([1, 2, 3, 0]))

    assert checked("anonymity", EXACT, *markets, turned).holds
    assert not checked("anonymity", Mutant(mutants.favours_the_first), *markets, turned).holds


@dataclass(frozen=True)
class Upside:
    """A rule that sorts by rising instead of falling cost."""

    id: str = "upside"

    def clear(self, reports, public):
        most = reports.cost.max(axis=-1, keepdims=True)
        return EXACT.clear(reports.replace(cost=most - reports.cost), public)


def test_selling_more_when_dearer_fails_monotonicity(drawn):
    assert checked("monotonicity", EXACT, *drawn, cost_steps).holds
    check = checked("monotonicity", Upside(), *drawn, cost_steps)
    assert not check.holds
    assert check.violation >= 1
    assert check.checked == 60 * 4 * 8


def test_cost_steps_lead_from_nothing_to_twice_the_truth(drawn):
    _, profiles = GivenMarkets.of(EXACT, *drawn)
    cases = cost_steps(profiles, 4)
    said = [rows.reshape(60, 4, 4, 4, -1)[..., 1] for rows in (cases.before, cases.after[:, 0])]
    for client in range(4):
        own = [a[:, client, :, client] for a in said]
        top = np.maximum(1.0, 2.0 * drawn[0].cost[:, client])
        np.testing.assert_array_equal(own[0][:, 0], 0.0)
        np.testing.assert_allclose(own[1][:, -1], top)
        np.testing.assert_array_equal(own[0][:, 1:], own[1][:, :-1])
        others = np.delete(np.arange(4), client)
        np.testing.assert_array_equal(
            said[1][:, client][:, :, others], np.repeat(drawn[0].cost[:, None, others], 4, axis=1)
        )


def test_violations_are_measured_against_each_market_own_scale():
    """A violation of 1e-6 in a small market is not hidden by a large market in the same batch."""
    types = Types([[100.0, 300.0]] * 2, [[1.0, 1.0]] * 2, [[3600.0, 0.0], [3.6e9, 0.0]])
    check = checked("ir-seller", Mutant(mutants.below_cost), types, Market())
    assert not check.holds
    assert check.where == (0, 0)
    assert check.sentence.startswith("client b tells the truth")


@dataclass(frozen=True)
class Short:
    """Client 1 is charged ``part`` of what client 0 gains by all models, and 1e-6 more in the second market."""

    part: float
    id: str = "short"

    def clear(self, reports, public):
        outcome = market_mechanism("no-payment").clear(reports, public)
        large = reports.gain[..., 0] > 1e6
        centre = outcome.centre.copy()
        centre[..., 1] = np.where(large, self.part * np.sqrt(reports.gain[..., 0] / reports.size[..., 0]), 1e-6)
        return type(outcome)(outcome.imports, outcome.prices, centre, outcome.gap)


def test_the_worst_case_is_the_worst_for_its_size():
    """What is 3e-6 of 6000 is within the tolerance; 1e-6 where all is below 1 is not, though it is less money."""
    types = Types([[100.0, 300.0]] * 2, [[0.0, 0.0]] * 2, [[3.6e9, 0.0], [1.0, 0.0]])
    check = checked("ir", Short(5e-10), types, Market())
    rule, profiles = GivenMarkets.of(Short(5e-10), types, Market())
    found = PROPERTY["ir"].violation(rule, truthful(profiles)).ravel()
    assert found == pytest.approx([3e-6, 1e-6])
    assert (check.where, check.holds) == ((1, 0), False)
    assert check.violation == pytest.approx(1e-6)
    large = Types(types.size[:1], types.cost[:1], types.gain[:1])
    assert checked("ir", Short(5e-10), large, Market()).holds
    assert not checked("ir", Short(2e-9), large, Market()).holds


def test_no_market_is_no_evidence():
    types, market = random_markets("small", np.random.default_rng(14), 1, 3)
    rule, profiles = GivenMarkets.of(EXACT, types, market)
    with pytest.raises(InvalidMechanismError, match="no case to check ir on"):
        PROPERTY["ir"].check(rule, truthful(profiles[:0]))
