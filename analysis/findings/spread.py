"""How evenly utility is spread: Lorenz curves with their Gini coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.findings.base import Drawing, Finding, always, measured
from analysis.findings.scores import client_utility, of_method, spread
from analysis.page import theme
from analysis.page.export import Cell, Table
from analysis.run.records import Run
from mechanism.space import Floats
from mechanism.wording import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def gini(amounts: ArrayLike) -> Floats:
    r"""Return the Gini coefficient along the last axis, defined for losses too.

    .. math:: G = \sum_{i,j} |y_i - y_j| \;/\; (2 m \sum_i |y_i|)

    With no negative amount this is the usual coefficient. With losses the usual one, which divides by the mean, can
    exceed 1 or divide by zero; dividing by the mean *absolute* amount keeps it in [0, 1). All zero: 0.
    Source: Raffinetti, Siletti and Vernizzi (2015), up to their factor m/(m-1).
    """
    y = np.sort(np.asarray(amounts, dtype=np.float64), axis=-1)
    m = y.shape[-1]
    weights = 2.0 * np.arange(1, m + 1) - m - 1.0
    total = np.abs(y).sum(axis=-1)
    return np.divide((weights * y).sum(axis=-1), m * total, out=np.zeros_like(total), where=total > 0)


def lorenz(amounts: ArrayLike) -> Floats:
    """Return the Lorenz curve ``[..., m + 1]``: cumulative amounts from the poorest up, over the sum of |amounts|.

    Starts at 0 and ends at sum / sum of |amounts| (1 without losses); it dips below zero where clients lose. Twice the
    area between it and the straight line from its start to its end is `gini`. All zero: flat at 0.
    """
    y = np.sort(np.asarray(amounts, dtype=np.float64), axis=-1)
    total = np.abs(y).sum(axis=-1, keepdims=True)
    steps = np.divide(y, total, out=np.zeros_like(y), where=total > 0)
    start = np.zeros((*y.shape[:-1], 1))
    return np.concatenate([start, np.cumsum(steps, axis=-1)], axis=-1)


@dataclass(frozen=True, eq=False)
class Inequality:
    """Lorenz curves ``[methods, m + 1]`` (mean over seeds) at ``population`` ``[m + 1]``, Gini ``[methods, seeds]``."""

    methods: tuple[str, ...]
    population: Floats
    curves: Floats
    gini: Floats

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Under which methods nobody has any utility ``[methods]``: then there is nothing to spread."""
        return np.asarray(np.abs(self.curves).max(axis=1) == 0)


def inequality(run: Run) -> Inequality:
    """Return how evenly each method spreads utility over clients (utility over the run)."""
    utilities = [client_utility(run, m) for m in run.methods]
    return Inequality(
        run.methods,
        np.linspace(0.0, 1.0, run.clients + 1),
        np.stack([lorenz(u).mean(axis=0) for u in utilities]),
        np.stack([gini(u) for u in utilities]),
    )


def lorenz_curves(result: Inequality, ax: Axes | None = None) -> Axes:
    """Draw the share of utility held by the poorest clients, a line per method; the key lists Gini, most even first.

    A method under which nobody has any utility has no curve; the key says so.
    """
    ax = theme.axes(ax, height=3.8)
    theme.style(ax, grid="both", x="share of clients, poorest first (%)", y="share of all |utility| (%)")
    people = 100 * result.population
    ax.plot([0, 100], [0, 100], color=theme.NEUTRAL, linewidth=1.0, linestyle=(0, (4, 3)), label="all equal")
    mean = result.gini.mean(axis=1)
    empty = result.empty
    for k in np.lexsort((mean, empty)):
        name = theme.plain(result.methods[k], 22)
        if empty[k]:
            ax.plot([], [], linestyle="", label=f"{name}: no utility")
            continue
        ax.plot(
            people, 100 * result.curves[k], color=theme.colour(int(k)), linestyle=theme.line(int(k)), linewidth=2.0,
            zorder=3, label=f"{name}: Gini {mean[k]:.2f}",
        )  # fmt: skip
    ax.axhline(0.0, color=theme.ZERO, linewidth=1.0, zorder=1.5)
    ax.set_xlim(0, 100)
    ax.margins(y=0.04)
    ax.legend(
        loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=theme.SMALL, labelcolor=theme.INK,
        title="most even first", title_fontsize=theme.SMALL, alignment="left",
    )  # fmt: skip
    return ax


def lorenz_table(result: Inequality) -> Table:
    """Return the Lorenz curves: the share of all |utility| that the poorest share of clients holds, per method."""
    rows = tuple(
        (float(p), *(float(curve[k]) for curve in result.curves)) for k, p in enumerate(result.population.tolist())
    )
    return Table("Lorenz curves, means over seeds", ("share of clients, poorest first", *result.methods), rows)


def inequality_table(result: Inequality) -> Table:
    """Return each method's Gini coefficient (mean and spread over seeds) and the poorest half's share.

    Nothing where nobody has any utility.
    """
    half = result.population.searchsorted(0.5)
    rows: list[tuple[Cell, ...]] = [
        (name, None, None, None)
        if result.empty[k]
        else (name, float(result.gini[k].mean()), of_method(spread(result.gini), k), float(result.curves[k][half]))
        for k, name in enumerate(result.methods)
    ]
    return Table("Inequality of utility", ("method", "Gini", "±", "share of the poorer half"), tuple(rows))


def answer(_: Run, result: Inequality) -> str:
    """Answer: under which method utility is spread most and least evenly."""
    mean = result.gini.mean(axis=1)
    alive = np.flatnonzero(~result.empty)
    if not alive.size:
        return "Nobody has any utility, so that there is nothing to spread."
    parts = [f"{result.methods[k]} {mean[k]:.2f}" for k in sorted(alive, key=lambda k: float(mean[k]))]
    return f"Gini coefficients of clients' utilities, 0 meaning equal: {listed(parts)}."


def drawing(_: Run, result: Inequality) -> Drawing:
    """Lorenz curves of utility."""
    parts = [
        f"{name}: no utility" if result.empty[k] else f"{name}: Gini {result.gini[k].mean():.2f}"
        for k, name in enumerate(result.methods)
    ]
    return Drawing(
        "Lorenz curves of utility. " + "; ".join(parts) + ".",
        "The nearer a curve is to the dashed line, the more evenly utility is spread. A curve that dips below zero "
        "belongs to a method under which some clients lose; amounts are shares of the sum of absolute utilities, so "
        "that the Gini coefficient stays between 0 and 1 then too.",
        theme.figure_of(lorenz_curves(result)),
        inequality_table(result),
        lorenz_table(result),
    )


SPREAD = Finding("spread", "How evenly is utility spread?", inequality, answer, always("lorenz", drawing), measured)
