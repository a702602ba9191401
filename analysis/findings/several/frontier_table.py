"""The numbers of a sweep: what each figure of `frontier` draws, the table of rules, and what it says."""

from __future__ import annotations

import numpy as np

from analysis.findings.several.frontier import AXES, LIES, MAPS, MEASURES, Rows, along, half, mechanisms, wilson
from analysis.page.table import Cell, Table
from mechanism.wording import listed, percent

_COLUMNS = {
    "of optimum": "of_optimum",
    "lowest utility": "lowest_utility",
    "markets with a lie": "lying_share",
    "best lie": "best_lie",
    "deficit": "deficit",
    "welfare": "welfare",
    "markets with a gain lie": "gain_lying_share",
    "best gain lie": "gain_best_lie",
    "markets with a size lie": "size_lying_share",
    "best size lie": "size_best_lie",
}
"""Columns of the table of rules, and what they hold; a lie without a word is about a cost."""


def numbers(rows: Rows) -> dict[str, Table]:
    """Return what each of `analysis.findings.several.frontier.figures` draws, by the same names: for the CSV beside it.

    ``±`` is half of a 95 % interval over the markets drawn, ``from`` and ``to`` are the ends of one.
    """
    points = tuple(rows[0])
    found = {"trade-off": Table("points", points, tuple(tuple(row[c] for c in points) for row in rows))}
    for measure, words in MEASURES.items():
        lines: list[tuple[Cell, ...]] = []
        for axis in AXES:
            for name, (places, values) in along(rows, axis, measure).items():
                own = [row for row in rows if row["mechanism"] == name]
                for x, y in zip(places, values, strict=True):
                    error = half([row for row in own if float(row[axis]) == x], measure)
                    lines.append((axis, name, float(x), float(y), error))
        head = ("axis", "mechanism", "at", words.replace("\n", " "), "±")
        found[measure.replace("_", "-")] = Table(words.replace("\n", " "), head, tuple(lines))
    return found | {file: _shares(rows, measure) for file, measure in MAPS.items()}


def _shares(rows: Rows, measure: str) -> Table:
    """Return the cells of a parameter map, with their 95 % intervals."""
    cells: dict[tuple[str, float, float], list[float]] = {}
    for row in rows:
        place = (str(row["mechanism"]), float(row["lam"]), float(row["cost_spread"]))
        cells.setdefault(place, []).append(float(row[measure]))
    markets = min(int(row["markets"]) for row in rows)
    head = ("mechanism", "lam", "cost_spread", "share of markets with a paying lie", "from", "to")
    lines = tuple(
        (*place, float(np.mean(values)), *wilson(float(np.mean(values)), markets)) for place, values in cells.items()
    )
    about = next(words for share, words in LIES.values() if share == measure)
    return Table(f"where lies about {about} pay", head, lines)


def table(rows: Rows, *, intervals: bool = False) -> Table:
    """Return the sweep per mechanism: means over all points, the worst case of utility.

    With ``intervals`` there follows for each mean the half of its 95 % interval over the markets drawn, in a column of
    the same name with ±.
    """
    errors = [column for column, key in _COLUMNS.items() if f"{key}_se" in rows[0]] if intervals else []
    lines = []
    for name in mechanisms(rows):
        own = [row for row in rows if row["mechanism"] == name]
        cells: list[Cell] = [name]
        for key in _COLUMNS.values():
            values = [float(row[key]) for row in own]
            cells.append(min(values) if key == "lowest_utility" else float(np.mean(values)))
        lines.append((*cells, *(half(own, _COLUMNS[column]) for column in errors)))
    return Table("frontier", ("mechanism", *_COLUMNS, *(f"{column} ±" for column in errors)), tuple(lines))


def judged(rows: Rows) -> list[str]:
    """Return a sentence for each rule under which no lie about a cost pays: what lies about the other numbers do."""
    told = []
    for name in mechanisms(rows):
        own = [row for row in rows if row["mechanism"] == name]
        shares = {about: float(np.mean([float(row[key]) for row in own])) for key, about in LIES.values()}
        if shares["a cost"] > 0.0:
            continue
        none = " or ".join(about for about, share in shares.items() if share == 0.0)
        some = listed(f"about {about} in {percent(share, 0)}" for about, share in shares.items() if share > 0.0)
        only = "truthful in cost only: " if none == "a cost" else ""
        pays = f", but lies {some} of its markets pay" if some else ""
        told.append(f"{name}: {only}no lie about {none} was found to pay{pays}")
    return told
