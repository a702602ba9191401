"""A study: runs whose records are measured, one row of a table after the other; the same for all studies.

A study is data: which populations run with which methods, whom a row of its table is about, and its columns, each with
a measure, a function of what one seed recorded. `measured` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.findings.grouped import side_by_side
from analysis.findings.several.statistics import paired
from analysis.findings.several.studies import marks
from analysis.run.files import market_file
from analysis.run.market import MarketRecord
from analysis.run.records import read_market
from marketproof.running.config import RunConfig
from marketproof.running.loop import units_of
from marketproof.running.methods import parse, uses_market
from marketproof.running.populations import ROLES
from mechanism.market.accounting import Accounts
from mechanism.space import Floats
from mechanism.wording import number, percent

Flags = NDArray[np.bool_]
Value = float | int | str | None


def who(record: MarketRecord, *roles: str) -> Flags:
    """Return who has one of these roles [m]."""
    return np.isin(record.roles[0], [ROLES.index(role) for role in roles])


def best_accuracy(record: MarketRecord, clients: Flags) -> float | None:
    """Return the mean over these clients of their best accuracy while they took part; None where none did."""
    took = record.present[:, clients]
    best = np.where(took, record.accuracy[:, clients], 0.0).max(axis=0)[took.any(axis=0)]
    return float(best.mean()) if best.size else None


@dataclass(frozen=True, eq=False)
class Seen:
    """What one seed recorded of what a row is about.

    ``config``, ``name``: the run's settings and what the study calls it; ``clients`` [m]: whom the row is about,
    ``role`` theirs; ``before``: the record, under the same seed, of what the study compares with (else ``record``).
    """

    config: RunConfig
    name: str
    method: str
    seed: int
    record: MarketRecord
    clients: Flags
    before: MarketRecord
    role: str = ""

    @property
    def accounts(self) -> Accounts:
        """Everybody's true account in every round, money [R, m]; 0 of who is not there."""
        return self.record.accounts

    @property
    def utility(self) -> Floats:
        """The true utility of the clients in every round [R, k]."""
        return self.accounts.utility[:, self.clients]

    @property
    def others(self) -> Floats:
        """The true utility of all others in every round [R, m - k]."""
        return self.accounts.utility[:, ~self.clients]


def mean_of(values: Floats) -> float | None:
    """Return the mean of what there is, None of nothing."""
    return float(values.mean()) if values.size else None


def first(values: Sequence[Any]) -> Any:
    """Return what the first seed gave, where all give the same."""
    return values[0]


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a study: key in files, head on paper, what it is, and the measure: a function of what a seed shows.

    ``over``: how the numbers of all seeds become one (None: their mean, with the sample deviation beside it); ``kind``:
    how it is shown: text, count, money or share.
    """

    key: str
    head: str
    meaning: str
    of: Callable[[Seen], Any]
    over: Callable[[Sequence[Any]], Value] | None = None
    kind: str = "money"

    def __call__(self, row: Row) -> Any:
        """Return what stands in this column of a row."""
        return row[self]


def text(key: str, meaning: str, of: Callable[[Seen], Any], kind: str = "text") -> Column:
    """Return a column with a name that the row is called by."""
    return Column(key, key, meaning, of, first, kind)


METHOD = text("method", "learning algorithm, and the mechanism of its market after a slash", lambda one: one.method)
POPULATION = text("population", "who takes part", lambda one: one.name)


@dataclass(frozen=True, eq=False)
class Row:
    """One line of a table: by column what each seed gave (None: nothing)."""

    seeds: Mapping[Column, Sequence[Any]]

    def _there(self, column: Column) -> list[Any]:
        return [value for value in self.seeds[column] if value is not None]

    def __getitem__(self, column: Column) -> Any:
        """Return what stands in a column; None where no seed has such a number."""
        there = self._there(column)
        if not there:
            return None
        value = np.mean(there) if column.over is None else column.over(there)
        return float(value) + 0.0 if isinstance(value, float) else value

    def spread(self, column: Column) -> float | None:
        """Return the sample deviation over seeds; None where there is none to tell."""
        there = self._there(column)
        return float(np.std(there, ddof=1)) if column.over is None and len(there) > 1 else None

    def to_json(self, columns: Iterable[Column]) -> dict[str, Value]:
        """Return names and numbers by key; beside a mean over several seeds stands ``KEY_std``."""
        told: dict[str, Value] = {}
        for column in columns:
            told[column.key] = value = self[column]
            if column.over is None and value is not None and len(self.seeds[column]) > 1:
                told[f"{column.key}_std"] = self.spread(column)
        return told

    def cell(self, column: Column) -> str:
        """Return a cell of the printed table; the deviation over seeds behind its mean."""
        value, spread = self[column], self.spread(column)
        if value is None or column.kind == "text":
            return "-" if value is None else str(value)
        if column.kind == "count":
            return f"{value:g}"
        said = [percent(v) if column.kind == "share" else number(v, 4) for v in (value, spread) if v is not None]
        return " ± ".join(said)


def has_market(row: Row) -> bool:
    """Say whether the method of a row has a market."""
    return uses_market(str(row[METHOD]).partition("/")[0])


EQUAL = "as much as"

ONE_BY_ONE = (
    "Less, more and noise are said by the 95 % interval of the difference seed by seed (Student's t), each comparison "
    "by itself: of twenty without a difference one may be called one."
)


def stands(mine: Sequence[float | None], other: Sequence[float | None]) -> str:
    """Say how one amount stands to another over the seeds: less or more only where that is seen beyond their noise.

    Of one seed, whose noise nobody knows, as the amounts are.
    """
    pairs = [(a, b) for a, b in zip(mine, other, strict=True) if a is not None and b is not None]
    if len(pairs) == 1:
        return compare(*pairs[0])
    if all(compare(*pair) == EQUAL for pair in pairs):
        return EQUAL
    seen = paired(*zip(*pairs, strict=True))
    return ("less than" if seen.mean < 0 else "MORE than") if seen.seen else "within noise of"


def compare(mine: float, other: float, small: float = 1e-9) -> str:
    """Say how one amount stands to another."""
    if abs(mine - other) <= small * max(1.0, abs(mine), abs(other)):
        return EQUAL
    return "less than" if mine < other else "MORE than"


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

    ``methods``: the usual ones, ``markets``: only those with a market are rows. ``roles``: a row for each (none: of
    all), ``clients``: whom else a row is about [m]. ``beside``: the run that the others are compared with, no row
    itself with ``apart``; ``against``: the method of the same run that they are compared with, where it is there.
    ``by_method``: rows of one method stand together. ``hidden``: measures that the table does not show. ``words``,
    ``more`` (for the JSON) are of the table's rows, ``figures`` of all.
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
    against: str = ""
    by_method: bool = False
    hidden: tuple[Column, ...] = ()
    more: Callable[[Sequence[Row]], Mapping[str, Any]] = lambda rows: {}


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
    panels: dict[str, dict[str, dict[str, list[float | None]]]] = {}
    for row in rows:
        values = [None if v is None else 100.0 * v if column.kind == "share" else v for v in row.seeds[column]]
        panels.setdefault(panel(row), {}).setdefault(group(row), {})[band(row)] = values
    drawn = {title: side_by_side(name, unit, groups) for title, groups in panels.items()}
    return {file: marks(drawn, zero=zero)} if drawn else {}
