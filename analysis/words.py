"""Sentences with numbers from the record: what each section of the report answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis import metrics, people
from analysis.leads import lead
from analysis.lies import LieCurve
from analysis.money_words import money, welfare_parts
from analysis.regions import BOTH, FIRST, SECOND, AllocationRegions
from analysis.run.records import Run
from analysis.run.settings import flat
from analysis.verdicts import RuleVerdict
from mechanism.wording import count, listed, near, number, typeset, typeset_percent

__all__ = [
    "accuracy_beside_utility", "against_optimum", "compared", "headline", "imports", "incomparable", "inequality",
    "leading", "lying", "money", "population", "regions", "rounds", "verdicts", "waterlines", "welfare_parts",
    "worth",
]  # fmt: skip

Real = NDArray[np.float64]


def leading(run: Run) -> str:
    """Return the method that the report speaks of first: the exact market, else any market, else the most accurate."""
    for name in run.markets:
        if run.mechanisms[name] == "ipfl-exact":
            return name
    if run.markets:
        return run.markets[0]
    return run.methods[int(np.argmax(metrics.best_accuracy(run).mean))]


FAR_BELOW = 5.0
"""Percentage points between best and final accuracy that are worth a sentence."""


def worth(run: Run) -> str:
    """Return what the money of a run's gains follows, in a sentence: a law of sample sizes, or measured accuracy."""
    kind = run.config.get("valuation")
    if kind == "measured":
        return "What a model is worth was measured, by the accuracy that it adds."
    if kind == "fitted":
        return "What a model is worth follows a law of sample sizes whose exponent was fitted to measured accuracy."
    return "What a model is worth, and so the money, follows a law of sample sizes, not the accuracy measured."


def headline(run: Run) -> str:
    """Return the report's answer in a few sentences."""
    name = leading(run)
    k = run.methods.index(name)
    accuracy, utility = metrics.best_accuracy(run), metrics.mean_utility(run)
    final, one = float(metrics.final_accuracy(run).mean[k]), run.clients == 1
    line = metrics.waterline(run, name)
    loses = f"{line.below} of {line.utilities.size} clients lose" if line.below else "no client loses over the run"
    text = (
        f"With {name}, {'1 client reaches' if one else f'{run.clients} clients reach'} {typeset(accuracy.mean[k])} % "
        f"personal accuracy, {'' if one else 'each '}in its best round, and gain{'s' * one} "
        f"{typeset(utility.mean[k])} money{'' if one else ' each'}, on average, over {run.rounds} "
        f"round{'s' * (run.rounds != 1)}; {loses}."
    )
    if accuracy.mean[k] - final > FAR_BELOW:
        text += f" At the end accuracy is only {typeset(final)} %: the best round was not the last."
    if name in run.markets:
        share = float(metrics.optimum(run).share[k])
        if not np.isnan(share):
            text += f" It reaches {typeset_percent(share)} of the best possible objective."
    lie = run.audit.methods[name].lies.get("cost")
    if lie is not None:
        text += (
            f" A lie about a cost can win {typeset(lie.gain)}."
            if lie.pays
            else f" No lie about a cost pays ({count(lie.deviations)} tried)."
        )
    others = [m for m in run.markets if m != name and (found := run.audit.methods[m].lies.get("cost")) and found.pays]
    if others:
        worst = max(others, key=lambda m: run.audit.methods[m].lies["cost"].gain)
        gain = run.audit.methods[worst].lies["cost"].gain
        text += f" Under {worst} a lie wins {typeset(gain)}."
    return f"{text} {worth(run)}"


_COUNTED = {"rounds": "rounds", "clients": "clients"}
_SET = {"market.gain": "gain parameter", "valuation": "valuation"}


