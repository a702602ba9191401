"""How well a run's own record supports each promise: graded lines, in the words of the audit.

Grades: *measured* means counted or computed on this run's own record; *searched* that reports were tried on this run's
own markets and none was found that breaks the promise, no proof for others; *refuted* that the record holds a
counterexample. A recorded run proves nothing for all
markets: *proved* and *exhausted* are verdicts of the verification package, not of this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis import metrics
from analysis.lies import LieCurve
from analysis.regions import AllocationRegions
from analysis.run.records import Run
from analysis.verdicts import RuleVerdict
from mechanism.tolerance import scale
from mechanism.wording import count, typeset

MEASURED, SEARCHED, REFUTED = "measured", "searched", "refuted"


@dataclass(frozen=True)
class Evidence:
    """One graded line: what it is about (usually a method) and the sentence."""

    grade: str
    subject: str
    text: str


def measured(run: Run) -> tuple[Evidence, ...]:
    """Return the one line for plain measurements: on how much they rest."""
    seeds = f"{len(run.seeds)} seeds" if len(run.seeds) > 1 else "one seed, so no spread is known"
    harmful = max(int((~trace.benign).sum(axis=1).max()) for trace in run.traces.values())
    left_out = f" {harmful} attackers or free-riders are not counted in accuracy and utility." if harmful else ""
    return (Evidence(MEASURED, "", f"{run.clients} clients, {run.rounds} rounds, {seeds}; this run only.{left_out}"),)


def individual_rationality(run: Run) -> tuple[Evidence, ...]:
    """Return, per method, whether any client's recorded utility was below zero in any round."""
    lines = []
    for name in run.methods:
        utility = run.traces[name].utility
        below = int((utility < -metrics.slack(run, name)).sum())
        text = (
            f"none of the {utility.size} recorded utilities (client × round × seed) is below zero"
            if below == 0
            else f"{below} of {utility.size} recorded utilities are below zero, the lowest {typeset(utility.min())}"
        )
        lines.append(Evidence(REFUTED if below else MEASURED, name, text))
    return tuple(lines)


def balance(run: Run) -> tuple[Evidence, ...]:
    """Return, per method with a market, whether what all pay and receive sums to zero."""
    lines = []
    for name in run.markets:
        imbalance = run.audit.methods[name].budget_imbalance
        kept = imbalance <= metrics.slack(run, name)
        clearings = run.rounds * len(run.seeds)
        text = (
            f"payments sum to zero in each of {clearings} clearings"
            if kept
            else f"payments miss balance by up to {typeset(imbalance)} in a clearing"
        )
        lines.append(Evidence(MEASURED if kept else REFUTED, name, text))
    return tuple(lines)


def efficiency(run: Run, result: metrics.Optimum) -> tuple[Evidence, ...]:
    """Return, per method with a market, whether the objective reached its optimum on every recorded market."""
    lines = []
    for name in run.markets:
        k = run.methods.index(name)
        audit = run.audit.methods[name]
        size = scale(result.optimal[k])
        reached = abs(audit.optimality_gap) <= run.audit.tolerance * size
        text = (
            f"the best set of trades was found in each of {run.rounds * len(run.seeds)} clearings"
            if reached
            else f"falls short of the best sets of trades by {typeset(audit.optimality_gap)} in all"
        )
        lines.append(Evidence(MEASURED if reached else REFUTED, name, text))
    return tuple(lines)


def regions(found: Sequence[AllocationRegions]) -> tuple[Evidence, ...]:
    """Return on how many clearings the drawn regions rest."""
    return tuple(
        Evidence(MEASURED, r.rule, f"{count(r.bought.size)} clearings of one recorded buyer and two sellers")
        for r in found
    )


def verdicts(found: Sequence[RuleVerdict]) -> tuple[Evidence, ...]:
    """Return the verdicts on the promises that matter most: individual rationality, costs, balance, efficiency."""
    chosen = ("ir", "dsic-cost", "budget-balance", "efficiency")
    return tuple(Evidence(v.grade, f"{v.mechanism}, {v.property}", v.words) for v in found if v.property in chosen)


def compared(runs: Sequence[Run]) -> tuple[Evidence, ...]:
    """Return on how much each run of a comparison rests."""
    return tuple(Evidence(MEASURED, f"run {k}", measured(run)[0].text) for k, run in enumerate(runs, start=1))


def truthfulness(run: Run, curves: tuple[LieCurve, ...]) -> tuple[Evidence, ...]:
    """Return, per method where costs are reported, the best lie found and out of how many."""
    lines = []
    for curve in curves:
        lie = run.audit.methods[curve.method].lies["cost"]
        tried = f"{count(lie.deviations)} reports tried on this run's own markets"
        text = (
            f"a lie wins {typeset(lie.gain)} (seed {lie.seed}, round {lie.round}, client {lie.client}); {tried}"
            if lie.pays
            else f"no lie about a cost pays; {tried}" + (", among them the best one there is" if lie.exact else "")
        )
        lines.append(Evidence(REFUTED if lie.pays else SEARCHED, curve.method, text))
    return tuple(lines)
