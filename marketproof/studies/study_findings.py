"""What the studies have in common when they read their runs: figures per seed, means over seeds, tables and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from marketproof.running.populations import BENIGN, ROLES
from marketproof.running.records import MarketRecord
from mechanism.market.accounting import account
from mechanism.wording import number, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, Any]
"""One line of a study's table: names and numbers by key; beside a mean over several seeds stands ``KEY_std``."""


@dataclass(frozen=True)
class Column:
    """One column of a study: key, head on paper, what it is, and how it is shown: text, count, money or share."""

    key: str
    head: str
    meaning: str
    kind: str = "money"


@dataclass(frozen=True, eq=False)
class Findings:
    """What a study found: its table, what to look at, what its numbers do not say, and figures made when asked for.

    ``more`` holds what does not fit into a table, by key, for ``study.json``.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    words: Sequence[str]
    notes: Sequence[str]
    figures: Mapping[str, Figure]
    more: Mapping[str, Any] = field(default_factory=dict)


def over_seeds(key: str, values: Sequence[float | None]) -> Row:
    """Return the mean of one number per seed, with the sample deviation beside it if there are several.

    None is a seed that has no such number; all None gives None. A single number has a mean and no deviation (None).
    """
    there = np.array([value for value in values if value is not None], dtype=np.float64)
    if not there.size:
        return {key: None}
    told: Row = {key: float(there.mean()) + 0.0}
    if len(values) > 1:
        told[f"{key}_std"] = float(there.std(ddof=1)) if there.size > 1 else None
    return told


def utilities(record: MarketRecord) -> NDArray[np.float64]:
    """Return everybody's true utility in every round, money [R, m]; 0 of who is not there."""
    return account(record.types, record.outcome, record.market.law).utility


def who(record: MarketRecord, *roles: str) -> NDArray[np.bool_]:
    """Return who has one of these roles [m]."""
    return np.isin(record.roles[0], [ROLES.index(role) for role in roles])


def benign(record: MarketRecord) -> NDArray[np.bool_]:
    """Return who is neither attacker nor free-rider [m]."""
    return who(record, *BENIGN)


def best_accuracy(record: MarketRecord, clients: NDArray[np.bool_]) -> float | None:
    """Return the mean over these clients of their best accuracy while they took part; None where none did."""
    took = record.present[:, clients]
    best = np.where(took, record.accuracy[:, clients], 0.0).max(axis=0)[took.any(axis=0)]
    return float(best.mean()) if best.size else None


def mean_of(values: NDArray[np.float64]) -> float | None:
    """Return the mean of what there is, None of nothing."""
    return float(values.mean()) if values.size else None


def shown_cell(column: Column, row: Row) -> str:
    """Return a cell of the printed table; the deviation over seeds behind its mean."""
    value, spread = row.get(column.key), row.get(f"{column.key}_std")
    if value is None:
        return "-"
    if column.kind == "text":
        return str(value)
    if column.kind == "count":
        return f"{value:g}"
    write = percent if column.kind == "share" else lambda amount: number(amount, 4)
    return write(value) + ("" if spread is None else f" ± {write(spread)}")


def compare(mine: float, other: float, small: float = 1e-9) -> str:
    """Say how one amount stands to another."""
    if abs(mine - other) <= small * max(1.0, abs(mine), abs(other)):
        return "as much as"
    return "less than" if mine < other else "MORE than"
