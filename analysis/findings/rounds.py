"""Whether it holds over the rounds: a quantity per round, one line per method, named at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.base import Drawing, Finding, always, measured
from analysis.findings.scores import MethodScores, leading
from analysis.page import theme
from analysis.page.export import Table
from analysis.run.ledger import mean_where
from analysis.run.records import Run
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class RoundCurves(MethodScores):
    """A number per round: ``values`` ``[methods, seeds, rounds]``, the mean over clients, in ``unit``."""


def accuracy_rounds(run: Run) -> RoundCurves:
    """Mean personal accuracy of the benign clients that take part, per round, percent."""
    traces = [run.traces[m] for m in run.methods]
    values = np.stack([100.0 * mean_where(t.accuracy, t.benign[:, None] & t.present) for t in traces])
    return RoundCurves("Personal accuracy", "%", run.methods, values)


def utility_rounds(run: Run) -> RoundCurves:
    """Mean benign client's utility per round, money."""
    traces = [run.traces[m] for m in run.methods]
    values = np.stack([mean_where(t.utility, np.broadcast_to(t.benign[:, None], t.utility.shape)) for t in traces])
    return RoundCurves("Utility per client and round", "money", run.methods, values)


def round_curves(curves: RoundCurves, ax: Axes | None = None, *, zero: bool = False) -> Axes:
    """Draw the mean over seeds per round, a band of one standard deviation, names at the right, never overlapping.

    ``zero`` draws the zero line.
    """
    ax = theme.axes(ax, height=max(3.0, 0.24 * len(curves.methods) + 0.9))
    theme.style(ax, grid="y", title=f"{curves.name} ({curves.unit})", x="round")
    mean, spread = curves.mean, curves.spread
    rounds = np.arange(1, mean.shape[1] + 1)
    if zero:
        ax.axhline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    for k in range(len(curves.methods)):
        tone = theme.colour(k)
        if spread is not None:
            ax.fill_between(rounds, mean[k] - spread[k], mean[k] + spread[k], color=tone, alpha=0.15, linewidth=0)
        marker = theme.mark(k) if mean.shape[1] <= 12 else ""
        ax.plot(
            rounds, mean[k], color=tone, linestyle=theme.line(k), linewidth=2.0, marker=marker, markersize=4, zorder=3,
            clip_on=False,
        )  # fmt: skip
    ax.margins(x=0.02, y=0.08)
    ax.set_xlim(rounds[0] - (0.5 if rounds.size == 1 else 0.02 * rounds.size), rounds[-1])
    ax.set_xticks(rounds[theme.thinned(rounds.size, 13)])
    theme.never_flat(ax, "y", 0.02 * max(1.0, float(np.abs(mean).max())))
    low, high = ax.get_ylim()
    # Height in inches before the layout takes its part for titles and labels: about a fifth.
    height = float(theme.figure_of(ax).get_size_inches()[1] * ax.get_position().height)
    gap = (high - low) * (theme.SMALL * 1.3 / 72.0) / (0.8 * height)
    places = -theme.apart(-mean[:, -1], gap, -high, -low)  # ties from the top down
    for k, name in enumerate(theme.names(curves.methods)):
        ax.annotate(
            name, xy=(1.0, mean[k, -1]), xycoords=ax.get_yaxis_transform(), xytext=(1.05, places[k]),
            textcoords=ax.get_yaxis_transform(), va="center", fontsize=theme.SMALL, color=theme.INK,
            arrowprops={"arrowstyle": "-", "color": theme.colour(k), "linestyle": theme.line(k), "linewidth": 1.6}
            | {"shrinkA": 2, "shrinkB": 0, "relpos": (0.0, 0.5)},
        )  # fmt: skip
    ax.set_ylim(low, high)
    return ax


def rounds_table(*curves: RoundCurves, bands: bool = False) -> Table:
    """Return the mean over clients and seeds of each quantity, a row per round; with ``bands`` all that is drawn.

    That is the standard deviation over seeds of each mean as well, where it is known.
    """
    heads, columns = ["round"], []
    for c in curves:
        spread = c.spread if c.spread is not None else [None] * len(c.methods)
        for name, mean, deviation in zip(c.methods, c.mean, spread, strict=True):
            heads += [f"{sign}{c.name}, {name} ({c.unit})" for sign in (("", "± ") if bands else ("",))]
            columns += [mean, deviation] if bands else [mean]
    rows = tuple(
        (r + 1, *(None if column is None else float(column[r]) for column in columns))
        for r in range(curves[0].mean.shape[1])
    )
    what = "clients, then mean and standard deviation over seeds" if bands else "clients and seeds"
    return Table(f"Per round, means over {what}", tuple(heads), rows)


Curves = tuple[RoundCurves, RoundCurves]
"""Accuracy and utility of every method, per round."""


def over_rounds(run: Run) -> Curves:
    """Return accuracy and utility over the rounds."""
    return accuracy_rounds(run), utility_rounds(run)


def answer(run: Run, curves: Curves) -> str:
    """Answer: how the leading method moved from the first to the last round."""
    name = leading(run)
    accuracy, utility = (one.mean[run.methods.index(name)] for one in curves)
    if run.rounds == 1:
        return f"There is one round: {name} has {typeset(accuracy[0])} % and {typeset(utility[0])} money per client."
    return (
        f"{name} goes from {typeset(accuracy[0])} % to {typeset(accuracy[-1])} % personal accuracy, and from "
        f"{typeset(utility[0])} to {typeset(utility[-1])} money per client and round."
    )


def drawing(run: Run, curves: Curves) -> Drawing:
    """Accuracy and utility over the rounds."""
    accuracy, utility = curves
    each = max(2.6, 0.22 * len(run.methods) + 0.9)
    whole = theme.figure(theme.WIDTH, 2 * each)
    top, bottom = whole.subplots(2, 1)
    round_curves(accuracy, top)
    round_curves(utility, bottom, zero=True)
    top.set_xlabel("")
    parts = [
        f"{name}: {typeset(float(accuracy.mean[k, 0]))} to {typeset(float(accuracy.mean[k, -1]))} percent"
        for k, name in enumerate(run.methods)
    ]
    band = " Bands are one standard deviation over seeds." if len(run.seeds) > 1 else ""
    return Drawing(
        f"Accuracy and utility over {run.rounds} rounds, means over clients. " + "; ".join(parts) + ".",
        "Whether accuracy is still rising when the run ends, and whether utility holds steady: the market is cleared "
        "anew every round, on the differences between that round's models." + band,
        whole,
        rounds_table(*curves),
        rounds_table(*curves, bands=True),
    )


ROUNDS = Finding("rounds", "Does it hold over the rounds?", over_rounds, answer, always("rounds", drawing), measured)
