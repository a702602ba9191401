"""A finished figure with its words and numbers, and what figures of several panels have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.page import theme
from analysis.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Drawn:
    """A finished figure: ``name`` for files, ``alt`` for those who cannot see it, ``look`` what to look at, numbers.

    ``table`` is short enough for a page; ``drawn`` every number that is drawn, where that is more.
    """

    name: str
    alt: str
    look: str
    figure: Figure
    table: Table
    drawn: Table | None = None

    @property
    def numbers(self) -> Table:
        """Every number that is drawn."""
        return self.table if self.drawn is None else self.drawn


def grid(count: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``count`` panels of ``height`` inches, at most ``columns`` beside one another."""
    across = min(count, columns)
    rows = -(-count // across)
    share = across / columns if across < columns else 1.0
    whole = theme.figure(theme.WIDTH * max(share, 0.5), height * rows)
    grid = whole.add_gridspec(rows, across)
    return whole, [whole.add_subplot(grid[k // across, k % across]) for k in range(count)]


def note(whole: Figure, text: str) -> None:
    """Write a line below all panels: what holds of the whole figure and must not be lost when it is exported."""
    whole.supxlabel(theme.plain(text, 120), x=0.01, ha="left", fontsize=theme.SMALL, color=theme.SOFT)