def incomparable(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return in what runs differ that makes their money other money, each with the runs' values."""
    values = {words: [str(getattr(run, name)) for run in runs] for name, words in _COUNTED.items()}
    each = [dict(flat(run.config)) for run in runs]
    values |= {words: [settings.get(name, "–") for settings in each] for name, words in _SET.items()}
    return tuple(f"{words} ({' | '.join(found)})" for words, found in values.items() if len(set(found)) > 1)


def compared(runs: Sequence[Run]) -> str:
    """Return, over several runs, where the average client is best off and where a model is most accurate.

    Money is told per client and round, which runs of any length have; what else differs and moves money is named.
    """
    utility, accuracy = (
        [score(run).mean for run in runs] for score in (metrics.utility_per_round, metrics.best_accuracy)
    )

    def highest(values: Sequence[Real], unit: str) -> tuple[list[str], int]:
        """Return the highest of each run in words, and in which run the highest of all is."""
        at = [int(np.argmax(own)) for own in values]
        said = [
            f"{run.methods[k]} in run {n} ({typeset(float(own[k]))}{unit})"
            for n, (run, own, k) in enumerate(zip(runs, values, at, strict=True), start=1)
        ]
        return said, int(np.argmax([own.max() for own in values]))

    (richest, first), (best, second) = highest(utility, " money"), highest(accuracy, " %")
    other = incomparable(runs)
    # Other gains are other money: then no run is above another in it.
    own_money = any(words in one for one in other for words in _SET.values())
    text = (
        f"Per client and round the average client is best off under {listed(richest) if own_money else richest[first]};"
        f" the most accurate, each client in its best round, is {best[second]}."
    )
    if other:
        text += f" The runs differ in {listed(other)}: totals over a run cannot be compared"
        text += ", and with other gains money is other money." if own_money else "."
    return text


def _ahead(scores: metrics.MethodScores, unit: str) -> str:
    """Return which method is ahead and whether by more than seeds differ (`leads.lead`), as the end of a sentence."""
    found, name = lead(scores), scores.methods
    shown = f"{typeset(float(scores.mean[found.best]))}{unit}"
    if found.near is None:
        return f"{name[found.best]} ({shown}; one seed, so that it may be chance)"
    if not found.near:
        return f"{name[found.best]} ({shown})"
    others = listed(name[k] for k in found.near)
    return f"{name[found.best]} ({shown}), about equal to {others}: within the spread over {scores.seeds} seeds"


def accuracy_beside_utility(run: Run) -> str:
    """Answer: which method is most accurate, which leaves the average client best off, and what a market costs."""
    accuracy, utility = metrics.best_accuracy(run), metrics.mean_utility(run)
    if len(run.methods) == 1:
        return (
            f"{run.methods[0]} reaches {typeset(accuracy.mean[0])} % in the best rounds and leaves the average client "
            f"{typeset(utility.mean[0])} money over the run."
        )
    text = (
        f"Most accurate, each client in its best round, is {_ahead(accuracy, ' %')}. The average client is best off "
        f"over the run under {_ahead(utility, ' money')}."
    )
    name, ahead = leading(run), lead(accuracy)
    k = run.methods.index(name)
    if not ahead.near_to(k):
        behind = float(accuracy.mean[ahead.best] - accuracy.mean[k])
        text += f" {name} is {typeset(behind, 2)} percentage points behind in accuracy."
    return text


def waterlines(run: Run) -> str:
    """Answer: under which methods somebody loses over the run, and how much."""
    lines = [metrics.waterline(run, name) for name in run.methods]
    safe = [line.method for line in lines if line.below == 0]
    parts = []
    if safe:
        parts.append(f"Under {listed(safe)} nobody does.")
        poorest = next((line for line in lines if line.method == leading(run) and line.below == 0), None)
        if poorest is not None:
            lowest = max(float(poorest.utilities[0]), 0.0)
            parts.append(f"The poorest client of {poorest.method} ends the run with {typeset(lowest)}.")
    parts += [
        f"Under {line.method} {line.below} of {line.utilities.size} clients lose; the worst ends with "
        f"{typeset(line.utilities[0])}."
        for line in lines
        if line.below
    ]
    return " ".join(parts)


def verdicts(found: Sequence[RuleVerdict]) -> str:
    """Answer: what is proved and what refuted of each rule, and what was redone for this page."""
    said = []
    for rule in dict.fromkeys(v.mechanism for v in found):
        own = [v for v in found if v.mechanism == rule]
        proved, refuted = ([v.property for v in own if v.grade == grade] for grade in ("proved", "refuted"))
        said.append(f"Of {len(own)} properties of {rule}, {len(proved)} are proved and {len(refuted)} refuted.")
    certificates = sum(v.redone and v.grade == "proved" for v in found)
    witnesses = sum(v.redone and v.grade == "refuted" for v in found)
    said.append(
        f"For this page {certificates} certificates were checked and {witnesses} counterexamples recomputed; what was "
        "only searched is quoted."
    )
    return " ".join(said)


def regions(found: Sequence[AllocationRegions]) -> str:
    """Answer: whom a buyer would import from as the costs of two sellers change."""
    first = found[0]
    one, two = first.sellers
    said = [
        f"{r.rule} buys from seller {one} on {typeset_percent(r.share(FIRST) + r.share(BOTH))} of all pairs of costs "
        f"shown and from seller {two} on {typeset_percent(r.share(SECOND) + r.share(BOTH))}"
        for r in found
    ]
    return f"Alone with client {first.buyer} as their buyer: {listed(said)}."


def imports(run: Run) -> str:
    """Answer: how many pairs of clients exchange models under each method."""
    pairs = run.clients * (run.clients - 1)
    said = [f"{m} {int((people.import_shares(run, m).share > 0).sum())}" for m in run.methods]
    return f"Of {pairs} pairs of clients, so many trade in some round: {listed(said)}."


def population(run: Run) -> str:
    """Answer: which roles there are, and how the leading method treats them; how many stay to the end."""
    name, said = leading(run), []
    k, found = run.methods.index(name), people.roles(run)
    if len(found) > 1:
        utility = people.utility_by_role(run).mean[:, k]
        parts = [f"{role} {typeset(float(value))}" for role, value in zip(found, utility, strict=True)]
        said.append(f"Under {name} the mean client of each role ends with: {listed(parts)}.")
    if not people.everybody_stays(run):
        last = people.attendance(run).mean[:, -1]
        parts = [f"{m} {float(value):.3g}" for m, value in zip(run.methods, last, strict=True)]
        said.append(f"In the last round so many of {run.clients} clients take part: {listed(parts)}.")
    return " ".join(said)


def against_optimum(run: Run, result: metrics.Optimum) -> str:
    """Answer: which share of the possible objective each method reaches."""
    parts = [
        f"{name} {'is below zero' if share < 0 else typeset_percent(float(share))}"
        for name, share in zip(result.methods, result.share, strict=True)
    ]
    return f"Of the best objective possible on its own markets: {listed(parts)}."


def lying(run: Run, curves: tuple[LieCurve, ...]) -> str:
    """Answer: under which rule a lie about the cost pays."""
    if not curves:
        return "Nobody reports a cost in this run, so that there is nothing to lie about."
    parts = []
    for curve in curves:
        lie = run.audit.methods[curve.method].lies["cost"]
        if lie.pays:
            said = near(lie.report, number(lie.report))
            parts.append(
                f"Under {curve.method} it does: client {lie.client}, whose cost is {typeset(lie.truth)}, wins "
                f"{typeset(lie.gain)} by saying {said} (seed {lie.seed}, round {lie.round})."
            )
        else:
            parts.append(f"Under {curve.method} none of {count(lie.deviations)} reports tried beats the truth.")
    return " ".join(parts)


def inequality(result: metrics.Inequality) -> str:
    """Answer: under which method utility is spread most and least evenly."""
    mean = result.gini.mean(axis=1)
    alive = [k for k in range(len(result.methods)) if np.abs(result.curves[k]).max() > 0]
    if not alive:
        return "Nobody has any utility, so that there is nothing to spread."
    ordered = sorted(alive, key=lambda k: mean[k])
    parts = [f"{result.methods[k]} {mean[k]:.2f}" for k in ordered]
    return f"Gini coefficients of clients' utilities, 0 meaning equal: {listed(parts)}."


def rounds(run: Run) -> str:
    """Answer: how the leading method moved from the first to the last round."""
    name = leading(run)
    k = run.methods.index(name)
    accuracy, utility = metrics.accuracy_rounds(run).mean[k], metrics.utility_rounds(run).mean[k]
    if run.rounds == 1:
        return f"There is one round: {name} has {typeset(accuracy[0])} % and {typeset(utility[0])} money per client."
    return (
        f"{name} goes from {typeset(accuracy[0])} % to {typeset(accuracy[-1])} % personal accuracy, and from "
        f"{typeset(utility[0])} to {typeset(utility[-1])} money per client and round."
    )
