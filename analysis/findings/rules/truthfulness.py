"""Whether lying about one's cost pays: lie curves and regret maps, drawn, tabled, told and graded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.base import (
    REFUTED,
    SEARCHED,
    Drawing,
    Drawings,
    Evidence,
    Finding,
    label_once,
    note,
    panels,
)
from analysis.findings.rules.lies import LieCurve, RegretMap, lie_curves, one_reach, regret_map
from analysis.page import theme
from analysis.page.export import Table
from analysis.run.records import Run
from mechanism.wording import count, near, number, typeset, typeset_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_lie_curve(curve: LieCurve, ax: Axes | None = None) -> Axes:
    """Draw utility against reported cost; a black dot marks the truth, a vermilion diamond the best lie if one pays.

    Written above it is whose curve it is: client, round and seed.
    """
    ax = theme.axes(ax, 4.6, 3.4)
    theme.style(ax, grid="both", x="reported cost (money per model sold)", y="own utility in the round (money)")
    ax.axvline(curve.truth, color=theme.SOFT, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1.5)
    ax.axhline(curve.truthful_utility, color=theme.SOFT, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1.5)
    ax.plot(curve.reports, curve.utilities, color=theme.GAIN, linewidth=2.0, solid_joinstyle="miter", zorder=2)
    ax.plot(
        [curve.truth], [curve.truthful_utility], "o", color=theme.INK, markeredgecolor="white", markersize=8.5,
        label=f"truth: {typeset(curve.truth)}", zorder=4,
    )  # fmt: skip
    if curve.gain > 0:
        ax.plot(
            [curve.best_report], [curve.best_utility], "D", color=theme.LOSS, markeredgecolor="white", markersize=8,
            label=f"best lie: {typeset(curve.best_report)}", zorder=5,
        )  # fmt: skip
    ax.set_xlim(left=0.0)
    ax.margins(x=0.02, y=0.12)
    theme.never_flat(ax, "y", 0.04 * max(abs(curve.truthful_utility), 1.0))
    ax.locator_params(axis="both", nbins=6)
    ax.set_title(theme.plain(curve.method, 24), loc="left", fontsize=theme.TITLE, fontweight="bold", pad=38)
    where = f"{theme.plain(curve.who)}, round {curve.round}, seed {curve.seed}: "
    said = f"the best lie wins {typeset(curve.gain)}" if curve.gain > 0 else "no report beats the truth"
    ax.annotate(
        where + said, (0.0, 1.0), xycoords="axes fraction", xytext=(0, 22), textcoords="offset points",
        fontsize=theme.SMALL, color=theme.LOSS_TEXT if curve.gain > 0 else theme.SOFT,
    )  # fmt: skip
    ax.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False, fontsize=theme.SMALL,
        labelcolor=theme.INK, handletextpad=0.2, columnspacing=1.2, borderaxespad=0.2, borderpad=0.2,
    )  # fmt: skip
    return ax


def regret_heat(result: RegretMap, ax: Axes | None = None, *, largest: float | None = None) -> Axes:
    """Draw what every lie wins (vermilion) or loses (blue); on the dashed line the truth is told.

    ``largest``: money at full colour, so that panels can share a scale (default: this map's).
    """
    from matplotlib.colors import LinearSegmentedColormap

    ax = theme.axes(ax, 4.4, 4.0)
    theme.style(ax, grid="", x="reported cost", y="true cost")
    largest = largest or float(np.abs(result.won).max()) or 1.0
    tones = LinearSegmentedColormap.from_list("regret", [theme.GAIN, "#ffffff", theme.LOSS])
    mesh = ax.pcolormesh(
        result.costs, result.costs, result.won, cmap=tones, vmin=-largest, vmax=largest, shading="nearest",
        rasterized=True,
    )  # fmt: skip
    end, truth = float(result.costs[-1]), result.curve.truth
    ax.plot([0.0, end], [0.0, end], color=theme.INK, linewidth=1.0, linestyle=(0, (4, 3)))
    ax.plot([truth], [truth], "o", color=theme.INK, markeredgecolor="white", markersize=8, zorder=4)
    bar = theme.figure_of(ax).colorbar(mesh, ax=ax, shrink=0.85, pad=0.02)
    bar.set_label("the lie wins (money)", fontsize=theme.SMALL, color=theme.INK)
    bar.ax.tick_params(labelsize=theme.SMALL - 1, colors=theme.INK)
    bar.outline.set_visible(False)
    ax.set_xlim(0.0, end)
    ax.set_ylim(0.0, end)
    ax.set_box_aspect(1)
    ax.locator_params(nbins=5)
    said = f"a lie wins up to {typeset(result.most)}" if result.most > 0 else "no lie pays, whatever the true cost"
    ax.set_title(theme.plain(result.curve.method, 24), loc="left", fontsize=theme.TITLE, fontweight="bold", pad=20)
    theme.write(
        ax, 0.0, 1.03, said, transform=ax.transAxes, va="bottom",
        color=theme.LOSS_TEXT if result.most > 0 else theme.SOFT,
    )  # fmt: skip
    return ax


def lies_table(curves: tuple[LieCurve, ...]) -> Table:
    """Return the best lie on each curve."""
    rows = tuple(
        (
            c.method,
            c.seed,
            c.round,
            c.name or c.client,
            c.truth,
            c.truthful_utility,
            c.best_report,
            c.best_utility,
            c.gain,
        )
        for c in curves
    )
    asked = ("method", "seed", "round", "client")
    heads = (*asked, "true cost", "utility, truthful", "best report", "utility then", "gain")
    return Table("Truth and best report (money)", heads, rows)


def curves_table(curves: tuple[LieCurve, ...]) -> Table:
    """Return the lie curves point by point, with the truth and the best report marked; money."""
    rows = []
    for c in curves:
        for report, utility in zip(c.reports.tolist(), c.utilities.tolist(), strict=True):
            mark = "truth" if report == c.truth else "best lie" if c.gain > 0 and report == c.best_report else ""
            rows.append((c.method, c.seed, c.round, c.name or c.client, report, utility, mark))
    heads = ("method", "seed", "round", "client", "reported cost", "utility", "mark")
    return Table("Utility against reported cost (money)", heads, tuple(rows))


def answer(run: Run, curves: tuple[LieCurve, ...]) -> str:
    """Answer: under which rule a lie about the cost pays."""
    if not curves:
        skipped = (told for name in run.markets if (told := run.audit.methods[name].skipped) is not None)
        return next(skipped, "") or "Nobody reports a cost in this run, so that there is nothing to lie about."
    parts = []
    for curve in curves:
        lie = run.audit.methods[curve.method].lies["cost"]
        if lie.pays:
            said = near(lie.report, number(lie.report))
            parts.append(
                f"Under {curve.method} it does: {run.called(lie.client)}, whose cost is {typeset(lie.truth)}, wins "
                f"{typeset(lie.gain)} by saying {said} (seed {lie.seed}, round {lie.round})."
            )
        else:
            parts.append(f"Under {curve.method} none of {count(lie.deviations)} reports tried beats the truth.")
    return " ".join(parts)


_FLAT = 8.0
"""How much more money the whole may span than a panel before the panel keeps a scale of its own."""


def _one_scale(axes: Sequence[Axes]) -> bool:
    """Give panels one vertical scale and return True, unless a panel would be flattened by it."""
    limits = [panel.get_ylim() for panel in axes]
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    if high - low > _FLAT * min(b - a for a, b in limits):
        return False
    for panel in axes:
        panel.set_ylim(low, high)
    return True


def drawing(curves: tuple[LieCurve, ...]) -> Drawing:
    """Lie curves, one panel per method with a market, on one scale of money unless that would flatten one of them."""
    whole, axes = panels(len(curves), 2, 3.5)
    for curve, panel in zip(curves, axes, strict=True):
        draw_lie_curve(curve, panel)
        panel.set_xlim(0.0, 1.03 * float(curve.reports[-1]))
    own, apart = len(curves) > 1 and not _one_scale(axes), not one_reach(curves)
    if not own:
        label_once(axes, 2)
    if own or apart:
        scales = " and of ".join(["money"] * own + ["reported costs"] * apart)
        note(whole, f"Each panel has its own scale of {scales}.")
    parts = [
        f"{c.method}, {c.who}, round {c.round}, seed {c.seed}: true cost {typeset(c.truth)}, utility "
        f"{typeset(c.truthful_utility)}; "
        + (
            f"reporting {typeset(c.best_report)} earns {typeset(c.best_utility)}"
            if c.gain > 0
            else "no report earns more"
        )
        for c in curves
    ]
    return Drawing(
        "Utility against reported cost. " + "; ".join(parts) + ".",
        "The line is a client's own utility, computed with its true cost, for every cost that it might report while "
        "all others tell the truth. Anywhere the line rises above the dotted level of the truth, lying pays.",
        whole,
        lies_table(curves),
        curves_table(curves),
    )


def evidence(run: Run, curves: tuple[LieCurve, ...]) -> tuple[Evidence, ...]:
    """Return, per method where costs are reported, the best lie found and out of how many."""
    lines = []
    for curve in curves:
        lie = run.audit.methods[curve.method].lies["cost"]
        tried = f"{count(lie.deviations)} reports tried on this run's own markets"
        text = (
            f"a lie wins {typeset(lie.gain)} (seed {lie.seed}, round {lie.round}, {run.called(lie.client)}); {tried}"
            if lie.pays
            else f"no lie about a cost pays; {tried}" + (", among them the best one there is" if lie.exact else "")
        )
        lines.append(Evidence(REFUTED if lie.pays else SEARCHED, curve.method, text))
    return tuple(lines)


def _of(found: RegretMap) -> tuple[str, str | int, int, int]:
    return found.curve.method, found.curve.name or found.curve.client, found.curve.seed, found.curve.round


def map_table(maps: tuple[RegretMap, ...]) -> Table:
    """Return the maps point by point: what a report wins over the truth, a row per true and reported cost; money."""
    rows = tuple(
        (*_of(m), float(truth), float(report), float(m.won[i, j]))
        for m in maps
        for i, truth in enumerate(m.costs)
        for j, report in enumerate(m.costs)
    )
    heads = ("method", "client", "seed", "round", "true cost", "reported cost", "won")
    return Table("What a report wins over the truth (money)", heads, rows)


def regret_table(maps: tuple[RegretMap, ...]) -> Table:
    """Return the most that a lie wins and how many pairs of truth and report pay, a row per method."""
    rows = tuple((*_of(m), m.most, 100.0 * m.paying) for m in maps)
    heads = ("method", "client", "seed", "round", "most that a lie wins", "lies that pay (%)")
    return Table("Regret over true and reported cost (money)", heads, rows)


def draw_maps(run: Run, curves: Sequence[LieCurve]) -> Drawing:
    """Regret heat maps of the clients of lie curves, one panel per method with a market, on one scale."""
    maps = tuple(regret_map(run, curve) for curve in curves)
    whole, axes = panels(len(maps), 2, 3.7)
    largest = max(float(np.abs(one.won).max()) for one in maps) or 1.0
    for one, panel in zip(maps, axes, strict=True):
        regret_heat(one, panel, largest=largest)
    parts = [
        f"{m.curve.method}, {m.curve.who}: "
        + (
            f"{typeset_percent(m.paying)} of all pairs of true and reported cost pay, the best {typeset(m.most)}"
            if m.most > 0
            else "no pair pays"
        )
        for m in maps
    ]
    return Drawing(
        "What a client wins by reporting one cost when another is true. " + "; ".join(parts) + ".",
        "The lie curve for every true cost at once. On the dashed line the client tells the truth; vermilion to its "
        "left is an understated cost that pays, to its right an overstated one. Under a truthful rule nothing is "
        "vermilion, whatever the true cost.",
        whole,
        regret_table(maps),
        map_table(maps),
    )


def drawings(run: Run, curves: tuple[LieCurve, ...]) -> Drawings:
    """Return the lie curves, and the regret of their clients, where anybody reports a cost."""
    if not curves:
        return {}
    return {"lie-curve": partial(drawing, curves), "regret": partial(draw_maps, run, curves)}


LIES = Finding(
    "lies", "Does lying about one’s cost pay?", lie_curves, answer, drawings, evidence,
    remarks=lambda run, curves: (("Scope", (run.audit.scope,)),) if curves else (),
)  # fmt: skip
