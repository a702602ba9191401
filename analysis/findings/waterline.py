"""Whether anybody loses by taking part: every client's utility against zero; nobody under it is rationality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.base import MEASURED, REFUTED, Drawing, Evidence, Finding, always, label_once, panels
from analysis.findings.scores import client_utility, leading, slack
from analysis.page import theme
from analysis.page.export import Table
from analysis.run.records import Run
from mechanism.space import Floats
from mechanism.wording import listed, typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


WATER = "#e8f1f8"


@dataclass(frozen=True, eq=False)
class Waterline:
    """Every client's utility over the run under one method, rising: ``utilities`` ``[seeds * m]``, money."""

    method: str
    utilities: Floats
    tolerance: float

    @property
    def below(self) -> int:
        """Number of clients whose utility is below zero by more than the tolerance."""
        return int((self.utilities < -self.tolerance).sum())

    @property
    def losers(self) -> str:
        """How many clients lose, of how many."""
        return f"{self.below} of {self.utilities.size} clients lose"


def waterline(run: Run, method: str) -> Waterline:
    """Return a method's waterline, all seeds pooled (no averaging that could hide a loss)."""
    pooled = np.sort(client_utility(run, method).ravel())
    return Waterline(method, pooled, run.rounds * slack(run, method))


def waterline_summary(line: Waterline) -> str:
    """Return the panel's line of words: how many clients are at or above zero."""
    count = line.utilities.size
    if line.below == 0:
        return f"all {count} at or above zero" if count > 1 else "at or above zero"
    return f"{line.below} of {count} below zero"


def waterline_bars(line: Waterline, ax: Axes | None = None, *, limits: tuple[float, float] | None = None) -> Axes:
    """Draw one bar per client (and seed), poorest first; blue above the waterline, vermilion below.

    ``limits``: lowest and highest utility to make room for, so that panels can share a scale (default: this line's).
    """
    ax = theme.axes(ax)
    theme.style(ax, grid="y", x="clients, poorest first", y="utility over the run (money)")
    sunk = line.utilities < -line.tolerance
    tones = np.where(sunk, theme.LOSS, theme.GAIN)
    width = 0.82 if line.utilities.size <= 40 else 1.0
    ax.bar(np.arange(line.utilities.size), line.utilities, width, color=list(tones), linewidth=0, zorder=2)
    ax.axhline(0.0, color=theme.ZERO, linewidth=1.4, zorder=3)
    ax.set_xlim(-0.8, line.utilities.size - 0.2)
    low, high = limits or (float(line.utilities.min()), float(line.utilities.max()))
    low, high = min(0.0, low), max(0.0, high)
    room = 0.08 * (high - low)
    if high - low == 0.0:
        low, high = -1.0, 1.0
    ax.axhspan(low - room, 0.0, color=WATER, linewidth=0, zorder=0)
    ax.set_ylim(low - room, high + room)
    ax.set_xticks([])
    ax.locator_params(axis="y", nbins=6)
    ax.set_title(theme.plain(line.method, 19), loc="left", fontsize=theme.BODY, fontweight="bold", pad=20)
    tone = theme.LOSS_TEXT if line.below else theme.SOFT
    theme.write(ax, 0.0, 1.03, waterline_summary(line), transform=ax.transAxes, va="bottom", color=tone)
    return ax


def utilities_table(run: Run) -> Table:
    """Return every client's utility over the run (money), a row per client and seed, a column per method."""
    each = {name: client_utility(run, name) for name in run.methods}
    rows = [
        (seed, run.cells[client], *(float(each[name][s, client]) for name in run.methods))
        for s, seed in enumerate(run.seeds)
        for client in range(run.clients)
    ]
    return Table("Utility of every client over the run (money)", ("seed", "client", *run.methods), tuple(rows))


def answer(run: Run, lines: tuple[Waterline, ...]) -> str:
    """Answer: under which methods somebody loses over the run, and how much."""
    safe = [line for line in lines if line.below == 0]
    parts = []
    if safe:
        parts.append(f"Under {listed(line.method for line in safe)} nobody does.")
        parts += [
            f"The poorest client of {line.method} ends the run with {typeset(max(float(line.utilities[0]), 0.0))}."
            for line in safe
            if line.method == leading(run)
        ]
    parts += [
        f"Under {line.method} {line.losers}; the worst ends with {typeset(line.utilities[0])}."
        for line in lines
        if line.below
    ]
    return " ".join(parts)


def drawing(run: Run, lines: tuple[Waterline, ...]) -> Drawing:
    """Every client's utility against zero, one panel per method on one scale."""
    across = 4 if len(lines) > 3 else 3
    whole, axes = panels(len(lines), across, 2.7)
    limits = min(float(line.utilities.min()) for line in lines), max(float(line.utilities.max()) for line in lines)
    for line, panel in zip(lines, axes, strict=True):
        waterline_bars(line, panel, limits=limits)
    label_once(axes, across, ticks=False)
    words = [f"{line.method}: {waterline_summary(line)}" for line in lines]
    return Drawing(
        "Utility of every client against zero. " + "; ".join(words) + ".",
        "One bar is one client" + (" of one seed" if len(run.seeds) > 1 else "")
        + ". A bar under the waterline (vermilion) is a client that would have been better off staying away: "
        "the method is not individually rational for it. All panels share one scale.",
        whole,
        utilities_table(run),
    )  # fmt: skip


def evidence(run: Run, _: object = None) -> tuple[Evidence, ...]:
    """Return, per method, whether any client's recorded utility was below zero in any round."""
    lines = []
    for name in run.methods:
        utility = run.traces[name].utility
        below = int((utility < -slack(run, name)).sum())
        text = (
            f"none of the {utility.size} recorded utilities (client × round × seed) is below zero"
            if below == 0
            else f"{below} of {utility.size} recorded utilities are below zero, the lowest {typeset(utility.min())}"
        )
        lines.append(Evidence(REFUTED if below else MEASURED, name, text))
    return tuple(lines)


WATERLINE = Finding(
    "waterline", "Does anybody lose by taking part?", lambda run: tuple(waterline(run, name) for name in run.methods),
    answer, always("waterline", drawing), evidence,
)  # fmt: skip
