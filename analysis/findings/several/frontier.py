"""The numbers of a sweep over markets: what each rule reaches and gives up, the tables of it, and what it says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.page.export import Cell, Table
from mechanism.wording import listed, percent

Rows = Sequence[Mapping[str, Any]]

AXES: Mapping[str, str] = {
    "lam": "weight of differences λ",
    "cost_spread": "spread of costs",
    "heterogeneity": "heterogeneity of models",
}
"""What a sweep moves, by its key, in words."""

MEASURES: Mapping[str, str] = {
    "of_optimum": "share of the\nbest objective",
    "welfare": "mean welfare: gains\nless costs (money)",
    "best_lie": "mean gain of the best lie\nabout a cost (money)",
    "gain_best_lie": "mean gain of the best lie\nabout the gain parameter (money)",
    "size_best_lie": "mean gain of the best lie\nabout a size (money)",
    "lowest_utility": "lowest utility of a\ntruthful client (money)",
    "deficit": "mean deficit of\nthe centre (money)",
}
"""What is drawn along one axis, by its key, in words. Money of a centre is no part of welfare: deficit is beside it."""

LIES: Mapping[str, tuple[str, str]] = {
    "best_lie": ("lying_share", "a cost"),
    "gain_best_lie": ("gain_lying_share", "the gain parameter"),
    "size_best_lie": ("size_lying_share", "a size"),
}
"""What is lied about, by the measure of the best lie: the measure of the share of markets, and words."""

MAPS: Mapping[str, str] = {
    f"where-{share.removesuffix('lying_share').replace('_', '-')}lies-pay": share for share, _ in LIES.values()
}
"""Parameter maps, by the names of their files: the share that each draws."""


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


def by_mechanism(rows: Rows) -> dict[str, Rows]:
    """Return the rows of each mechanism, in the order of the sweep."""
    names = dict.fromkeys(str(row["mechanism"]) for row in rows)
    return {name: [row for row in rows if row["mechanism"] == name] for name in names}


def points_at(rows: Rows, **place: float) -> Rows:
    """Return the rows at a place of the sweep, such as ``lam=0.5``."""
    return [row for row in rows if all(float(row[axis]) == x for axis, x in place.items())]


def mean(rows: Rows, measure: str) -> float:
    """Return the mean of a measure over points; of ``lowest_utility`` the lowest: a promise is as its worst case."""
    fold = np.min if measure == "lowest_utility" else np.mean
    return float(fold([float(row[measure]) for row in rows]))


def along(rows: Rows, axis: str, measure: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return per mechanism the values of an axis and the `mean` of a measure over all other axes there."""
    found = {}
    for name, own in by_mechanism(rows).items():
        places = sorted({float(row[axis]) for row in own})
        found[name] = (np.array(places), np.array([mean(points_at(own, **{axis: x}), measure) for x in places]))
    return found


def lied_about(share: str) -> str:
    """Return what the lies are about of which a measure is the share that pays, in words."""
    return next(words for measure, words in LIES.values() if measure == share)


def half(rows: Rows, measure: str) -> float | None:
    """Return half of the 95 % interval of a measure's mean over rows of a mechanism; None where none is known.

    By Student's t over the markets drawn. Every point has the same markets, so that the error of a mean over points is
    at most the mean of their errors, which is taken. A minimum has no such interval.
    """
    from scipy.special import stdtrit

    found = [row.get(f"{measure}_se") for row in rows]
    if not found or any(error is None for error in found):
        return None
    return float(stdtrit(min(int(row["markets"]) for row in rows) - 1, 0.975) * np.mean(np.array(found, dtype=float)))


