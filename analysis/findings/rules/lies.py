"""Whether lying about one's cost pays: a client's true utility against what it reports, all others truthful."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.findings.base import REFUTED, SEARCHED, Drawing, Evidence, label_once, note, panels
from analysis.findings.rules.reports import end_of_selling, refined, utility_of_reports
from analysis.findings.scores import known
from analysis.page import theme
from analysis.page.tables import Table
from analysis.run.records import Run
from mechanism.market.accounting import MONEY, scale
from mechanism.wording import count, near, number, typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LieCurve:
    """Utility of one client against its own reported cost, in one recorded market; all in money.

    ``reports`` rising ``[k]``, ``utilities`` ``[k]`` accounted with the true types. ``best_report`` is where the
    largest utility was found, by the audit's search or on this curve; ``gain`` is what it wins over the truth, 0 when
    no report beats the truth by more than the tolerance for money.
    """

    method: str
    mechanism: str
    seed: int
    round: int
    client: int
    truth: float
    reports: Real
    utilities: Real
    truthful_utility: float
    best_report: float
    best_utility: float
    gain: float


def lie_curve(
    run: Run,
    method: str,
    *,
    seed: int,
    round_number: int,
    client: int,
    report: float,
    points: int = 161,
    reach: float = 0.0,
) -> LieCurve:
    """Compute the lie curve of a client in a recorded round, on a grid that holds the truth and ``report``.

    The grid reaches from 0 to past the truth, ``report`` and the largest marginal worth at which the client still
    sells (found by doubling), so that the whole shape is seen, and at least to ``reach`` (money).

    Raises
    ------
    UnknownNameError
        If the run has no such method, or it has no market mechanism or one that is not in the catalogue.
    """
    mechanism = run.mechanisms[known(run, method)]
    record = run.market_round(method, seed, round_number)
    utility = utility_of_reports(record, str(mechanism), client)
    truth = float(record.cost[client])
    end = max(end_of_selling(utility, truth, report), reach)
    grid = np.union1d(np.linspace(0.0, end, points), [truth, max(report, 0.0)])
    reports, utilities = refined(utility, grid)
    truthful = float(utilities[np.searchsorted(reports, truth)])
    told = int(np.searchsorted(reports, max(report, 0.0)))
    best = told if utilities[told] >= utilities.max() - MONEY * scale(utilities) else int(np.argmax(utilities))
    gain = float(utilities[best]) - truthful
    if gain <= MONEY * scale(utilities):
        best, gain = int(np.searchsorted(reports, truth)), 0.0
    return LieCurve(
        method, str(mechanism), seed, round_number, client, truth, reports, utilities, truthful, float(reports[best]),
        float(utilities[best]), gain,
    )  # fmt: skip


def lie_curves(run: Run, coordinate: str = "cost") -> tuple[LieCurve, ...]:
    """Return one lie curve per method with a market, at the best lie that the audit found.

    A method under which no lie pays is shown where the worst lie of the other methods was found (the same seed, round
    and client), so that the curves can be compared; with no lie at all, at the client that sells most. All reach as far
    as the furthest, unless that presses one of them into a corner (`one_reach`).
    """
    found = {m: run.audit.methods[m].lies.get(coordinate) for m in run.markets}
    lies = {m: lie for m, lie in found.items() if lie is not None}
    if not lies:
        return ()
    worst = max(lies.values(), key=lambda lie: lie.gain)
    places: dict[str, dict[str, Any]] = {}
    for method, lie in lies.items():
        place = lie if lie.pays else worst
        client = place.client
        if not worst.pays:
            sold = run.traces[method].exports[run.seeds.index(place.seed), place.round - 1]
            client = int(np.argmax(sold))
        record = run.market_round(method, place.seed, place.round)
        if not record.present[client]:  # it takes part under the other method only
            client = int(np.argmax(record.imports.sum(axis=0)))
        report = lie.report if lie.pays else float(record.cost[client])
        places[method] = {
            "seed": place.seed, "round_number": place.round, "client": client, "report": report
        }  # fmt: skip
    curves = tuple(lie_curve(run, method, **places[method]) for method in places)
    if not one_reach(curves):
        return curves
    furthest = max(float(curve.reports[-1]) for curve in curves)
    return tuple(
        curve if curve.reports[-1] == furthest else lie_curve(run, curve.method, **places[curve.method], reach=furthest)
        for curve in curves
    )


_APART = 8.0
"""How much further one curve may reach than another before each keeps a range of its own."""


def one_reach(curves: Sequence[LieCurve]) -> bool:
    """Return whether curves can be drawn over one range of reports without pressing any of them into a corner."""
    ends = [float(curve.reports[-1]) for curve in curves]
    return max(ends) <= _APART * min(ends)


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
    where = f"client {curve.client}, round {curve.round}, seed {curve.seed}: "
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


def lies_table(curves: tuple[LieCurve, ...]) -> Table:
    """Return the best lie on each curve."""
    rows = tuple(
        (c.method, c.seed, c.round, c.client, c.truth, c.truthful_utility, c.best_report, c.best_utility, c.gain)
        for c in curves
    )
    heads = (
        "method",
        "seed",
        "round",
        "client",
        "true cost",
        "utility, truthful",
        "best report",
        "utility then",
        "gain",
    )
    return Table("Truth and best report (money)", heads, rows)


def curves_table(curves: tuple[LieCurve, ...]) -> Table:
    """Return the lie curves point by point, with the truth and the best report marked; money."""
    rows = []
    for c in curves:
        for report, utility in zip(c.reports.tolist(), c.utilities.tolist(), strict=True):
            mark = "truth" if report == c.truth else "best lie" if c.gain > 0 and report == c.best_report else ""
            rows.append((c.method, c.seed, c.round, c.client, report, utility, mark))
    heads = ("method", "seed", "round", "client", "reported cost", "utility", "mark")
    return Table("Utility against reported cost (money)", heads, tuple(rows))


def regret(run: Run, coordinate: str = "cost") -> dict[str, float]:
    """Return the largest gain found by lying about a coordinate, money, for each method where somebody reports it."""
    found = {m: run.audit.methods[m].lies.get(coordinate) for m in run.methods}
    return {m: lie.gain for m, lie in found.items() if lie is not None}


def answer(run: Run, curves: tuple[LieCurve, ...]) -> str:
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
        f"{c.method}, client {c.client}, round {c.round}, seed {c.seed}: true cost {typeset(c.truth)}, utility "
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
            f"a lie wins {typeset(lie.gain)} (seed {lie.seed}, round {lie.round}, client {lie.client}); {tried}"
            if lie.pays
            else f"no lie about a cost pays; {tried}" + (", among them the best one there is" if lie.exact else "")
        )
        lines.append(Evidence(REFUTED if lie.pays else SEARCHED, curve.method, text))
    return tuple(lines)
