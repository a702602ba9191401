"""What of study performance is beyond noise: ranks over tasks, and the market against each method, task by task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from analysis.findings.several.statistics import Difference, Ranking, draw_ranks, holm, paired, ranking, told
from analysis.page.export import Table
from marketproof.studies.performance import BEST, UTILITY
from marketproof.studies.study import METHOD, Column, Row
from mechanism.wording import listed, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Tables = Mapping[str, Sequence[Row]]
"""By task a row for each method, all with the same seeds; every task has the same methods."""

OURS = "ipfl/ipfl"
"""Whom the others are compared with: the paper's method."""


def ranks(tables: Tables, column: Column) -> Ranking | None:
    """Return the ranks of methods by a column's mean over seeds, a block a task; None where there are too few."""
    values = {row[METHOD]: [next(r for r in rows if r[METHOD] == row[METHOD])[column] for rows in tables.values()]
              for rows in list(tables.values())[:1] for row in rows}  # fmt: skip
    return ranking(values) if len(tables) > 1 and len(values) > 2 else None


def compared(tables: Tables, column: Column) -> Iterator[tuple[str, str, Difference, float | None]]:
    """Yield task, method, what `OURS` has more, and its p value after Holm over all of a column's comparisons."""
    found: list[tuple[str, str, Difference]] = []
    for task, rows in tables.items():
        by_name = {row[METHOD]: row.seeds[column] for row in rows}
        if OURS in by_name:
            found += [(task, name, paired(by_name[OURS], seeds)) for name, seeds in by_name.items() if name != OURS]
    raised = iter(holm([one.p for _, _, one in found if one.p is not None]))
    for task, name, one in found:
        yield task, name, one, None if one.p is None else next(raised)


def differences_table(tables: Tables) -> Table:
    """Return every comparison of accuracy and utility with its interval and p value."""
    rows = [
        (column.key, task, name, one.mean, one.low, one.high, p, one.pairs)
        for column in (BEST, UTILITY)
        for task, name, one, p in compared(tables, column)
    ]
    heads = ("figure", "task", f"{OURS} less", "mean", "from", "to", "p (Holm)", "seeds")
    return Table(f"Paired differences over seeds, {OURS} less each method, 95 % intervals", heads, tuple(rows))


def _write(column: Column, value: float) -> str:
    return f"{100 * value:.1f} points" if column.kind == "share" else number(value, 3)


def sentences(tables: Tables, column: Column) -> list[str]:
    """Return what is seen of a column, task by task: each difference, or that none is seen."""
    said: dict[str, list[str]] = {}
    for task, name, one, _ in compared(tables, column):
        line = told(one, f"`{OURS}`", f"`{name}`", lambda value: _write(column, value))
        said.setdefault(task, []).append(line)
    alone = [task for task, rows in tables.items() if len(rows[0].seeds[column]) < 2]
    lines = [f"{task}: {'; '.join(parts)}." for task, parts in said.items() if task not in alone]
    return lines + ([f"{listed(alone)}: one seed, no difference is claimed."] if alone else [])


def figures(tables: Tables) -> dict[str, Figure]:
    """Return a critical-difference figure of accuracy and one of utility, by the names of their files."""
    drawn = {"ranks-accuracy": BEST, "ranks-utility": UTILITY}
    each = {name: (ranks(tables, column), column) for name, column in drawn.items()}
    return {name: draw_ranks(one, column.head.capitalize()) for name, (one, column) in each.items() if one is not None}


def section(tables: Tables, picture: str = "{}.svg") -> list[str]:
    """Return the parts of a page about noise, in Markdown; ``picture``: where a figure lies, by its name."""
    parts = [
        "## What is beyond noise",
        "Differences are paired, seed by seed; intervals are Student's t at 95 %. Ranks are over tasks, each by its "
        "mean over seeds (seeds of one task are no independent blocks); methods that a bar joins are not told apart "
        "(Friedman, Nemenyi, 5 %). Where an interval includes zero no difference is claimed. All comparisons, with p "
        "values after Holm's correction, are in the table of differences.",
    ]
    for name, column in (("ranks-accuracy", BEST), ("ranks-utility", UTILITY)):
        parts.append(f"### {column.head.capitalize()}")
        one = ranks(tables, column)
        if one is not None:
            parts += [one.words(), f"![Mean ranks of methods by {column.head}]({picture.format(name)})"]
        parts += [f"- {line}" for line in sentences(tables, column)]
    return parts
