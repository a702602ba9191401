"""What each method achieves: the answer in a few sentences, one row per method, accuracy beside utility."""

from __future__ import annotations

import numpy as np

from analysis.findings.base import Drawing, Finding, always, measured, whiskers
from analysis.findings.optimum import optimum
from analysis.findings.rules.lies import regret
from analysis.findings.scores import (
    MethodScores,
    beside,
    best_accuracy,
    final_accuracy,
    judged,
    lead,
    leading,
    mean_utility,
    of_method,
    on_effective_data,
    scores_table,
    welfare,
)
from analysis.findings.waterline import waterline
from analysis.page import theme
from analysis.page.export import Cell, Table
from analysis.run.records import Run
from mechanism.wording import count, listed, typeset

FAR_BELOW = 5.0
"""Percentage points between best and final accuracy that are worth a sentence."""


def worth(run: Run) -> str:
    """Return what the money of a run's gains follows: a law of sample sizes, or what was measured."""
    kind = run.config.get("valuation")
    measured_on = on_effective_data(run)
    if measured_on and kind not in ("measured", "fitted"):
        rest = "" if len(measured_on) == len(run.markets) else "; under the other markets, of sample sizes as reported"
        return (
            f"What a model is worth, and so the money, follows a law: under {listed(measured_on)}, of how many "
            f"samples it was measured to bring{rest}."
        )
    if kind == "measured":
        return "What a model is worth was measured, by the accuracy that it adds."
    if kind == "fitted":
        return "What a model is worth follows a law of sample sizes whose exponent was fitted to measured accuracy."
    return "What a model is worth, and so the money, follows a law of sample sizes, not the accuracy measured."


def headline(run: Run) -> str:
    """Return the report's answer in a few sentences."""
    name = leading(run)
    k = run.methods.index(name)
    accuracy, utility = best_accuracy(run), mean_utility(run)
    honest = int(run.traces[name].benign[0].sum())
    final, one = float(final_accuracy(run).mean[k]), honest == 1
    who = "1 client reaches" if one else f"{honest}{' honest' * (honest < run.clients)} clients reach"
    line = waterline(run, name)
    loses = line.losers if line.below else "no client loses over the run"
    text = (
        f"With {name}, {who} {typeset(accuracy.mean[k])} % "
        f"personal accuracy, {'' if one else 'each '}in its best round, and gain{'s' * one} "
        f"{typeset(utility.mean[k])} money{'' if one else ' each'}, on average, over {run.rounds} "
        f"round{'s' * (run.rounds != 1)}; {loses}."
    )
    if run.summary.names:
        text += f" The clients are {', '.join(f'{k} {name}' for k, name in enumerate(run.summary.names))}."
    if accuracy.mean[k] - final > FAR_BELOW:
        text += f" At the end accuracy is only {typeset(final)} %: the best round was not the last."
    if name in run.markets:
        text += f" {optimum(run).words(k)}"
    lie = run.audit.methods[name].lies.get("cost")
    if lie is not None:
        text += (
            f" A lie about a cost can win {typeset(lie.gain)}."
            if lie.pays
            else f" No lie about a cost pays ({count(lie.deviations)} tried)."
        )
    text += f" {run.audit.methods[name].skipped or ''}".rstrip()
    others = [m for m in run.markets if m != name and (found := run.audit.methods[m].lies.get("cost")) and found.pays]
    if others:
        worst = max(others, key=lambda m: run.audit.methods[m].lies["cost"].gain)
        gain = run.audit.methods[worst].lies["cost"].gain
        text += f" Under {worst} a lie wins {typeset(gain)}."
    return f"{text} {worth(run)}"


