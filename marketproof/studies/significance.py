"""What of study performance is beyond noise: ranks over tasks, and the market against each method, task by task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.several.statistics import FEWEST, Difference, Ranking, draw_ranks, holm, paired, ranking
from analysis.page.export import Table
from marketproof.studies.carried_out import markdown_table
from marketproof.studies.performance import BEST, BY_WORTH, UTILITY
from marketproof.studies.study import METHOD, Column, Row
from mechanism.wording import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Tables = Mapping[str, Sequence[Row]]
"""By task a row for each method, all with the same seeds; every task has the same methods."""

OURS = "ipfl/ipfl"
"""Whom the others are compared with: the paper's method."""

MONEY_BY_SIZES = f"`{BY_WORTH}` is left out: its utility counts measured worth, which is other money"


def comparable(rows: Sequence[Row], column: Column) -> list[Row]:
    """Return the rows whose numbers are of one kind: utility by measured worth is other money than utility by sizes."""
    return [row for row in rows if column is not UTILITY or not str(row[METHOD]).startswith(BY_WORTH)]


def ranks(tables: Tables, column: Column) -> Ranking | None:
    """Return the ranks of methods by a column's mean over seeds, a block a task; None where there are too few."""
    values: dict[str, list[float]] = {}
    for rows in tables.values():
        for row in comparable(rows, column):
            values.setdefault(row[METHOD], []).append(row[column])
    return ranking(values) if len(tables) > 1 and len(values) > 2 else None


def compared(tables: Tables, column: Column) -> Iterator[tuple[str, str, Difference, float | None]]:
    """Yield task, method, what `OURS` has more, and its p value after Holm over all of a column's comparisons."""
    found: list[tuple[str, str, Difference]] = []
    for task, rows in tables.items():
        by_name = {row[METHOD]: row.seeds[column] for row in comparable(rows, column)}
        if OURS in by_name:
            found += [(task, name, paired(by_name[OURS], seeds)) for name, seeds in by_name.items() if name != OURS]
    raised = iter(holm([one.p for _, _, one in found if one.p is not None]))
    for task, name, one in found:
        yield task, name, one, None if one.p is None else next(raised)


def differences_table(tables: Tables) -> Table:
    """Return every comparison of accuracy and utility with its interval and p value."""
    rows = [
        (column.key, task, name, *map(_rounded, (one.mean, one.low, one.high, p)), one.pairs)
        for column in (BEST, UTILITY)
        for task, name, one, p in compared(tables, column)
    ]
    heads = ("figure", "task", f"{OURS} less", "mean", "from", "to", "p (Holm)", "seeds")
    return Table(f"Paired differences over seeds, {OURS} less each method, 95 % intervals", heads, tuple(rows))


def _rounded(value: float | None) -> float | None:
    """Return a number to twelve digits: libraries differ in the last bits of Student's t."""
    return None if value is None else float(f"{value:.12g}")


_WORDS = {
    (1, True): "more than",
    (-1, True): "less than",
    (1, False): "by its own interval alone more than",
    (-1, False): "by its own interval alone less than",
    (0, False): "no difference seen from",
}


def sentences(tables: Tables, column: Column) -> list[str]:
    """Return, task by task, of which methods `OURS` is seen to have more or less, and of which neither is seen.

    Seen is what stays after Holm's correction over all tasks and methods; what its own interval alone says is apart.
    """
    said: dict[str, dict[str, list[str]]] = {}
    for task, name, one, p in compared(tables, column):
        found = said.setdefault(task, {words: [] for words in _WORDS.values()})
        if one.pairs > 1:
            found[_WORDS[int(np.sign(one.mean)) if one.seen else 0, one.kept(p)]].append(f"`{name}`")
    lines = {task: [f"{words} {listed(names)}" for words, names in each.items() if names]
             for task, each in said.items()}  # fmt: skip
    return [f"{task}: {'; '.join(parts) or 'one seed, no difference is claimed'}." for task, parts in lines.items()]


def crossed(tables: Tables, column: Column) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of a table: a row for each method, and by task what `OURS` has more, with its interval."""
    unit, rows = 100.0 if column.kind == "share" else 1.0, dict[str, list[str]]()
    for _, name, one, p in compared(tables, column):
        cell = f"{unit * one.mean:+.3g}"
        if one.low is not None and one.high is not None:
            cell += f" ({unit * one.low:.3g} to {unit * one.high:.3g})"
        rows.setdefault(name, []).append(f"**{cell}**" if one.kept(p) else cell)
    return [f"{OURS} minus", *tables], [[name, *cells] for name, cells in rows.items()]


def figures(tables: Tables) -> dict[str, Figure]:
    """Return a critical-difference figure of accuracy and one of utility, by the names of their files."""
    drawn = {"ranks-accuracy": BEST, "ranks-utility": UTILITY}
    each = {name: (ranks(tables, column), column) for name, column in drawn.items()}
    return {name: draw_ranks(one, column.head.capitalize()) for name, (one, column) in each.items() if one is not None}


def section(tables: Tables, picture: str = "{}.svg") -> list[str]:
    """Return the parts of a page about noise, in Markdown; ``picture``: where a figure lies, by its name."""
    parts = [
        "## What is beyond noise",
        "Differences are paired, seed by seed; each interval is Student's t at 95 %, and wrong in 5 % of cases if "
        "differences are normal, which so few seeds cannot show. Bold, and said without more words: seen after Holm's "
        f"correction over all tasks and methods of the figure, on {FEWEST} seeds or more (p below 5 % in "
        "performance-differences.csv). What has no interval is of one seed. An interval "
        "of no width is of a figure that does not depend on the seed: it is of one market, and of others it says "
        "nothing. Ranks are over tasks, each by its mean over seeds (seeds of one task are no independent blocks); "
        "methods that a bar joins are not told apart (Friedman, Nemenyi, 5 %). Tasks that divide the same images are "
        "blocks of their own here, and those on which little is learnt (above: always one answer) count as much as "
        "others: with few data sets the p of the ranks is too small.",
    ]
    for name, column in (("ranks-accuracy", BEST), ("ranks-utility", UTILITY)):
        parts.append(f"### {column.head.capitalize()}")
        one = ranks(tables, column)
        if one is not None:
            parts += [one.words(), f"![Mean ranks of methods by {column.head}]({picture.format(name)})"]
        unit = "points of accuracy" if column.kind == "share" else f"money per client and round ({MONEY_BY_SIZES})"
        seen = "\n".join(f"- {line}" for line in sentences(tables, column))
        parts += [f"In {unit}:", markdown_table(*crossed(tables, column)), f"`{OURS}` has, where that is seen:", seen]
    return parts
