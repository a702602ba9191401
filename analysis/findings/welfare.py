"""What the imports are worth, and what they cost: welfare taken apart, and the money that moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.base import Drawing, Finding, always, measured
from analysis.findings.money import kept_or_added, paid_to_centre
from analysis.findings.scores import of_method, slack, spread
from analysis.page import theme
from analysis.page.export import Table
from analysis.run.records import Run
from mechanism.market.accounting import MONEY
from mechanism.space import Floats
from mechanism.wording import typeset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


CENTRE = "#cc79a7"
"""What no client has: money that stays with the centre (reddish purple)."""


@dataclass(frozen=True, eq=False)
class WelfareParts:
    """Sums over clients and rounds, money, ``[methods, seeds]`` each: ``welfare`` = ``gain`` - ``cost`` - ``centre``.

    ``moved`` is all money that clients paid one another, gross. Every such payment is received, so that it is no part
    of welfare: it decides who has how much of it. ``centre`` is what clients paid the centre less what it paid them (0
    but for two-sided rules): that no client has. ``welfare`` is the sum of the clients' utilities.
    """

    methods: tuple[str, ...]
    gain: Floats
    cost: Floats
    moved: Floats
    centre: Floats
    welfare: Floats

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return int(self.gain.shape[1])

    @property
    def surplus(self) -> Floats:
        """What there is to share, ``gain`` - ``cost``: welfare and what the centre keeps ``[methods, seeds]``."""
        return self.gain - self.cost

    @property
    def centred(self) -> bool:
        """Whether the centre keeps or adds any money under any method."""
        return bool(np.any(self.centre))

    def means(self) -> list[tuple[str, float, float, float, float, float]]:
        """Return of each method its name, gain, cost, money moved, centre and welfare, means over seeds."""
        parts = (self.gain, self.cost, self.moved, self.centre, self.welfare)
        return [(name, *(float(v[k].mean()) for v in parts)) for k, name in enumerate(self.methods)]  # type: ignore[misc]

    @property
    def spread(self) -> Floats | None:
        """Sample standard deviation of welfare over seeds ``[methods]``, None with one seed."""
        return spread(self.welfare)


def welfare_parts(run: Run) -> WelfareParts:
    """Return gain, cost, payments, what goes to the centre, and welfare of every method of a run."""

    def total(name: str) -> Floats:
        return np.stack([getattr(run.traces[m], name).sum(axis=(1, 2)) for m in run.methods])

    gain, cost, paid, utility = (total(name) for name in ("gain", "cost", "paid", "utility"))
    centre = np.stack([_kept(paid_to_centre(run.traces[m], slack(run, m))) for m in run.methods])
    return WelfareParts(run.methods, gain, cost, paid, centre, utility)


def _kept(centre: Floats) -> Floats:
    """Return what the centre keeps ``[seeds]`` of what it is paid ``[seeds, rounds, m]``; rounding of a sum is 0."""
    kept, moved = centre.sum(axis=(1, 2)), np.abs(centre).sum(axis=(1, 2))
    return np.where(np.abs(kept) <= MONEY * np.maximum(1.0, moved), 0.0, kept)


def parts_table(parts: WelfareParts) -> Table:
    """Return the parts, means over seeds, a row per method: gain - cost - to the centre = welfare."""
    rows = tuple((*means, of_method(parts.spread, k)) for k, means in enumerate(parts.means()))
    heads = ("method", "gain", "cost", "payments", "to the centre", "welfare", "±")
    return Table("Welfare taken apart (money): gain − cost − to the centre = welfare", heads, rows)


def welfare_bars(parts: WelfareParts, ax: Axes | None = None) -> Axes:
    """Draw per method gain (blue), cost (vermilion), welfare (ring) and the money that changed hands (hatched).

    What goes to the centre (purple), where any does, prolongs the cost; what the centre adds prolongs the gain: so the
    ring, the sum of the clients' utilities, is always the length to the right less the length to the left. Welfare
    stands at the right as a number; its whisker is one standard deviation over seeds (none with one seed).
    """
    count = len(parts.methods)
    ax = theme.axes(ax, height=1.3 + 0.5 * count)
    theme.style(ax, grid="x", x="money, all clients over the run")
    gain, cost, moved, centre, welfare = (
        v.mean(axis=1) for v in (parts.gain, parts.cost, parts.moved, parts.centre, parts.welfare)
    )
    rows = np.arange(count)
    ax.barh(rows - 0.08, gain, height=0.4, color=theme.GAIN, zorder=2, label="gain of importers")
    ax.barh(rows - 0.08, -cost, height=0.4, color=theme.LOSS, zorder=2, label="cost of exporters")
    ax.barh(
        rows + 0.24, moved, height=0.16, color="white", edgecolor=theme.SOFT, hatch="/////", linewidth=0.8, zorder=2,
        label="payments",
    )  # fmt: skip
    if parts.centred:
        at = np.flatnonzero(centre)
        start = np.where(centre > 0, -cost, gain)
        ax.barh(rows[at] - 0.08, -centre[at], left=start[at], height=0.4, color=CENTRE, zorder=2, label="to the centre")
    spread = parts.spread
    if spread is not None:
        ax.errorbar(welfare, rows - 0.08, xerr=spread, fmt="none", ecolor=theme.INK, capsize=3.5, zorder=3)
    ax.scatter(
        welfare, rows - 0.08, s=46, facecolors="white", edgecolors=theme.INK, linewidths=1.4, zorder=4,
        label="welfare: gain − cost − to the centre" if parts.centred else "welfare: gain − cost",
    )  # fmt: skip
    ax.axvline(0.0, color=theme.ZERO, linewidth=1.0, zorder=3)
    for k in rows:
        text = typeset(float(welfare[k]))
        if spread is not None:
            text += f" ± {typeset(float(spread[k]), 2)}"
        theme.beside_row(ax, float(k) - 0.08, text)
    theme.beside_row(ax, -0.62, "welfare", va="bottom", color=theme.SOFT)
    theme.method_rows(ax, parts.methods, room=0.06, ticks=6)
    # Two columns: four reach as far as the head of the numbers at the right.
    theme.legend_above(ax, 2, bbox_to_anchor=(0.0, 1.02), markerscale=0.8)
    return ax


def answer(_: Run, parts: WelfareParts) -> str:
    """Answer: what each method's imports are worth, what they cost, and how much money moves."""
    said = []
    for name, gain, cost, moved, centre, _welfare in parts.means():
        if gain == cost == 0.0:
            said.append(f"Under {name} nobody imports anything.")
            continue
        pays = f"; {typeset(moved)} money changes hands between clients" if moved else ""
        if centre:
            keeps = f"the centre {kept_or_added(centre)}"
            pays += f"; {keeps}, so that the clients have {typeset(gain - cost - centre)} of {typeset(gain - cost)}"
        said.append(f"Under {name} imports are worth {typeset(gain)} and cost {typeset(cost)}{pays}.")
    return " ".join(said)


