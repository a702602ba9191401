"""The files of large markets: clients from Parquet, long tables of listed pairs, vectors of models."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from marketproof.files.csv_input import LONGEST_NAME, WrongCells, client_name, number, pointed, read_table
from marketproof.files.market_tables import COLUMNS, PARQUET, RANGES, ClientTable, known_client
from mechanism.errors import InputError, one_line, shown
from mechanism.market.clients import LARGEST

if TYPE_CHECKING:
    from polars import DataFrame

    from mechanism.market.large.sparse import SparseMatrix

BYTES_A_CLIENT, BYTES_A_PAIR = 2_000, 100
"""Memory that clearing takes for each client beside its vector, and for each listed pair: a bound, not a measure."""

DIFFERENCE = ("difference", 0.0, 2.0, "from 0 to 2 (1 - cosine)")
SAMPLES = ("samples", 0.0, LARGEST, f"from 0 to {LARGEST:g} (samples)")
"""What a long table lists of a pair: its column, the range, and that in words."""


def is_parquet(path: Path) -> bool:
    """Say whether a file is Parquet by its name."""
    return path.suffix.lower() in PARQUET


def is_long(path: Path | None) -> bool:
    """Say whether a table lists pairs, one a row: Parquet, or text whose header names an importer and an exporter."""
    if path is None or is_parquet(path):
        return path is not None
    try:
        with open(path, "rb") as file:
            first = file.readline(200)
    except OSError:
        return False  # whoever reads it says why it cannot be read
    heads = [head.strip(' "') for head in re.split("[,;\t|]", first.decode("utf-8-sig", "replace").strip().lower())]
    return heads[0] != "client" and {"importer", "exporter"} <= set(heads)


def refuse_too_many(clients: int, path: Path, beside: int = 0) -> None:
    """Raise `InputError` if a market of so many clients, and ``beside`` bytes, needs more memory than there is."""
    needed = clients * BYTES_A_CLIENT + beside
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 2**33
    if needed > there:
        raise InputError(
            f"{one_line(path)}: {clients} clients need about {needed / 2**30:.1f} GiB of memory to be cleared, this "
            f"machine has {there / 2**30:.1f} GiB; take fewer clients, or a larger machine"
        )


def parquet_clients(path: Path) -> ClientTable:
    """Read the clients from Parquet, with the columns and ranges of ``CLIENTS.csv``.

    `InputError` names file, row (the first client's is 1), column, value and remedy.
    """
    frame = _columns(path, COLUMNS, BYTES_A_CLIENT)
    if not len(frame):
        raise InputError(f"{one_line(path)} holds no client; write one row per client")
    names = _texts(frame, "client", path)
    for k, name in enumerate(names):
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            client_name(name, _place(path, k, "client"))
    if len(set(names)) < len(names):
        seen: dict[str, int] = {}
        k = next(k for k, name in enumerate(names) if seen.setdefault(name, k) != k)
        raise InputError(
            f"{_place(path, k, 'client')}: {shown(names[k])} stands already in row {seen[names[k]] + 1}; name each "
            "client once"
        )
    size, cost, gain = (_numbers(frame, column, span, path) for column, span in RANGES.items())
    return ClientTable(tuple(names), size, cost, gain)


def listed_pairs(
    path: Path, names: tuple[str, ...], what: tuple[str, float, float, str], rest: float = 0.0
) -> SparseMatrix:
    """Read a long table ``importer,exporter,NUMBER``, CSV or Parquet: one row per pair, in any order, each once.

    ``what``: `DIFFERENCE` or `SAMPLES`; ``rest``: the number of pairs that are not listed. `InputError` as
    `parquet_clients`.
    """
    from mechanism.market.large.sparse import SparseMatrix

    column, span = what[0], what[1:]
    columns = ("importer", "exporter", column)
    index = {name: k for k, name in enumerate(names)}
    if is_parquet(path):
        frame = _columns(path, columns, BYTES_A_PAIR)
        ends = [np.array([index.get(name, -1) for name in _texts(frame, side, path)], dtype=np.int64)
                for side in columns[:2]]  # fmt: skip
        for side, found in zip(columns, ends, strict=False):
            if (found < 0).any():
                k = int(np.argmax(found < 0))
                known_client(str(frame[side][k]), index, _place(path, k, side))
        values = _numbers(frame, column, span, path)
    else:
        ends, values = _written_pairs(path, columns, index, span)
    own = ends[0] == ends[1]
    if own.any():
        who = shown(names[int(ends[0][np.argmax(own)])])
        raise InputError(f"{one_line(path)}: {who} is listed with itself; leave such pairs out")
    place = ends[0] * len(names) + ends[1]
    pairs, count = np.unique(place, return_counts=True)
    if len(pairs) < len(place):
        i, j = divmod(int(pairs[np.argmax(count)]), len(names))
        raise InputError(f"{one_line(path)}: {shown(names[i])} and {shown(names[j])} are listed twice; list them once")
    return SparseMatrix.of_pairs(len(names), ends[0], ends[1], values, rest)


def _written_pairs(
    path: Path, columns: tuple[str, str, str], index: dict[str, int], span: tuple[float, float, str]
) -> tuple[list[NDArray[np.int64]], NDArray[np.float64]]:
    table = read_table(path, long=True)
    at = {name.lower(): k for k, name in enumerate(table.columns)}
    if sorted(at) != sorted(columns) or len(at) < len(table.columns):
        raise InputError(f"{table.place(table.header_line)}: expected the header {','.join(columns)} in any order")
    pointed(table, [at[columns[2]]])
    low, high, expected = span
    wrong, ends, values = WrongCells(), ([0] * len(table.rows), [0] * len(table.rows)), np.zeros(len(table.rows))
    for k, row in enumerate(table.rows):
        with wrong.keep():
            for side, found in zip(columns, ends, strict=False):
                found[k] = known_client(row.cells[at[side]], index, table.place(row.line, side))
            cell = table.place(row.line, columns[2])
            values[k] = number(row.cells[at[columns[2]]], cell, low=low, high=high, expected=expected)
    wrong.complain()
    return [np.array(found, dtype=np.int64) for found in ends], values


def client_vectors(path: Path, clients: int) -> NDArray[Any]:
    """Return the vectors [clients, numbers] in a ``.npy`` file as a memory map, row k the k-th client's.

    `InputError` if it is no such file; that each has a direction is checked when they are used.
    """
    name = one_line(path)
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as failed:
        reason = failed.strerror if isinstance(failed, OSError) and failed.strerror else one_line(failed)[:100]
        raise InputError(f"cannot read {name}: {reason}; expected a .npy file as numpy.save writes it") from None
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or vectors.dtype.kind not in "fiu":
        raise InputError(f"{name} holds no numbers [clients, dimensions]; save one row for each client")
    if len(vectors) != clients or not vectors.shape[1]:
        raise InputError(
            f"{name} holds {len(vectors)} rows of {vectors.shape[1]} numbers; expected one row for each of the "
            f"{clients} clients, in the order of their table"
        )
    refuse_too_many(clients, path, 16 * vectors.size)
    return vectors


def _columns(path: Path, columns: tuple[str, ...], bytes_a_row: int) -> DataFrame:
    """Return some columns of a Parquet file, in capitals or not, if all are there and memory suffices."""
    import polars as pl

    from learning.data.files.parquet import reading

    with reading(path):
        lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        held = lazy.collect_schema().names()
        rows = int(lazy.select(pl.len()).collect().item())
        found = {column: [name for name in held if name.lower() == column] for column in columns}
        for column, named in found.items():
            if len(named) != 1:
                fault = "is missing" if not named else "stands twice"
                raise InputError(f"{one_line(path)}: column {column} {fault}; expected {', '.join(columns)}")
        refuse_too_many(0, path, rows * bytes_a_row)
        texts = [pl.col(found[column][0]).cast(pl.String).str.len_bytes().max() for column in columns
                 if column in ("client", "importer", "exporter")]  # fmt: skip
        longest = lazy.select(texts).collect().row(0)
        if max((length or 0 for length in longest), default=0) > 4 * LONGEST_NAME:
            raise InputError(f"{one_line(path)}: a client's name is longer than {LONGEST_NAME} characters; shorten it")
        return lazy.select(pl.col(found[column][0]).alias(column) for column in columns).collect()


def _place(path: Path, row: int, column: str) -> str:
    return f"{one_line(path)}, row {row + 1}, column {shown(column)}"


def _filled(frame: DataFrame, column: str, path: Path) -> Any:
    series = frame[column]
    if series.null_count():
        raise InputError(f"{_place(path, int(series.is_null().arg_max() or 0), column)}: is empty; fill it in")
    return series


def _texts(frame: DataFrame, column: str, path: Path) -> list[str]:
    """Return a column of names: texts, or whole numbers as they are written."""
    import polars as pl

    series = _filled(frame, column, path)
    if not (series.dtype.is_integer() or series.dtype in (pl.String, pl.Categorical)):
        raise InputError(f"{one_line(path)}: column {column} holds {series.dtype}; expected names or whole numbers")
    return [text.strip() for text in series.cast(pl.String).to_list()]


def _numbers(frame: DataFrame, column: str, span: tuple[float, float, str], path: Path) -> NDArray[np.float64]:
    low, high, expected = span
    series = _filled(frame, column, path)
    if not series.dtype.is_numeric():
        raise InputError(f"{one_line(path)}: column {column} holds {series.dtype}; expected numbers {expected}")
    values = series.to_numpy().astype(np.float64)
    bad = ~((values >= low) & (values <= high))
    if bad.any():
        k = int(np.argmax(bad))
        raise InputError(f"{_place(path, k, column)}: {values[k]:g} does not fit; write a number {expected}")
    return np.asarray(values + 0.0)  # turns -0 into 0
