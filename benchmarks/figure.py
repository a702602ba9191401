"""A claim with its target, what was measured, and whether it holds: one line each, in every script."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HOLDS, MISSED = "holds ", "MISSED"
"""How a line of a claim begins."""


@dataclass(frozen=True)
class Figure:
    """One measured claim: ``value`` against ``target`` (at least it, or at most), our side's story and the other's."""

    name: str
    value: float
    target: float
    unit: str = ""
    at_least: bool = False
    ours: str = ""
    other: str = ""

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.value >= self.target if self.at_least else self.value <= self.target

    def line(self) -> str:
        """One printed line."""
        bound = f"{'at least' if self.at_least else 'at most'} {self.target:,g}"
        story = "".join(f" | {side}" for side in (self.ours, self.other) if side)
        measured = f"{self.value:,.3g} {self.unit}".strip()
        return f"{HOLDS if self.met else MISSED} {self.name}: {measured} ({bound}){story}"


def told(figures: Iterable[Figure]) -> int:
    """Print a line for each figure as soon as it is measured; return 1 if one misses its target, else 0."""
    missed = 0
    for figure in figures:
        print(figure.line(), flush=True)
        missed |= not figure.met
    return int(missed)
