"""Tables that come from anyone, CSV, Parquet or xlsx, as frames: bounded, each column with a name of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from learning.data.files.parquet import reading
from learning.errors import DataError
from mechanism.errors import one_line, shown
from mechanism.reading import read_bytes
from mechanism.spreadsheets import WORKBOOKS, read_sheet

if TYPE_CHECKING:
    from polars import DataFrame

_MOST_BYTES, _MOST_CELLS = 1 << 28, 100_000_000


def frame_of(path: Path) -> tuple[DataFrame, NDArray[np.int64]]:
    """Return a table without its blank rows, and the lines of the others as an editor counts, the header first."""
    import polars as pl

    frame = _whole(path)
    blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
    return frame.filter(~blank), np.flatnonzero(~blank) + 2


def _whole(path: Path) -> DataFrame:
    """Return a table; of CSV files and workbooks every cell is text, or null where it is empty."""
    import polars as pl

    name = one_line(path)
    if path.suffix.lower() in WORKBOOKS:
        head, *rows = list(read_sheet(path, error=DataError)) or [[]]
        width = max((k for k, cell in enumerate(head, 1) if cell), default=0)
        _check_names(path, head[:width])
        long = next((k for k, row in enumerate(rows, 2) if any(row[width:])), None)
        if long is not None:
            raise DataError(f"{name}, row {long}: has a cell beyond the last column of the first row")
        cells = {column: [row[k] if k < len(row) else "" for row in rows] for k, column in enumerate(head[:width])}
        return _stripped(pl.DataFrame(cells, schema=dict.fromkeys(head[:width], pl.String)))
    content = read_bytes(path, _MOST_BYTES, "a table, CSV, Parquet or xlsx", error=DataError)
    with reading(path, "save it as CSV in UTF-8 or as Parquet", " as a table"):
        if path.suffix.lower() not in (".parquet", ".pq"):
            return _read_csv(content, path)
        lazy = pl.scan_parquet(io.BytesIO(content))
        cells_declared = int(lazy.select(pl.len()).collect().item()) * len(lazy.collect_schema())
        if cells_declared > _MOST_CELLS:
            raise DataError(f"{name} declares {cells_declared} cells; expected at most {_MOST_CELLS}")
        return lazy.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)).collect()


def _check_names(path: Path, names: Sequence[str]) -> None:
    for k, name in enumerate(names):
        if not name or name in names[:k]:
            told = f"{shown(name)} stands twice" if name else f"number {k + 1} has no name"
            raise DataError(f"{one_line(path)}: column {told}; give each column a name of its own in the first row")


def _stripped(frame: DataFrame) -> DataFrame:
    import polars as pl

    return frame.with_columns(pl.all().str.strip_chars().replace("", None))


def _read_csv(content: bytes, path: Path) -> DataFrame:
    """Return a CSV file; columns by comma, semicolon, tab or bar."""
    import polars as pl

    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")  # lines end as they did on old Macs
    try:
        first = content.decode("utf-8-sig").lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{one_line(path)}, row {line}: is not UTF-8; save the table as CSV in UTF-8") from None
    separator = max(",;\t|", key=first.count)
    nul = content.find(b"\0")
    if nul >= 0:  # arrays of texts drop it at their ends: two owners would become one
        line = content.count(b"\n", 0, nul) + 1
        raise DataError(f"{one_line(path)}, row {line}: holds a byte of value 0; take it out")
    try:
        names = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
    except csv.Error as error:
        raise DataError(f"{one_line(path)}, row 1: {one_line(error)}; expected the names of the columns") from None
    _check_names(path, names)
    body = io.BytesIO(content.removeprefix(b"\xef\xbb\xbf"))
    frame = pl.read_csv(body, separator=separator, infer_schema=False)
    frame = _stripped(frame.rename(dict(zip(frame.columns, names, strict=True))))
    if separator == ",":
        return frame
    comma, point = r"^([+-]?\d*),(\d+)$", r"^[+-]?\d*\.\d+$"  # where cells are separated otherwise, commas are decimal
    both = frame.select(pl.all().str.contains(comma).any() & pl.all().str.contains(point).any())
    for column in both.columns:
        if both[column][0]:  # 1,234 could be a thousand
            told = "has numbers with a decimal comma and others with a point; write all alike"
            raise DataError(f"{one_line(path)}: column {shown(column)} {told}")
    return frame.with_columns(pl.all().str.replace(comma, "$1.$2"))