def wilson(share: float, markets: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of that many markets (Wilson 1927): 0 of 40 leaves up to 8.8 %."""
    z = 1.959963984540054
    middle = (share + z * z / (2 * markets)) / (1 + z * z / markets)
    reach = z / (1 + z * z / markets) * float(np.sqrt(share * (1 - share) / markets + z * z / (4 * markets**2)))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def same(rows: Rows, measure: str) -> list[list[str]]:
    """Return the mechanisms in groups whose lines coincide along every axis, which would hide one another.

    They coincide if they are nowhere further apart than a two-hundredth of what all mechanisms span.
    """
    lines = [along(rows, axis, measure) for axis in AXES]
    every = np.concatenate([values for found in lines for _, values in found.values()])
    near = max(float(np.ptp(every)) / 200.0, 1e-9)
    groups: list[list[str]] = []
    for name in by_mechanism(rows):
        for group in groups:
            pairs = [(found[name], found[group[0]]) for found in lines]
            if all(
                a.shape == b.shape and np.abs(own - other).max() <= near and (a == b).all()
                for (a, own), (b, other) in pairs
            ):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def numbers(rows: Rows) -> dict[str, Table]:
    """Return what each of `trade_offs.figures` draws, by the same names: for the CSV beside it.

    ``±`` is half of a 95 % interval over the markets drawn, ``from`` and ``to`` are the ends of one.
    """
    points = tuple(rows[0])
    found = {"trade-off": Table("points", points, tuple(tuple(row[c] for c in points) for row in rows))}
    for measure, words in MEASURES.items():
        lines: list[tuple[Cell, ...]] = []
        for axis in AXES:
            for name, (places, values) in along(rows, axis, measure).items():
                own = by_mechanism(rows)[name]
                for x, y in zip(places, values, strict=True):
                    lines.append((axis, name, float(x), float(y), half(points_at(own, **{axis: x}), measure)))
        head = ("axis", "mechanism", "at", words.replace("\n", " "), "±")
        found[measure.replace("_", "-")] = Table(words.replace("\n", " "), head, tuple(lines))
    return found | {file: _shares(rows, measure) for file, measure in MAPS.items()}


def _shares(rows: Rows, measure: str) -> Table:
    """Return the cells of a parameter map, with their 95 % intervals."""
    markets = min(int(row["markets"]) for row in rows)
    lines = []
    for name, own in by_mechanism(rows).items():
        for lam, spread in dict.fromkeys((float(row["lam"]), float(row["cost_spread"])) for row in own):
            share = mean(points_at(own, lam=lam, cost_spread=spread), measure)
            lines.append((name, lam, spread, share, *wilson(share, markets)))
    head = ("mechanism", "lam", "cost_spread", "share of markets with a paying lie", "from", "to")
    return Table(f"where lies about {lied_about(measure)} pay", head, tuple(lines))


def table(rows: Rows, *, intervals: bool = False) -> Table:
    """Return the sweep per mechanism: means over all points, the worst case of utility.

    With ``intervals`` there follows for each mean the half of its 95 % interval over the markets drawn, in a column of
    the same name with ±.
    """
    errors = [column for column, key in _COLUMNS.items() if f"{key}_se" in rows[0]] if intervals else []
    lines = [
        (name, *(mean(own, key) for key in _COLUMNS.values()), *(half(own, _COLUMNS[column]) for column in errors))
        for name, own in by_mechanism(rows).items()
    ]
    return Table("frontier", ("mechanism", *_COLUMNS, *(f"{column} ±" for column in errors)), tuple(lines))


def judged(rows: Rows) -> list[str]:
    """Return a sentence for each rule under which no lie about a cost pays: what lies about the other numbers do."""
    told = []
    for name, own in by_mechanism(rows).items():
        shares = {about: mean(own, key) for key, about in LIES.values()}
        if shares["a cost"] > 0.0:
            continue
        none = " or ".join(about for about, share in shares.items() if share == 0.0)
        some = listed(f"about {about} in {percent(share, 0)}" for about, share in shares.items() if share > 0.0)
        only = "truthful in cost only: " if none == "a cost" else ""
        pays = f", but lies {some} of its markets pay" if some else ""
        told.append(f"{name}: {only}no lie about {none} was found to pay{pays}")
    return told
