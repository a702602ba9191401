"""Lie curves, allocation regions and regret maps say what the rules do: against direct clearing, and the theory."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.collections import QuadMesh

from analysis.findings.rules.lies import lie_curve, lie_curves, one_reach, regret_map, utility_of_reports
from analysis.findings.rules.regions import (
    BOTH,
    FIRST,
    NEITHER,
    REGIONS,
    SECOND,
    all_regions,
    allocation_regions,
    draw_regions,
    reaches,
    regions_table,
    trio,
)
from analysis.findings.rules.truthfulness import LIES, regret_heat, regret_table
from analysis.run.records import MarketRecord, Run
from mechanism import Types, account, market_mechanism
from mechanism.market.clients import LARGEST
from mechanism.market.settling import clear_and_settle
from tests.analysis.synthetic import one_market, section


@dataclass(frozen=True)
class OneMarket:
    """One clearing under one rule, in the place of a run."""

    rule: str
    record: MarketRecord
    summary = SimpleNamespace(names=[])

    @property
    def mechanisms(self) -> dict[str, str]:
        return {"m": self.rule}

    def market_round(self, method: str, seed: int, round_number: int) -> MarketRecord:
        return self.record


def example(rule: str) -> OneMarket:
    """Theory, truthfulness in costs fails: K = 3600, n = 100, two sellers of 300 at costs 1.1 and 1.0, lambda = 0."""
    size, cost, gain = np.array([100.0, 300.0, 300.0]), np.array([0.0, 1.1, 1.0]), np.array([3600.0, 0.0, 0.0])
    return OneMarket(rule, one_market(Types(size, cost, gain)))


def curve(rule: str, report: float):
    return lie_curve(example(rule), "m", seed=0, round_number=1, client=1, report=report)


def test_the_reference_rule_rewards_the_understatement_of_the_theory() -> None:
    found = curve("ipfl", 0.9)
    assert found.truthful_utility == pytest.approx(0.0)
    assert found.gain == pytest.approx(1.9)
    assert found.best_report == pytest.approx(0.9)
    at = np.searchsorted(found.reports, 0.9)
    assert found.utilities[at] == pytest.approx(3.0 - 1.1)


def test_the_jump_is_located_not_sloped() -> None:
    """The first seller is taken while its threshold is above its rival's: below the rival's cost of 1.

    At a cost of exactly 0 everybody takes its model, the rival too, for nothing: a second jump.
    """
    found = curve("ipfl", 0.9)
    step = np.flatnonzero(np.abs(np.diff(found.utilities)) > 1.0)
    assert step.size == 2
    assert found.reports[step[0]] == 0.0
    assert found.reports[step[1]] <= 1.0 <= found.reports[step[1] + 1] + 1e-3
    assert (found.reports[step + 1] - found.reports[step] < 1e-3).all()


def test_no_report_beats_the_truth_under_the_exact_rule() -> None:
    found = curve("ipfl-exact", 0.9)
    assert found.gain == 0.0
    assert found.best_report == found.truth == 1.1
    assert found.utilities.max() <= found.truthful_utility + 1e-9


def test_a_curve_asks_for_no_cost_that_a_market_refuses() -> None:
    dear = Types(np.array([100.0, 300.0, 300.0]), np.array([0.0, 0.6 * LARGEST, 1.0]), np.array([3600.0, 0.0, 0.0]))
    one = OneMarket("ipfl", one_market(dear))
    found = lie_curve(one, "m", seed=0, round_number=1, client=1, report=0.6 * LARGEST)
    assert found.reports[-1] == LARGEST
    assert reaches(one.record, (0, 1, 2))[1] <= LARGEST


def test_curves_of_a_run_tell_what_its_audit_found(run: Run) -> None:
    paper, exact = lie_curves(run)
    lie = run.audit.methods["ipfl/ipfl"].lies["cost"]
    assert (paper.seed, paper.round, paper.client) == (lie.seed, lie.round, lie.client)
    assert paper.truthful_utility == pytest.approx(lie.utility_truthful)
    assert paper.utilities[np.searchsorted(paper.reports, lie.report)] == pytest.approx(lie.utility_lying)
    assert paper.gain >= lie.gain - 1e-9
    # Nothing pays here, so the curve is shown where it paid there.
    assert (exact.seed, exact.round, exact.client) == (paper.seed, paper.round, paper.client)
    assert exact.gain == 0.0
    assert (np.diff(paper.reports) > 0).all()


def test_curves_of_a_run_reach_to_one_cost(run: Run) -> None:
    assert len({float(one.reports[-1]) for one in lie_curves(run)}) == 1
    near, far = (
        curve("ipfl", 0.9),
        lie_curve(example("ipfl"), "m", seed=0, round_number=1, client=1, report=0.9, reach=99),
    )
    assert far.reports[-1] == 99.0
    assert not one_reach((near, far))
    assert one_reach((near, near))
    assert far.gain == pytest.approx(near.gain)


def test_without_a_market_there_is_no_curve(run: Run) -> None:
    assert lie_curves(replace(run, mechanisms=dict.fromkeys(run.methods))) == ()


def test_who_is_absent_is_no_part_of_a_curves_market() -> None:
    """A seller at cost 0.2 who is not there must not be bought from, nor set what the others can be paid."""
    size, cost, gain = np.array([400.0, 100.0, 300.0, 300.0]), np.array([0.2, 0, 1.1, 1]), np.array([0, 3600.0, 0, 0])
    for rule in ("ipfl", "ipfl-exact", "pooled-price"):
        more = OneMarket(rule, one_market(Types(size, cost, gain), present=[False, True, True, True]))
        found, alone = lie_curve(more, "m", seed=0, round_number=1, client=2, report=0.9), curve(rule, 0.9)
        assert np.array_equal(found.reports, alone.reports)
        assert np.array_equal(found.utilities, alone.utilities)


def test_a_rule_that_pays_in_two_stages_is_paid_by_the_last() -> None:
    record, found = example("realised").record, curve("realised", 0.9)
    types, market = record.types, record.market
    lying = types.report(cost=np.array([0.0, 0.9, 1.0]))
    outcome = clear_and_settle(market_mechanism("realised"), lying, types, market)
    at = np.searchsorted(found.reports, 0.9)
    assert found.utilities[at] == pytest.approx(account(types, outcome, market).utility[1])


def _worked(lam: float = 0.0) -> MarketRecord:
    """The worked example of the theory: a buyer with 100 samples and two sellers of 300, costs 1.1 and 1.0."""
    size, cost, gain = np.array([100.0, 300.0, 300.0]), np.array([1.0, 1.1, 1.0]), np.array([3600.0, 0.0, 0.0])
    return one_market(Types(size, cost, gain), lam)


def test_regions_of_the_worked_example():
    """A first model is worth 3, the second 0.732: both below 0.732, else the cheaper below 3."""
    found = allocation_regions(_worked(), "ipfl-exact", (0, 1, 2))
    x, y = np.meshgrid(found.costs, found.costs)
    second = 6.0 - np.sqrt(3600 / 700) - 3.0
    expected = np.select([(x < second) & (y < second), (x < 3) & (x < y), (y < 3) & (y < x)], [BOTH, FIRST, SECOND], 0)
    clear = (np.abs(x - y) > 1e-9) & (np.abs(x - second) > 1e-9) & (np.abs(y - second) > 1e-9)
    np.testing.assert_array_equal(found.bought[clear], expected[clear])
    assert found.truth == (1.1, 1.0)
    assert sum(found.share(what) for what in (NEITHER, FIRST, SECOND, BOTH)) == pytest.approx(1.0)


def test_trio_is_where_two_models_are_worth_most_and_leaves_the_absent_out():
    record = _worked()
    assert trio(record) == (0, 1, 2)
    assert trio(replace(record, present=np.array([True, True, False]))) is None
    assert trio(replace(record, gain=np.zeros(3))) is None


def test_every_rule_of_a_run_is_shown_in_the_same_market(run: Run):
    found = all_regions(run)
    assert [r.rule for r in found] == ["ipfl", "ipfl-exact"]
    assert len({(r.buyer, *r.sellers) for r in found}) == 1
    assert len(regions_table(found).rows) == 2
    drawn = section(REGIONS, run).drawings["regions"]()
    for one, ax in zip(found, drawn.figure.axes, strict=True):
        (mesh,) = (c for c in ax.collections if isinstance(c, QuadMesh))
        np.testing.assert_array_equal(np.asarray(mesh.get_array()).reshape(one.bought.shape), one.bought)
        assert one.rule in drawn.alt
        words = ("neither", *(f"seller {k}" for k in one.sellers), "both")
        there = {words[what] for what in range(4) if one.share(what) > 0}
        assert {t.get_text() for t in ax.texts} <= there
        # However small a region, the key of the plot names its colour, and that of the whole figure as well.
        assert {t.get_text() for t in draw_regions(one).get_legend().get_texts()} == there
        assert there <= {t.get_text() for t in drawn.figure.legends[0].get_texts()}
    assert "dark blue: from both" in drawn.look
    assert drawn.figure.get_supxlabel().endswith("types and models of ipfl/ipfl, round 1, seed 0")


def test_regions_reach_near_the_true_costs_and_further_only_to_show_a_border(run: Run):
    near, far = reaches(_worked(), (0, 1, 2))
    assert (near, far) == (pytest.approx(3.3), pytest.approx(3.45))
    cheap = replace(_worked(), cost=np.array([1.0, 0.02, 0.01]))
    assert reaches(cheap, (0, 1, 2))[0] == pytest.approx(0.06)
    assert allocation_regions(cheap, "ipfl-exact", (0, 1, 2)).share(BOTH) == 1.0  # nothing to see so near
    for one in all_regions(run):
        assert np.unique(one.bought).size > 1
        assert max(one.truth) < one.costs[-1]
    assert len({one.costs[-1] for one in all_regions(run)}) == 1


def test_regret_is_what_clearing_with_that_truth_gives(run: Run):
    for curve in lie_curves(run):
        found = regret_map(run, curve)
        record = run.market_round(curve.method, curve.seed, curve.round)
        np.testing.assert_allclose(np.diagonal(found.won), 0.0, atol=1e-12)
        for row in (3, 30):
            cost = record.cost.copy()
            cost[curve.client] = found.costs[row]
            other = replace(record, cost=cost)
            utility = utility_of_reports(other, curve.mechanism, curve.client)(found.costs)
            np.testing.assert_allclose(found.won[row], utility - utility[row], atol=1e-7)


def test_no_lie_pays_under_the_repaired_rule_at_any_true_cost_and_one_does_under_the_published(run: Run):
    paper, exact = (regret_map(run, curve) for curve in lie_curves(run))
    assert exact.most == 0.0
    assert exact.paying == 0.0
    assert paper.most >= lie_curves(run)[0].gain * 0.999 > 0
    drawn = section(LIES, run).drawings["regret"]()
    assert "no pair pays" in drawn.alt
    meshes = [
        c for ax in drawn.figure.axes for c in ax.collections if isinstance(c, QuadMesh) and c.get_array().size > 999
    ]
    assert len({mesh.norm.vmax for mesh in meshes}) == 1  # one scale
    assert meshes[0].norm.vmin == -meshes[0].norm.vmax
    assert regret_table((paper, exact)).rows[1][4] == 0.0


def test_they_draw_on_the_axes_they_are_given(run: Run):
    from analysis.page import theme

    left, right = theme.figure(8, 4).subplots(1, 2)
    assert draw_regions(all_regions(run)[0], left) is left
    assert regret_heat(regret_map(run, lie_curves(run)[0]), right) is right