def methods_table(run: Run) -> Table:
    """Return the run in one row per method: accuracies, utility, welfare, share of the optimum, lowest utility, lie.

    Accuracy is each client's best round, as the paper counts it, and beside it where the clients ended. Where attackers
    planted a backdoor, the share of test samples with its trigger that the honest clients' models answer as they want.

    Spreads over seeds are columns of their own, absent with one seed.
    """
    accuracy, utility = best_accuracy(run), mean_utility(run)
    final = final_accuracy(run)
    total, best, found = welfare(run), optimum(run), regret(run)
    spreads = len(run.seeds) > 1
    plus = ["±"] if spreads else []
    columns = ["method", "best accuracy (%)", *plus, "final accuracy (%)", *plus, "mean utility", *plus]
    columns += ["welfare", "of optimum (%)", "lowest utility in a round", "best cost lie wins"]
    attacked = {name: told["attack_success"] for name, told in run.summary.methods.items() if "attack_success" in told}
    columns += ["attack success (%)"] if attacked else []
    rows: list[tuple[Cell, ...]] = []
    for k, name in enumerate(run.methods):
        share = float(best.share[k])
        row: list[Cell] = [name]
        for score in (accuracy, final, utility):
            row += [float(score.mean[k])] + ([of_method(score.spread, k)] if spreads else [])
        row += [float(total.mean[k]), None if np.isnan(share) else 100.0 * share]
        told = run.audit.methods[name]
        row += [told.lowest_utility["client"], "skipped" if told.skipped else found.get(name)]
        row += [100.0 * attacked[name] if name in attacked else None] if attacked else []
        rows.append(tuple(row))
    return Table("All methods: money over the run, means over seeds and clients", tuple(columns), tuple(rows))


Scores = tuple[MethodScores, MethodScores]
"""Best personal accuracy and mean utility of every method."""


def achieved(run: Run) -> Scores:
    """Return accuracy beside utility."""
    return best_accuracy(run), mean_utility(run)


def _ahead(scores: MethodScores, unit: str) -> str:
    """Return which method is ahead and whether that is beyond noise (`scores.lead`), as the end of a sentence."""
    found, name = lead(scores), scores.methods
    shown = f"{typeset(float(scores.mean[found.best]))}{unit}"
    if found.near is None:
        return f"{name[found.best]} ({shown}; one seed, so that it may be chance)"
    if not found.near:
        return f"{name[found.best]} ({shown})"
    others = listed(name[k] for k in found.near)
    return f"{name[found.best]} ({shown}), not told apart over {scores.seeds} seeds from {others}"


def answer(run: Run, scores: Scores) -> str:
    """Answer: which method is most accurate, which leaves the average client best off, and what a market costs."""
    accuracy, utility = scores
    if len(run.methods) == 1:
        return (
            f"{run.methods[0]} reaches {typeset(accuracy.mean[0])} % in the best rounds and leaves the average client "
            f"{typeset(utility.mean[0])} money over the run. {judged(run)}"
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
    return f"{text} {judged(run)}"


def drawing(run: Run, scores: Scores) -> Drawing:
    """Accuracy beside utility per method."""
    accuracy, utility = scores
    whole = beside(accuracy, utility)
    left, right = whole.axes
    left.set_title("Best personal accuracy", loc="left", fontsize=theme.TITLE, fontweight="bold", pad=8)
    right.set_title("Mean utility of a client", loc="left", fontsize=theme.TITLE, fontweight="bold", pad=8)
    right.set_xlabel("money over the run", fontsize=theme.BODY)
    parts = [
        f"{name}: {typeset(float(a))} percent and {typeset(float(u))}"
        for name, a, u in zip(run.methods, accuracy.mean, utility.mean, strict=True)
    ]
    return Drawing(
        "Accuracy and utility per method. " + "; ".join(parts) + ".",
        "Dots further right are better in both panels; left of the zero line the average client is worse off than "
        "if it had trained alone." + whiskers(len(run.seeds)),
        whole,
        scores_table(accuracy, utility),
    )


ACHIEVED = Finding(
    "achieved", "What does each method achieve, in accuracy and in utility?",
    achieved, answer, always("accuracy-and-utility", drawing), measured,
)  # fmt: skip
