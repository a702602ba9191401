"""Exhausted grids against loops written out, known rules."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mechanism import SingleParameter, Space, market_mechanism, single_parameter
from mechanism.auctions.one_item.first_price import first_price
from mechanism.auctions.one_item.second_price import second_price
from mechanism.auctions.units.vcg_combinatorial import VcgCombinatorial
from mechanism.errors import InvalidMechanismError
from mechanism.market.direct import MarketDirect
from proofs_checks import verify
from proofs_checks.evidence.comparisons import worst_first
from proofs_checks.evidence.exhaustive import exhaust
from proofs_checks.evidence.outcome_table import _bits
from proofs_checks.evidence.verdict import Grade
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.grids import Grid, GridError, even_grid, grid_over
from tests.proofs_checks.finite import Table

WHOLE = Table(np.zeros((2, 2, 2)), np.zeros((2, 2, 2)))


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


@pytest.mark.parametrize("prop", ["dsic", "ir", "budget-balance", "monotonicity"])
def test_a_rule_that_holds_is_asked_once_for_every_profile(prop):
    asked = []

    @single_parameter(agents=3)
    def nothing(bids):
        asked.append(len(bids))
        return np.zeros(bids.shape), np.zeros(bids.shape)

    verdict = exhaust(nothing, even_grid(nothing.space, 5), prop)
    assert (verdict.holds, verdict.exact, sum(asked)) == (True, True, 125)


@pytest.mark.parametrize("family", [second_price, first_price])
@pytest.mark.parametrize("together", [1, 300])
def test_types_compared_in_parts_give_the_same_answer(family, together, monkeypatch):
    """The same worst gain whatever is compared at once, and a case that has it."""
    mechanism = family(3)
    grid = even_grid(mechanism.space, 5)
    whole = exhaust(mechanism, grid, "dsic")
    monkeypatch.setattr("proofs_checks.evidence.outcome_table._TOGETHER", together)
    parts = exhaust(mechanism, grid, "dsic")
    assert (parts.worst, parts.holds, parts.exact) == (whole.worst, whole.holds, whole.exact)
    if not parts.holds:
        assert PROPERTY["dsic"].check(mechanism, parts.case).violation == whole.worst


@given(st.lists(st.sampled_from([-1.0, 0.0, 1e-12, 1e-3, 0.5, 0.5, 2.0]), min_size=1, max_size=30), st.integers(1, 4))
def test_suspects_come_largest_first_each_once(amounts, at_once):
    array = np.array(amounts)
    found = list(worst_first(array, 0.0, lambda places: places.tolist(), at_once))
    assert found == [] or len(found[0]) == 1
    above = [k for k, amount in enumerate(amounts) if amount > 1e-9]
    assert [k for part in found for k in part] == sorted(above, key=lambda k: -amounts[k])


@given(st.lists(st.integers(-(2**20), 2**20), min_size=1, max_size=6), st.integers(0, 34))
def test_bits_are_the_smallest_power_of_two_that_makes_numbers_whole(numerators, power):
    values = [Fraction(n, 2**power) for n in numerators]
    least = next((k for k in range(31) if all((v * 2**k).denominator == 1 for v in values)), None)
    assert _bits(np.array([float(v) for v in values])) == least
    assert _bits(np.array([1 / 3, 1.0])) is None


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
        with pytest.raises(InvalidMechanismError, match="not a finite number"):
            exhaust(mechanism, even_grid(mechanism.space, 3), name)


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
        (lambda m: exhaust(m, even_grid(m.space, 2), "core"), "what coalitions could have"),
        (lambda m: exhaust(WHOLE, Grid(([0.5], [1.0])), "dsic"), "fraction"),
        (lambda m: Grid(([0.0, 1.0],), np.array([0.5, 0.6])), "sum to 1"),
        (lambda m: Grid(([0.0, 1.0],), np.array([1.5, -0.5])), "sum to 1"),
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


def test_only_what_may_be_misreported_differs_between_a_truth_and_a_report():
    """Cost, gain and what is public all move on the grid: the rule is proof against false costs, not against gains."""
    exact = MarketDirect(market_mechanism("ipfl-exact"), 2)
    grid = grid_over(exact.space, (exact.space.low >= 0) & (np.array(exact.space.names) != "size"), 3)
    for name in ("dsic-cost", "monotonicity"):
        assert exhaust(exact, grid, name).holds
    found = exhaust(exact, grid, "dsic")
    assert not found.holds
    assert (found.case.types[0, :, 3:] == found.case.after[0, 0, :, 3:]).all()  # public


def test_numbers_that_stand_still_are_named():
    mechanism = MarketDirect(market_mechanism("ipfl-exact"), 3)
    [verdict] = verify(mechanism, ["dsic-cost"], grade="exhausted", budget=4)
    assert verdict.grade is Grade.EXHAUSTED
    only = "only with size, gain, pen_0, pen_1 and pen_2 fixed at the middle of their bounds"
    assert verdict.statement.endswith(only)
    assert only in verdict.bound
    free = MarketDirect(market_mechanism("ipfl-exact"), 2, low=(100, 0, 5000), high=(100, 3, 5000))
    [verdict] = verify(free, ["dsic-cost"], grade="exhausted", budget=4)
    assert verdict.evidence["fixed"] == []
    assert verdict.statement.endswith("in the cost only]")


def test_a_budget_that_is_too_small_gives_no_coarser_grid():
    for prop in ("dsic", "ir", "anonymity"):
        [verdict] = verify(second_price(3), [prop], grade="exhausted", budget=1e-4)
        assert (verdict.grade, verdict.holds) == (Grade.UNKNOWN, None)
        assert "larger budget" in verdict.evidence["reason"]


def test_whole_numbers_are_covered_whole_beside_real_ones():
    space = Space(1, ("rank", "value"), [[0, 0.0]], [[23, 1.0]], integer=[1, 0])
    [rows] = even_grid(space, 5).types
    assert len(rows) == 24 * 5
    assert set(rows[:, 0]) == set(range(24))


def test_a_prior_over_real_numbers_is_not_exhausted():
    [verdict] = verify(second_price(2), ["bic"], grade="exhausted", budget=1)
    assert verdict.grade is Grade.UNKNOWN
    assert "prior is continuous" in verdict.evidence["reason"]


def test_utilities_that_depend_on_others_truths_are_asked_with_these_only():
    private = MarketDirect(market_mechanism("ipfl-exact"), 2, sizes="private")
    grid = even_grid(private.space, 2)
    with pytest.raises(GridError, match="ask expost"):
        exhaust(private, grid, "dsic-cost")
    assert exhaust(private, grid, "expost-cost").holds


def test_what_fails_off_the_grid_is_not_called_exhausted():
    """Between the grid's points an eighth of every value is wrong; and a public number matters at its end only."""

    @single_parameter(agents=2)
    def between(bids):
        wins = bids >= 0.5
        odd = np.abs(bids * 1024 - np.rint(bids * 1024)) > 0.25
        return wins, 0.5 * wins - 0.25 * odd

    [verdict] = verify(between, ["dsic"], grade="exhausted", budget=4)
    assert (verdict.grade, verdict.holds) == (Grade.REFUTED, False)

    class Budgets(Table):
        def __init__(self):
            self.space = Space(5, ("value", "budget"), 0.0, 1.0, private=[True, False])

        def outcome(self, reports):
            paid = np.where((reports[:, :, 1] > 0.9).any(axis=1)[:, None], -reports[:, :, 0], 0.0)
            return np.zeros(paid.shape), paid

    [verdict] = verify(Budgets(), ["dsic"], grade="exhausted", budget=4)
    assert (verdict.grade, verdict.holds) == (Grade.REFUTED, False)
