"""Exhausted grids against loops written out, known rules."""

import itertools

import numpy as np
import pytest

from mechanism import SingleParameter, market_mechanism, single_parameter
from mechanism.auctions.one_item.first_price import first_price
from mechanism.auctions.one_item.second_price import second_price
from mechanism.auctions.units.vcg_combinatorial import VcgCombinatorial
from mechanism.market.direct import MarketDirect
from proofs_checks.evidence.exhaustive import exhaust
from proofs_checks.search.grids import Grid, GridError, even_grid


def brute_force(mechanism, grid):
    """Largest gain by a loop over profiles, agents and reports, the rule asked anew each time."""
    worst = -np.inf
    for profile in itertools.product(*grid.types):
        for i, report in itertools.product(range(len(profile)), range(10)):
            if report >= len(grid.types[i]):
                continue
            said = [row.copy() for row in profile]
            said[i] = grid.types[i][report]
            true, told = np.array([profile]), np.array([said])
            honest = mechanism.utility(true, mechanism.outcome(true))[0, i]
            worst = max(worst, mechanism.utility(true, mechanism.outcome(told))[0, i] - honest)
    return worst


@pytest.mark.parametrize("family", [second_price, first_price])
def test_auctions_match_the_loop(family):
    mechanism = family(3)
    grid = even_grid(mechanism.space, 5)
    verdict = exhaust(mechanism, grid, "dsic")
    assert verdict.worst == brute_force(mechanism, grid)
    assert verdict.holds == (family is second_price)
    assert (verdict.profiles, verdict.deviations) == (125, 125 * 3 * 4)
    assert verdict.exact
    assert verdict.tolerance == 0.0


def test_general_types_match_the_loop():
    mechanism = VcgCombinatorial(2)
    grid = even_grid(mechanism.space, 2)
    verdict = exhaust(mechanism, grid, "dsic")
    assert verdict.holds
    assert verdict.worst == pytest.approx(brute_force(mechanism, grid), abs=1e-12)


def test_a_general_rule_that_is_wrong_is_found_with_its_witness():
    """Known: under marginal payments a seller gains by asking less than its cost."""
    mechanism = MarketDirect(market_mechanism("ipfl"), 3)
    grid = even_grid(mechanism.space, 5, ["cost"], at=[0.3, 0.5, 0.9, 0.3, 0.3, 0.3])
    verdict = exhaust(mechanism, grid, "dsic")
    assert not verdict.holds
    case = verdict.case
    liar = int(case.deviators[0].argmax())
    assert case.after[0, 0, liar, 1] < case.types[0, liar, 1]
    before = mechanism.utility(case.types, mechanism.outcome(case.types))[0, liar]
    after = mechanism.utility(case.types, mechanism.outcome(case.after[:, 0]))[0, liar]
    assert verdict.worst == pytest.approx(after - before)
    assert exhaust(MarketDirect(market_mechanism("ipfl-exact"), 3), grid, "dsic").holds


def test_sellers_pay_attention_to_costs():
    """A procurement by second price: truthful, individually rational, paid by the centre."""

    @single_parameter(agents=3, role="seller")
    def buy_from_the_cheapest(bids):
        wins = np.arange(3) == bids.argmin(axis=1)[:, None]
        return wins, wins * np.sort(bids, axis=1)[:, 1:2]

    grid = even_grid(buy_from_the_cheapest.space, 5)
    for name, holds in {
        "dsic": True, "ir": True, "monotonicity": True, "budget-balance": False, "weak-budget-balance": False,
    }.items():  # fmt: skip
        verdict = exhaust(buy_from_the_cheapest, grid, name)
        assert verdict.holds is holds, verdict.words()
        assert (verdict.case is None) is holds


def test_floats_that_are_not_dyadic_are_compared_with_a_stated_tolerance():
    mechanism = second_price(2)
    verdict = exhaust(mechanism, even_grid(mechanism.space, 4), "dsic")
    assert verdict.holds
    assert not verdict.exact
    assert verdict.tolerance == pytest.approx(1e-9)
    assert "within 1e-09" in verdict.words()


def test_a_payment_with_many_bits_is_not_called_exact():
    def rule(bids):
        wins = bids >= 0.5
        return wins, wins * 0.5 + 2.0**-52 * wins

    assert not exhaust(SingleParameter(rule, 2), Grid(([0.0, 2.0**-20, 1.0], [0.0, 1.0])), "dsic").exact


def test_monotonicity_finds_a_step_down_and_its_place():
    @single_parameter(agents=2)
    def shy(bids):
        return np.where(bids > 0.8, 0.0, bids), np.zeros_like(bids)

    verdict = exhaust(shy, even_grid(shy.space, 5), "monotonicity")
    assert verdict.worst == 0.75
    assert (verdict.case.before[0, 0], verdict.case.after[0, 0, 0]) == (0.75, 1.0)


def test_what_is_not_a_number_never_holds():
    class Broken(SingleParameter):
        def utility(self, types, outcome):
            return super().utility(types, outcome) * np.nan

    mechanism = Broken(lambda bids: (bids, bids), 2)
    for name in ("dsic", "ir"):
        assert not exhaust(mechanism, even_grid(mechanism.space, 3), name).holds


def test_agents_may_have_grids_of_different_sizes():
    mechanism = second_price(3)
    grid = Grid(([0.25, 1.0], [0.5], [0.0, 0.5, 0.75]))
    verdict = exhaust(mechanism, grid, "dsic")
    assert (verdict.profiles, verdict.deviations) == (6, 6 * 3)
    assert verdict.worst == brute_force(mechanism, grid)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda m: exhaust(m, Grid(([0.0], [1.0])), "dsic"), "for 2 agents"),
        (lambda m: exhaust(m, Grid(([0.0], [1.0], [2.0])), "dsic"), "outside"),
        (lambda m: exhaust(m, even_grid(m.space, 2), "core"), "cannot be exhausted"),
        (lambda m: Grid(([0.0, 0.0],)), "twice"),
        (lambda m: Grid(([np.nan],)), "finite"),
        (lambda m: Grid(()), "at least one agent"),
        (lambda m: Grid((np.arange(3000), np.arange(3000))), "9000000 profiles"),
        (lambda m: even_grid(m.space, 0), "at least 1"),
    ],
)
def test_grids_that_do_not_fit_are_refused_in_one_line(make, said):
    with pytest.raises(GridError, match=said) as refused:
        make(second_price(3))
    assert "\n" not in str(refused.value)


def test_monotonicity_of_many_numbers_is_refused():
    mechanism = MarketDirect(market_mechanism("ipfl"), 2)
    with pytest.raises(GridError, match="own number only"):
        exhaust(mechanism, even_grid(mechanism.space, 2, ["cost", "gain"]), "monotonicity")
