"""The lie curve on the example of the theory, and on a recorded run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from analysis.findings.rules.lies import lie_curve, lie_curves, one_reach
from analysis.run.records import MarketRecord, Run
from mechanism import Types, account, market_mechanism
from mechanism.market.settling import clear_and_settle
from tests.analysis.synthetic import one_market


@dataclass(frozen=True)
class OneMarket:
    """One clearing under one rule, in the place of a run."""

    rule: str
    record: MarketRecord

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
    assert found.utilities[at] == pytest.approx(account(types, outcome, market.law).utility[1])
