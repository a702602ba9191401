"""What each method achieves: accuracy beside utility."""

from __future__ import annotations

from analysis.findings.base import Drawing, Finding, always, measured, whiskers
from analysis.findings.scores import (
    MethodScores,
    beside,
    best_accuracy,
    judged,
    lead,
    leading,
    mean_utility,
    scores_table,
)
from analysis.page import theme
from analysis.run.records import Run
from mechanism.wording import listed, typeset

Scores = tuple[MethodScores, MethodScores]
"""Best personal accuracy and mean utility of every method."""


def achieved(run: Run) -> Scores:
    """Return accuracy beside utility."""
    return best_accuracy(run), mean_utility(run)


def _ahead(scores: MethodScores, unit: str) -> str:
    """Return which method is ahead and whether by more than seeds differ (`scores.lead`), as the end of a sentence."""
    found, name = lead(scores), scores.methods
    shown = f"{typeset(float(scores.mean[found.best]))}{unit}"
    if found.near is None:
        return f"{name[found.best]} ({shown}; one seed, so that it may be chance)"
    if not found.near:
        return f"{name[found.best]} ({shown})"
    others = listed(name[k] for k in found.near)
    return f"{name[found.best]} ({shown}), about equal to {others}: within the spread over {scores.seeds} seeds"


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
