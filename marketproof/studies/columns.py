"""Columns and rows of a study's table: measures of what one seed recorded, put together over seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.market import MarketRecord
from marketproof.running.config import RunConfig
from marketproof.running.methods import uses_market
from marketproof.running.populations import BENIGN, ROLES
from mechanism.market.accounting import Accounts
from mechanism.wording import number, percent

Real = NDArray[np.float64]
Flags = NDArray[np.bool_]
Value = float | int | str | None


def who(record: MarketRecord, *roles: str) -> Flags:
    """Return who has one of these roles [m]."""
    return np.isin(record.roles[0], [ROLES.index(role) for role in roles])


def benign(record: MarketRecord) -> Flags:
    """Return who is neither attacker nor free-rider [m]."""
    return who(record, *BENIGN)


def best_accuracy(record: MarketRecord, clients: Flags) -> float | None:
    """Return the mean over these clients of their best accuracy while they took part; None where none did."""
    took = record.present[:, clients]
    best = np.where(took, record.accuracy[:, clients], 0.0).max(axis=0)[took.any(axis=0)]
    return float(best.mean()) if best.size else None


@dataclass(frozen=True, eq=False)
class Seen:
    """What one seed recorded of what a row is about.

    ``config``, ``name``: the run's settings and what the study calls it; ``clients`` [m]: whom the row is about,
    ``role`` theirs; ``before``: the record, under the same seed, of the run that the study compares with.
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
    def utility(self) -> Real:
        """The true utility of the clients in every round [R, k]."""
        return self.accounts.utility[:, self.clients]

    @property
    def others(self) -> Real:
        """The true utility of all others in every round [R, m - k]."""
        return self.accounts.utility[:, ~self.clients]


def mean_of(values: Real) -> float | None:
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


def compare(mine: float, other: float, small: float = 1e-9) -> str:
    """Say how one amount stands to another."""
    if abs(mine - other) <= small * max(1.0, abs(mine), abs(other)):
        return "as much as"
    return "less than" if mine < other else "MORE than"
