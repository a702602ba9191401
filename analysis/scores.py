"""Numbers of several groups (runs, roles) by method, with their spread: what `plots.compared_dots` draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.tables import Cell, Table
from mechanism.wording import typeset

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ComparedScores:
    """One number per group and method: ``mean`` ``[groups, methods]``, NaN where a group has no such method.

    ``spread`` ``[groups, methods]``: over seeds, NaN where it is not known, None where it is known nowhere
    (`deviations` hands it out without NaN). ``groups`` their labels, ``methods`` all that any group has, in order of
    appearance; ``seeds`` ``[groups]`` on how many each rests.
    """

    name: str
    unit: str
    groups: tuple[str, ...]
    methods: tuple[str, ...]
    mean: Real
    spread: Real | None
    seeds: tuple[int, ...]

    def deviations(self, group: int) -> list[float | None]:
        """Return a group's sample standard deviations over seeds, one per method, None where none is known."""
        if self.spread is None or self.seeds[group] < 2:
            return [None] * len(self.methods)
        return [None if np.isnan(value) else float(value) for value in self.spread[group]]

    def told(self, other: ComparedScores, words: str) -> str:
        """Return this and another score of every group and method in words, such as for an alternative text."""
        parts = []
        for k, group in enumerate(self.groups):
            said = [
                f"{method} {typeset(float(self.mean[k, j]))} {self.unit} and {typeset(float(other.mean[k, j]))}"
                for j, method in enumerate(self.methods)
                if not np.isnan(self.mean[k, j])
            ]
            parts.append(f"{words}{group}: {', '.join(said)}")
        return "; ".join(parts)


def scores_rows(first: str, *scores: ComparedScores) -> Table:
    """Return scores as a table, a row per group (head: ``first``) and method, with their spreads over seeds."""
    heads = [first, "method", "seeds"]
    for score in scores:
        heads += [f"{score.name} ({score.unit})", f"± ({score.unit})"]
    rows: list[tuple[Cell, ...]] = []
    for k, group in enumerate(scores[0].groups):
        for j, method in enumerate(scores[0].methods):
            if not np.isnan(scores[0].mean[k, j]):
                cells: list[Cell] = [group, method, scores[0].seeds[k]]
                for score in scores:
                    cells += [float(score.mean[k, j]), score.deviations(k)[j]]
                rows.append(tuple(cells))
    return Table("Means and standard deviations over seeds", tuple(heads), tuple(rows))
