"""The verdict matrix: mechanisms against properties, what holds, what fails, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.page import theme
from analysis.page.theme import GAIN, GRID, INK, LOSS, NEUTRAL, SMALL, faded, plain
from analysis.run.files import read_json

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS: Mapping[str, tuple[str, str, str]] = {
    "proved": ("●", GAIN, "proved: a certificate that a small checker accepts"),
    "exhausted": ("◉", GAIN, "exhausted: every profile and report of a finite grid"),
    "searched": ("○", GAIN, "searched: nothing found, with the bound that this gives"),
    "refuted": ("×", LOSS, "refuted: a witness that anyone can replay"),
    "unknown": ("?", NEUTRAL, "unknown"),
}
"""Mark, colour and words of each grade: shape and colour say the same."""

_CELL = 0.34
_WORDS = 4.4  # inches that the words of the grades need


@dataclass(frozen=True)
class VerdictMatrix:
    """Grades by mechanism and property; ``grades[mechanism].get(property)`` is absent where it does not apply.

    ``wrong``: the cells in which evidence and theory disagree.
    """

    mechanisms: tuple[str, ...]
    properties: tuple[str, ...]
    grades: Mapping[str, Mapping[str, str]]
    wrong: frozenset[tuple[str, str]]


def read_matrix(path: Path) -> VerdictMatrix:
    """Read what ``make matrix`` wrote."""
    return as_matrix(read_json(path)["cells"])


def as_matrix(cells: Sequence[Mapping[str, Any]]) -> VerdictMatrix:
    """Collect verdicts, each with ``mechanism``, ``property``, ``grade`` and perhaps ``agrees``."""
    grades: dict[str, dict[str, str]] = {}
    wrong = set()
    for cell in cells:
        grades.setdefault(str(cell["mechanism"]), {})[str(cell["property"])] = str(cell["grade"])
        if cell.get("agrees") is False:
            wrong.add((str(cell["mechanism"]), str(cell["property"])))
    properties = dict.fromkeys(str(cell["property"]) for cell in cells)
    return VerdictMatrix(tuple(grades), tuple(properties), grades, frozenset(wrong))


def draw_columns(matrix: VerdictMatrix) -> Figure:
    """Draw the matrix turned round, a row per property, in columns beside one another: few rules, many properties.

    So the letters stay as large as a page's own where the whole width of all properties would make them small.
    """
    names, rules = matrix.properties, len(matrix.mechanisms)
    columns = 3 if rules <= 2 else 2 if rules <= 6 else 1
    most = -(-len(names) // columns)
    used = _used(matrix)
    below = 0.24 * len(used) + 0.1
    height = _CELL * most + 1.4 + below
    whole = theme.figure(theme.WIDTH, height)
    whole.set_layout_engine("constrained", rect=(0.0, below / height, 1.0, 1.0 - below / height))
    for k in range(columns):
        part = names[k * most : (k + 1) * most]
        if part:
            turned = {p: {m: row[p] for m, row in matrix.grades.items() if p in row} for p in part}
            wrong = frozenset((p, m) for m, p in matrix.wrong)
            ax = whole.add_subplot(1, columns, k + 1)
            draw_matrix(VerdictMatrix(part, matrix.mechanisms, turned, wrong), ax, key=False)
            ax.set_ylim(most - 0.5, -0.5)
            ax.set_anchor("NW")
            for side in ax.spines.values():
                side.set_visible(False)
    for k, grade in enumerate(used):
        mark, tone, words = MARKS[grade]
        y = (below - 0.14 - 0.24 * k) / height
        whole.text(0.03, y, mark, color=tone, fontsize=SMALL + 2, ha="center", va="center_baseline")
        whole.text(0.05, y, words, color=INK, fontsize=SMALL, va="center_baseline")
    return whole


def _used(matrix: VerdictMatrix) -> list[str]:
    return [g for g in MARKS if any(g in row.values() for row in matrix.grades.values())]


def draw_matrix(matrix: VerdictMatrix, ax: Axes | None = None, *, key: bool = True) -> Axes:
    """Draw the matrix: a mark in each cell that applies; a frame where theory says otherwise; the ``key`` below."""
    rows, columns = len(matrix.mechanisms), len(matrix.properties)
    if ax is None:
        ax = theme.axes(None, max(_CELL * columns, _WORDS) + 2.6, _CELL * rows + 3.0)
    for y, mechanism in enumerate(matrix.mechanisms):
        for x, name in enumerate(matrix.properties):
            grade = matrix.grades[mechanism].get(name)
            if grade is None:
                continue
            mark, tone, _ = MARKS[grade]
            strength = 0.30 if grade in ("proved", "exhausted") else 0.12
            ax.add_patch(_square(x, y, faded(tone, strength), "none"))
            ax.text(x, y, mark, ha="center", va="center_baseline", color=tone, fontsize=SMALL + 2)
            if (mechanism, name) in matrix.wrong:
                ax.add_patch(_square(x, y, "none", INK))
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(rows - 0.5, -0.5)
    ax.set_aspect("equal")
    ax.set_xticks(range(columns), [plain(p) for p in matrix.properties], rotation=55, ha="left", rotation_mode="anchor")
    ax.set_yticks(range(rows), [plain(m) for m in matrix.mechanisms])
    ax.xaxis.tick_top()
    ax.tick_params(length=0, labelsize=SMALL, labelcolor=INK)
    for side in ax.spines.values():
        side.set_color(GRID)
    for k, grade in enumerate(_used(matrix) if key else ()):
        mark, tone, words = MARKS[grade]
        for text, colour, right, middle in ((mark, tone, 6, "center"), (words, INK, 18, "left")):
            ax.annotate(
                text, (0.0, 0.0), xycoords="axes fraction", xytext=(right, -14 - 17 * k), textcoords="offset points",
                color=colour, fontsize=SMALL + 2 * (text == mark), ha=middle, va="center_baseline",
            )  # fmt: skip
    return ax


def _square(x: int, y: int, fill: str, edge: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, facecolor=fill, edgecolor=edge, linewidth=1.5)
