"""A study: runs whose records are measured, one row of a table after the other; the same for all studies.

A study is data: which populations run with which methods, whom a row of its table is about, and its columns, each with
a measure, a function of what one seed recorded. `measured` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.run.files import market_file
from analysis.run.market import MarketRecord
from analysis.run.market_file import read_market
from marketproof.running.config import RunConfig
from marketproof.running.loop import units_of
from marketproof.running.methods import parse
from marketproof.studies.columns import METHOD, Column, Flags, Row, Seen, who

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Recorded:
    """One finished run of a study: its folder and configuration."""

    folder: Path
    config: RunConfig

    def markets(self) -> dict[str, list[MarketRecord]]:
        """Return the recorded markets per method, in the order of the seeds."""
        found: dict[str, list[MarketRecord]] = {}
        for unit in units_of(self.config, parse(self.config.methods, self.config.mechanism)):
            record = read_market(market_file(self.folder, unit.method.name, unit.seed))
            found.setdefault(unit.method.name, []).append(record)
        return found


@dataclass(frozen=True)
class Case:
    """One run of a study: its folder, the population that takes part, and the factor of a lie (0: as the task says)."""

    name: str
    population: str
    factor: float = 0.0


def populations(*names: str) -> tuple[Case, ...]:
    """Return a run with each of these populations."""
    return tuple(Case(name, name) for name in names)


@dataclass(frozen=True, eq=False)
class Study:
    """One experiment: what it asks, its runs, columns, words and figures, and what its numbers do not say (``notes``).

    ``methods``: the usual ones, ``markets``: only those with a market make sense. ``roles``: a row for each (none: a
    row of all), ``clients``: whom else a row is about [m]. ``beside``: the run that the others are compared with, which
    with ``apart`` is no row itself; ``by_method``: rows of one method stand together. ``hidden``: measures that the
    table does not show. ``words``, ``more`` (for the JSON) are of the table's rows, ``figures`` of all.
    """

    title: str
    asks: str
    cases: tuple[Case, ...]
    columns: tuple[Column, ...]
    words: Callable[[Sequence[Row]], list[str]]
    figures: Callable[[Sequence[Row]], Mapping[str, Figure]]
    notes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    markets: bool = False
    roles: tuple[str, ...] = ()
    clients: Callable[[MarketRecord], Flags] = lambda record: np.ones(record.types.clients, dtype=bool)
    beside: str = ""
    apart: bool = False
    by_method: bool = False
    hidden: tuple[Column, ...] = ()
    more: Callable[[Sequence[Row]], Mapping[str, Any]] = lambda rows: {}


@dataclass(frozen=True, eq=False)
class Findings:
    """What a study found: its table, what to look at, what its numbers do not say, and its figures."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    words: Sequence[str]
    notes: Sequence[str]
    figures: Mapping[str, Figure]
    more: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the table with its words as it is written."""
        return {
            "columns": {column.key: column.meaning for column in self.columns},
            "rows": [row.to_json(self.columns) for row in self.rows],
            "words": self.words,
            "notes": self.notes,
            **self.more,
        }


def measured(study: Study, cases: Mapping[str, Recorded]) -> Findings:
    """Return what a study found in its finished runs."""
    columns = (*study.columns, *study.hidden)
    every = [(seen[0], Row({column: [column.of(one) for one in seen] for column in columns}))
             for seen in _subjects(study, cases)]  # fmt: skip
    if study.by_method:
        order = list(dict.fromkeys(one.method for one, _ in every))
        every.sort(key=lambda pair: order.index(pair[0].method))
    rows = [row for one, row in every if not (study.apart and one.name == study.beside)]
    figures = study.figures([row for _, row in every])
    return Findings(study.columns, rows, study.words(rows), study.notes, figures, study.more(rows))


def _subjects(study: Study, cases: Mapping[str, Recorded]) -> Iterator[list[Seen]]:
    """Yield what each row is about, as every seed shows it."""
    markets = {name: case.markets() for name, case in cases.items()}
    for name, case in cases.items():
        for method, records in markets[name].items():
            before = markets[study.beside][method] if study.beside else records
            for role in study.roles or ("",):
                clients = [who(record, role) if role else study.clients(record) for record in records]
                if not role or any(some.any() for some in clients):
                    together = zip(case.config.seed_list, records, clients, before, strict=True)
                    yield [Seen(case.config, name, method, *one, role) for one in together]


def dots(
    file: str,
    rows: Iterable[Row],
    column: Column,
    name: str,
    *,
    group: Callable[[Row], str] = METHOD,
    band: Callable[[Row], str] = METHOD,
    panel: Callable[[Row], str] = lambda row: "",
    unit: str = "money a round",
    zero: bool = True,
) -> dict[str, Figure]:
    """Draw a column by group (a mark) and band into panels, shares in %; the figure by its file, none without rows."""
    from analysis.findings.several.studies import marks, side_by_side

    panels: dict[str, dict[str, dict[str, list[float | None]]]] = {}
    for row in rows:
        values = [None if v is None else 100.0 * v if column.kind == "share" else v for v in row.seeds[column]]
        panels.setdefault(panel(row), {}).setdefault(group(row), {})[band(row)] = values
    drawn = {title: side_by_side(name, unit, groups) for title, groups in panels.items()}
    return {file: marks(drawn, zero=zero)} if drawn else {}
