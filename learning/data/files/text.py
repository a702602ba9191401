"""Reading files of text without trusting them: bounded sizes, one line for whatever is wrong."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from learning.data.files.parquet import reading
from learning.errors import DataError, said

MOST_BYTES = 128 << 20
"""Largest file, unpacked, that is read as text: the largest one known, CodeAlpaca, has 8 MB."""

MOST_ROWS = 1_000_000
"""Most records of one file."""

MOST_CHARACTERS = 100_000
"""Longest text of one record."""


def read_text(path: Path, remedy: str, most: int = MOST_BYTES) -> str:
    """Return the UTF-8 text of a file, unpacked if its name ends in ``.gz``.

    Never more than ``most`` bytes are unpacked, whatever the archive claims. ``remedy`` ends the line of a `DataError`.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        what = "as a gzip file " if path.suffix == ".gz" else ""
        raise DataError(f"{path} cannot be read {what}({said(error)}); {remedy}") from None
    if len(data) > most:
        raise DataError(f"{path} has more than {most} bytes of text; {remedy}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start}); {remedy}") from None
    if "\0" in text:
        raise DataError(f"{path} is not text (a byte of value 0 at {data.index(0)}); {remedy}")
    return text


def read_json(path: Path, remedy: str) -> Any:
    """Return the value of a JSON file; `DataError` if it is damaged or nested too deeply."""
    return _parse(read_text(path, remedy), f"{path}", remedy)


def read_jsonl(path: Path, remedy: str) -> list[Any]:
    """Return the values of a file with one JSON value a line; empty lines are skipped."""
    lines = read_text(path, remedy).split("\n")
    return [_parse(line, f"{path} line {k}", remedy) for k, line in enumerate(lines, 1) if line.strip()]


def read_csv(path: Path, columns: Sequence[str], remedy: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file that has at least ``columns``; short and long rows are refused."""
    reader = csv.reader(io.StringIO(read_text(path, remedy), newline=""), strict=True)
    rows: list[dict[str, str]] = []
    try:
        header = next(reader, [])
        _need(columns, header, path, remedy)
        for row in reader:
            if len(row) != len(header):
                raise DataError(
                    f"{path} line {reader.line_num} has {len(row)} values; expected {len(header)}; {remedy}"
                )
            rows.append({name: value for name, value in zip(header, row, strict=True) if name in columns})
    except csv.Error as error:
        raise DataError(f"{path} line {reader.line_num} is not CSV ({said(error)}); {remedy}") from None
    return rows


def read_parquet(path: Path, columns: Sequence[str], remedy: str) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file that has at least ``columns``; its row count is checked before it is read."""
    import polars as pl

    with reading(path, remedy):
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} has more than {MOST_BYTES} bytes; {remedy}")
        table = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        _need(columns, table.collect_schema().names(), path, remedy)
        count = int(table.select(pl.len()).collect().item())
        if count > MOST_ROWS:
            raise DataError(f"{path} declares {count} rows; expected at most {MOST_ROWS}; {remedy}")
        frame = table.select(columns).collect()
        texts = [pl.col(name).str.len_bytes().max() for name, kind in frame.schema.items() if kind == pl.String]
        longest = frame.select(texts).row(0) if texts else ()
        if max((n or 0 for n in longest), default=0) > MOST_CHARACTERS:
            raise DataError(f"{path} holds a text above {MOST_CHARACTERS} bytes; {remedy}")
        return frame.to_dicts()


def read_rows(path: Path, columns: Sequence[str], remedy: str) -> list[dict[str, Any]]:
    """Return the records of a CSV, Parquet, JSON or JSON lines file, by the ending of its name."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".csv"):
        return read_csv(path, columns, remedy)
    if name.endswith(".parquet"):
        return read_parquet(path, columns, remedy)
    value = read_jsonl(path, remedy) if name.endswith(".jsonl") else read_json(path, remedy)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise DataError(f"{path} is not a list of records; {remedy}")
    for k, row in enumerate(value, 1):
        _need(columns, row, f"{path} record {k}", remedy)
    return value


def texts(row: dict[str, Any], columns: Iterable[str], where: str, remedy: str) -> Iterator[str]:
    """Yield the texts of a record: of each column a string of at most `MOST_CHARACTERS`, without space around it."""
    for name in columns:
        value = row[name]
        if not isinstance(value, str):
            raise DataError(f"{where}: {name} is {type(value).__name__}; expected a text; {remedy}")
        if len(value) > MOST_CHARACTERS:
            raise DataError(f"{where}: {name} has {len(value)} characters; expected at most {MOST_CHARACTERS}")
        # half of a surrogate pair, which JSON can spell, is no character and has no UTF-8 form
        yield value.encode("utf-8", "replace").decode("utf-8").strip()


def _parse(text: str, where: str, remedy: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise DataError(f"{where} is nested too deeply; {remedy}") from None
    except ValueError as error:
        raise DataError(f"{where} is not JSON ({said(error)}); {remedy}") from None


def _need(columns: Sequence[str], found: Iterable[str], where: object, remedy: str) -> None:
    there = list(found)
    missing = [name for name in columns if name not in there]
    if missing:
        shown = ", ".join(repr(str(name)[:40]) for name in there[:12]) or "none"
        raise DataError(f"{where} has no column {missing[0]!r} but {shown}; {remedy}")
