"""Welfare taken apart: what models are worth to importers, what exporting costs, and the money that moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.metrics import slack, spread
from analysis.money import paid_to_centre
from analysis.run.records import Run
from analysis.tables import Cell, Table

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WelfareParts:
    """Sums over clients and rounds, money, ``[methods, seeds]`` each: ``welfare`` = ``gain`` - ``cost`` - ``centre``.

    ``moved`` is all money that clients paid one another, gross. Every such payment is received, so that it is no part
    of welfare: it decides who has how much of it. ``centre`` is what clients paid the centre less what it paid them (0
    but for two-sided rules): that no client has. ``welfare`` is the sum of the clients' utilities.
    """

    methods: tuple[str, ...]
    gain: Real
    cost: Real
    moved: Real
    centre: Real
    welfare: Real

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return int(self.gain.shape[1])

    @property
    def surplus(self) -> Real:
        """What there is to share, ``gain`` - ``cost``: welfare and what the centre keeps ``[methods, seeds]``."""
        return self.gain - self.cost

    @property
    def centred(self) -> bool:
        """Whether the centre keeps or adds any money under any method."""
        return bool(np.any(self.centre))

    @property
    def spread(self) -> Real | None:
        """Sample standard deviation of welfare over seeds ``[methods]``, None with one seed."""
        return spread(self.welfare)


def welfare_parts(run: Run) -> WelfareParts:
    """Return gain, cost, payments, what goes to the centre, and welfare of every method of a run."""

    def total(name: str) -> Real:
        return np.stack([getattr(run.traces[m], name).sum(axis=(1, 2)) for m in run.methods])

    gain, cost, paid, utility = (total(name) for name in ("gain", "cost", "paid", "utility"))
    centre = np.stack([_kept(paid_to_centre(run.traces[m], slack(run, m))) for m in run.methods])
    return WelfareParts(run.methods, gain, cost, paid, centre, utility)


def _kept(centre: Real) -> Real:
    """Return what the centre keeps ``[seeds]`` of what it is paid ``[seeds, rounds, m]``; rounding of a sum is 0."""
    kept, moved = centre.sum(axis=(1, 2)), np.abs(centre).sum(axis=(1, 2))
    return np.where(np.abs(kept) <= 1e-9 * np.maximum(1.0, moved), 0.0, kept)


def parts_table(parts: WelfareParts) -> Table:
    """Return the parts, means over seeds, a row per method: gain - cost - to the centre = welfare."""
    rows: list[tuple[Cell, ...]] = []
    for k, name in enumerate(parts.methods):
        means = [float(v[k].mean()) for v in (parts.gain, parts.cost, parts.moved, parts.centre, parts.welfare)]
        rows.append((name, *means, None if parts.spread is None else float(parts.spread[k])))
    heads = ("method", "gain", "cost", "payments", "to the centre", "welfare", "±")
    return Table("Welfare taken apart (money): gain − cost − to the centre = welfare", heads, tuple(rows))
