"""Welfare taken apart: what models are worth to importers, what exporting costs, and the money that moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.metrics import spread
from analysis.records import Run
from analysis.tables import Cell, Table

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WelfareParts:
    """Sums over clients and rounds, money, ``[methods, seeds]`` each: welfare = ``gain`` - ``cost``.

    ``moved`` is all money that changed hands, gross. Every payment is received, so that it is no part of welfare: it
    decides who has how much of it. ``centre`` is what clients paid to the centre (0 but for two-sided rules).
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
    def spread(self) -> Real:
        """Sample standard deviation of welfare over seeds ``[methods]``, 0 with one seed."""
        return spread(self.welfare)


def welfare_parts(run: Run) -> WelfareParts:
    """Return gain, cost, payments and welfare of every method of a run."""

    def total(name: str) -> Real:
        return np.stack([getattr(run.traces[m], name).sum(axis=(1, 2)) for m in run.methods])

    gain, cost, paid, received, utility = (total(n) for n in ("gain", "cost", "paid", "received", "utility"))
    return WelfareParts(run.methods, gain, cost, paid, gain - cost - paid + received - utility, utility)


def parts_table(parts: WelfareParts) -> Table:
    """Return the parts, means over seeds, a row per method."""
    rows: list[tuple[Cell, ...]] = []
    for k, name in enumerate(parts.methods):
        means = [float(v[k].mean()) for v in (parts.gain, parts.cost, parts.moved, parts.welfare)]
        rows.append((name, *means, float(parts.spread[k])))
    return Table("Welfare taken apart (money)", ("method", "gain", "cost", "payments", "welfare", "±"), tuple(rows))