def drawing(_: Run, parts: WelfareParts) -> Drawing:
    """Gain, cost, payments and what goes to the centre, and the welfare that is left."""
    said = []
    for (name, gain, cost, moved, centre, left), centres in zip(parts.means(), parts.centre, strict=True):
        to_centre = f", to the centre {typeset(centre)}" if centres.any() else ""
        spent = f"gain {typeset(gain)}, cost {typeset(cost)}, payments {typeset(moved)}"
        said.append(f"{name}: {spent}{to_centre}, welfare {typeset(left)}")
    ring = (
        "The ring is welfare, the sum of the clients' utilities: what is left of the gains once the exporters' costs "
        "are paid and the centre has taken its part (purple). Gain − cost is the surplus; what the centre keeps of it "
        "no client has, and what it adds from outside stands beyond the gain."
        if parts.centred
        else "The ring is welfare, what is left of the gains once the exporters' costs are paid."
    )
    return Drawing(
        "Welfare taken apart, money over the run. " + "; ".join(said) + ".",
        f"{ring} A long vermilion bar is a method that hands models to clients for whom they are not worth what they "
        "cost. Payments between clients (hatched) add nothing and take nothing away: they decide who has the welfare.",
        theme.figure_of(welfare_bars(parts)),
        parts_table(parts),
    )


WELFARE = Finding(
    "welfare", "What are the imports worth, and what do they cost?", welfare_parts, answer, always("welfare", drawing),
    measured,
)  # fmt: skip
