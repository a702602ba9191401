"""How much of what was possible is reached: the objective of each method, its optimum, and welfare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from analysis.findings.base import MEASURED, REFUTED, Drawing, Evidence, Finding, always
from analysis.findings.scores import welfare
from analysis.findings.welfare import welfare_parts
from analysis.page import theme
from analysis.page.export import Table
from analysis.run.records import Run
from mechanism.market.accounting import MONEY, scale
from mechanism.space import Floats
from mechanism.wording import listed, typeset, typeset_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Optimum:
    """V_lambda reached and possible over the run, and welfare, money, ``[methods, seeds]`` each.

    ``traded``: the methods under which somebody took a model.
    """

    methods: tuple[str, ...]
    objective: Floats
    optimal: Floats
    welfare: Floats
    traded: frozenset[str]

    @property
    def share(self) -> Floats:
        """Objective over optimum, over all seeds, ``[methods]``: see `share_of_optimum`."""
        return share_of_optimum(self.objective.sum(axis=1), self.optimal.sum(axis=1))

    def below(self, k: int) -> bool:
        """Whether the method's objective is below zero: worse than no trade, whatever the optimum."""
        return bool(self.objective[k].sum() < -MONEY * scale(self.optimal[k]))

    def label(self, k: int, nothing: str = "–") -> str:
        """Return the method's share in a word: a percentage, "below 0", or ``nothing`` where no trade is best."""
        share = float(self.share[k])
        return "below 0" if self.below(k) else nothing if np.isnan(share) else typeset_percent(share)

    def no_trade(self, k: int) -> str:
        """Return what is to be said where no trade is best and nothing is lost."""
        made = "those that were made change nothing" if self.methods[k] in self.traded else "none was made"
        return f"no trade is best, and {made}"

    def words(self, k: int) -> str:
        """Return how much of the possible the method reaches, as a sentence."""
        if self.below(k):
            return "Its objective is below zero: worse than no trade."
        if np.isnan(self.share[k]):
            return f"{self.no_trade(k).capitalize()}."
        return f"It reaches {self.label(k)} of the best possible objective."


def share_of_optimum(objective: ArrayLike, optimal: ArrayLike) -> Floats:
    """Return objective / optimum; NaN where the optimum is 0: no trade is best, and a share of nothing says nothing."""
    reached, best = np.asarray(objective, dtype=np.float64), np.asarray(optimal, dtype=np.float64)
    nothing = np.full(np.broadcast(reached, best).shape, np.nan)
    return np.divide(reached, best, out=nothing, where=best > MONEY)


def optimum(run: Run) -> Optimum:
    """Return every method's objective V_lambda (reported types) beside the optimum on the same markets."""
    pairs = [[run.objectives(m, s) for s in run.seeds] for m in run.methods]
    reached = np.array([[p[0].sum() for p in row] for row in pairs])
    best = np.array([[p[1].sum() for p in row] for row in pairs])
    traded = frozenset(m for m in run.methods if run.traces[m].imports.any())
    return Optimum(run.methods, reached, best, welfare(run).values, traded)


def optimum_bars(result: Optimum, ax: Axes | None = None) -> Axes:
    """Draw per method a bar (objective reached), a black tick (optimum) and a ring (welfare); share at the right."""
    count = len(result.methods)
    ax = theme.axes(ax, height=1.3 + 0.42 * count)
    theme.style(ax, grid="x", x="money, all clients over the run")
    objective, best, welfare = (v.mean(axis=1) for v in (result.objective, result.optimal, result.welfare))
    rows = np.arange(count)
    tones = [theme.colour(int(k)) for k in rows]
    ax.barh(
        rows, objective, height=0.5, color=tones, alpha=0.85, zorder=2, label="objective reached (bar)",
        hatch=[theme.hatch(int(k)) for k in rows], edgecolor="white", linewidth=0.0,
    )  # fmt: skip
    ax.scatter(welfare, rows, s=46, facecolors="white", edgecolors=theme.INK, linewidths=1.4, zorder=4, label="welfare")
    ax.scatter(
        best, rows, s=420, marker="|", color=theme.INK, linewidths=2.4, zorder=3, label="optimum of the objective"
    )
    ax.axvline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    for k in range(count):
        theme.beside_row(ax, float(k), result.label(k), fontweight="bold")
    theme.beside_row(ax, -0.62, "of optimum", va="bottom", color=theme.SOFT)
    theme.method_rows(ax, result.methods, room=0.06, ticks=6)
    handles, words = ax.get_legend_handles_labels()
    order = sorted(range(len(words)), key=words.__getitem__)  # objective, optimum, welfare
    ax.legend(
        [handles[k] for k in order], [words[k] for k in order], loc="lower left", bbox_to_anchor=(0.0, 1.02),
        ncols=3, frameon=False, fontsize=theme.SMALL,
        labelcolor=theme.INK, handletextpad=0.5, columnspacing=1.6, borderaxespad=0.0, markerscale=0.6,
    )  # fmt: skip
    return ax


def optimum_table(result: Optimum) -> Table:
    """Return objective, optimum, share and welfare, means over seeds, a row per method."""
    rows = []
    for k, name in enumerate(result.methods):
        share = float(result.share[k])
        means = [float(v[k].mean()) for v in (result.objective, result.optimal, result.welfare)]
        rows.append((name, means[0], means[1], None if np.isnan(share) else share, means[2]))
    return Table(
        "Objective, its optimum, and welfare (money)",
        ("method", "objective", "optimum", "share", "welfare"),
        tuple(rows),
    )


def answer(_: Run, result: Optimum) -> str:
    """Answer: which share of the possible objective each method reaches, and under which no trade is best."""
    parts: list[str] = []
    idle: dict[str, list[str]] = {}
    for k, name in enumerate(result.methods):
        if result.below(k):
            parts.append(f"{name} is below zero")
        elif np.isnan(result.share[k]):
            idle.setdefault(result.no_trade(k), []).append(name)
        else:
            parts.append(f"{name} {result.label(k)}")
    said = [f"Of the best objective possible on its own markets: {listed(parts)}."] if parts else []
    return " ".join([*said, *(f"Under {listed(names)} {words}." for words, names in idle.items())])


def drawing(run: Run, result: Optimum) -> Drawing:
    """Objective against its optimum, and welfare."""
    parts = [f"{name}: {result.label(k, 'no trade is best')}" for k, name in enumerate(run.methods)]
    return Drawing(
        "Share of the optimum of the objective per method. " + "; ".join(parts) + ".",
        "A bar that reaches its black tick is the best possible set of trades for the reported types. The ring is "
        "welfare, the sum of utilities; it exceeds the objective by the difference penalties, which steer the choice "
        "and which nobody pays" + (", less what goes to the centre." if welfare_parts(run).centred else "."),
        theme.figure_of(optimum_bars(result)),
        optimum_table(result),
    )


def evidence(run: Run, result: Optimum) -> tuple[Evidence, ...]:
    """Return, per method with a market, whether the objective reached its optimum on every recorded market."""
    lines = []
    for name in run.markets:
        missed = run.audit.methods[name].optimality_gap
        reached = abs(missed) <= run.audit.tolerance * scale(result.optimal[run.methods.index(name)])
        text = (
            f"the best set of trades was found in each of {run.rounds * len(run.seeds)} clearings"
            if reached
            else f"falls short of the best sets of trades by {typeset(missed)} in all"
        )
        lines.append(Evidence(MEASURED if reached else REFUTED, name, text))
    return tuple(lines)


OPTIMUM = Finding(
    "optimum", "How much of what was possible is reached?", optimum, answer, always("optimum", drawing), evidence
)
