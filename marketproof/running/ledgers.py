"""The two tables of a run: what happened to each client in each round, and every import with its price.

Rows stand in the order of the configuration's methods, then seed, round, and client (or importer, exporter). The same
run gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketproof.running.populations import ROLES
from marketproof.running.recorder import Unit
from marketproof.running.records import MarketRecord
from mechanism.market.accounting import account

Columns = dict[str, list[NDArray[Any]]]


def rounds_table(records: Sequence[tuple[Unit, MarketRecord]]) -> Any:
    """Return ``rounds.parquet`` as a polars frame: one row per method, seed, round and client; true accounts.

    ``accuracy`` and ``loss`` are those by which the method is judged, beside them those after local training and after
    the server's step. ``present`` is 1 where the client takes part in the round, ``role`` what it is.
    """
    import polars as pl

    parts = []
    for unit, record in records:
        accounts = account(record.types, record.outcome, record.market.law)
        count, m = record.accuracy.shape
        number, client = np.indices((count, m))
        imports = record.outcome.imports
        columns: dict[str, NDArray[Any]] = {
            "seed": np.full((count, m), unit.seed),
            "round": number + 1,
            "client": client,
            "accuracy": record.accuracy,
            "loss": record.loss,
            "gain": accounts.gain,
            "cost": accounts.cost,
            "paid": accounts.paid,
            "received": accounts.received,
            "utility": accounts.utility,
            "imports": imports.sum(axis=-1),
            "exports": imports.sum(axis=-2),
            "accuracy_trained": record.trained[0],
            "loss_trained": record.trained[1],
            "accuracy_aggregated": record.aggregated[0],
            "loss_aggregated": record.aggregated[1],
            "present": record.present,
        }
        frame = _frame(pl, unit.method.name, {name: np.ravel(array) for name, array in columns.items()})
        roles = [ROLES[code] for code in np.ravel(record.roles).tolist()]
        parts.append(frame.with_columns(pl.Series("role", roles, dtype=pl.String)))
    return pl.concat(parts, rechunk=True)


def ledger_table(records: Sequence[tuple[Unit, MarketRecord]]) -> Any:
    """Return ``ledger.parquet`` as a polars frame: one row per import; ``payment`` gross, importer to exporter.

    ``cost`` is the exporter's true cost, ``difference`` the entry of D, ``penalty`` what the mechanism reckoned with:
    lam d_ij n_j / n_i at the reported sizes.
    """
    import polars as pl

    parts = []
    for unit, record in records:
        number, importer, exporter = np.nonzero(record.outcome.imports)
        d = record.market.differences
        at = (number, importer, exporter)
        columns: dict[str, NDArray[Any]] = {
            "seed": np.full(number.shape, unit.seed),
            "round": number + 1,
            "importer": importer,
            "exporter": exporter,
            "payment": record.outcome.prices[at] + 0.0,
            "cost": record.types.cost[number, exporter],
            "difference": np.zeros(number.shape) if d is None else d[at],
            "penalty": record.market.penalties(record.reports.size)[at],
        }
        parts.append(_frame(pl, unit.method.name, columns))
    return pl.concat(parts, rechunk=True)


def _frame(pl: Any, method: str, columns: dict[str, NDArray[Any]]) -> Any:
    whole = ("seed", "round", "client", "importer", "exporter", "imports", "exports", "present")
    typed = {name: a.astype(np.int64 if name in whole else np.float64) for name, a in columns.items()}
    rows = len(next(iter(typed.values())))
    return pl.DataFrame({"method": pl.Series([method] * rows, dtype=pl.String), **typed})


def parquet(frame: Any) -> bytes:
    """Return a frame as parquet."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
