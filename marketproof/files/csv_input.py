"""Read a table that a stranger wrote: bounded, UTF-8 only, never guessing; every complaint names its place.

Cells are separated by what the header is separated by: commas, semicolons, tabs or bars. Beside the latter three the
comma may be decimal, where no number of the table has a point. Workbooks (.xlsx) are read by their first sheet.

What a complaint looks like: ``clients.csv, row 4, column 'cost': 'abc' is not a number; write a number such as 1.5``.
Rows are counted as an editor counts lines, from 1, the header included.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mechanism.errors import InputError, one_line, shown
from mechanism.reading import read_bytes
from mechanism.spreadsheets import WORKBOOKS, read_sheet

LARGEST_FILE = 64 * 2**20
"""Bytes. A table of differences between 1,500 clients with 16 digits each fits."""

MOST_CLIENTS = 5_000
"""Rows of a table of everyone against everyone: it still fits in memory (200 MB)."""

LONGEST_NAME = 100
"""Characters of a client's name."""

MOST_WRONG = 1_000
"""Wrong cells that are counted after the first."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_FIRST_LINE = re.compile(r"\S[^\r\n]*")
_SEPARATORS = ",;\t|"
_COMMA, _POINT = re.compile(r"([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)", re.ASCII), re.compile(r"[+-]?\d*\.\d+\D*", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One row of a table: its line number in the file and its cells, as many as the header has."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A table as read: the file's name for messages, the header's line, its columns, and the rows.

    ``comma``: whether commas are free to be decimal.
    """

    file: str
    header_line: int
    columns: list[str]
    rows: list[Row]
    comma: bool = False

    def place(self, line: int, column: str | None = None) -> str:
        """Return how a message names a cell: file, row and column."""
        where = f"{self.file}, row {line}"
        return where if column is None else f"{where}, column {shown(column)}"


def read_text(path: Path, largest: int = LARGEST_FILE) -> str:
    """Return a bounded UTF-8 text file without its byte-order mark.

    `InputError` if the file cannot be read, is too large, is binary or is not UTF-8.
    """
    name = one_line(path)
    content = read_bytes(path, largest, "a table")
    zero = content.find(b"\0")
    if zero >= 0:
        line = content.count(b"\n", 0, zero) + 1
        raise InputError(f"{name}, row {line}: holds a NUL byte, so it is no text; save the table as CSV in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise InputError(
            f"{name}, row {line}: byte 0x{byte:02x} is not UTF-8; save the table as CSV in UTF-8"
        ) from None


def _records(path: Path, name: str) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """Return the separator ("": a workbook) and (line where the record starts, stripped cells) of what is not blank."""
    if path.suffix.lower() in WORKBOOKS:
        rows = ((line, _trimmed(cells)) for line, cells in enumerate(read_sheet(path), 1))
        return "", (row for row in rows if row[1])
    text = read_text(path)
    header = _FIRST_LINE.search(text)
    separator = max(_SEPARATORS, key=header[0].count) if header else ","
    return separator, _csv_records(text, name, separator)


def _trimmed(cells: list[str]) -> list[str]:
    """Return the cells of a sheet's row up to its last that is not empty: rows are as long as somebody once wrote."""
    return cells[: max((k for k, cell in enumerate(cells, 1) if cell), default=0)]


def _csv_records(text: str, name: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    start = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            line = max(start, reader.line_num)
            raise InputError(f"{name}, row {line}: is no CSV ({error}); check its quotes and separators") from None
        if record is None:
            return
        cells = [cell.strip() for cell in record]
        if any(cells):
            yield start, cells
        start = reader.line_num + 1


def read_table(path: Path, *, long: bool = False) -> Table:
    """Read a CSV file or the first sheet of a workbook: one header, and rows of exactly its width.

    ``long``: more than `MOST_CLIENTS` rows may be there, as many as the file's own bound allows. Blank rows are
    skipped; white space around cells is dropped; a byte-order mark is accepted. `InputError` if the file is no such
    table; the message names file, row and remedy.
    """
    name = one_line(path)
    separator, records = _records(path, name)
    header_line, columns = next(records, (0, []))
    if not columns:
        raise InputError(f"{name} is empty; expected a header and one row per client")
    rows: list[Row] = []
    for line, cells in records:
        if not separator:
            cells += [""] * (len(columns) - len(cells))
        if len(cells) != len(columns):
            kind = "short" if len(cells) < len(columns) else "long"
            expected = f"expected {len(columns)}, one for each column of the header"
            raise InputError(f"{name}, row {line}: has {len(cells)} cells, too {kind}; {expected}")
        if len(rows) == MOST_CLIENTS and not long:
            raise InputError(f"{name}, row {line}: more than {MOST_CLIENTS} clients; expected at most {MOST_CLIENTS}")
        rows.append(Row(line, cells))
    return Table(name, header_line, columns, rows, comma=separator not in ("", ","))


def pointed(table: Table, columns: Sequence[int]) -> None:
    """Write the decimal commas in ``columns`` of a table as points, where its separator leaves the comma free.

    `InputError` where one number has a comma and another a point: 1,234 could then be a thousand.
    """
    if not table.comma:
        return
    commas = points = None
    for row in table.rows:
        for k in columns:
            cell = row.cells[k]
            if "," in cell and (found := _COMMA.fullmatch(cell)):
                row.cells[k], commas = f"{found[1]}.{found[2]}", commas or (row.line, cell)
            elif "." in cell and _POINT.fullmatch(cell):
                points = points or (row.line, cell)
    if commas and points:
        (line, cell), (other, second) = commas, points
        raise InputError(
            f"{table.place(line)}: {shown(cell)} has a decimal comma, and {shown(second)} in row {other} a point; "
            "write all numbers of a table alike"
        )


def client_name(text: str, place: str, what: str = "client") -> str:
    """Return the name of a client, or of what else, if it can be shown: 1 to 100 printable characters.

    `InputError` if it is empty, too long, or holds characters that would move a terminal's cursor.
    """
    if not text:
        raise InputError(f"{place}: the {what} has no name; write one, such as A")
    if len(text) > LONGEST_NAME:
        raise InputError(f"{place}: {shown(text)} is {len(text)} characters long; expected at most {LONGEST_NAME}")
    if not text.isprintable():
        raise InputError(f"{place}: {shown(text)} holds characters that cannot be printed; use letters and digits")
    return text


def number(text: str, place: str, *, low: float, high: float, expected: str) -> float:
    """Return a decimal number in [low, high]; ``expected`` words the range for the message.

    Python's own extras (``1_000``, ``nan``, ``infinity``, digits of other scripts) are not numbers here. `InputError`
    if the text is no such number; the message names the value and the remedy.
    """
    if not text:
        raise InputError(f"{place}: is empty; write a number {expected}")
    if _NOT_FINITE.fullmatch(text):
        raise InputError(f"{place}: {shown(text)} is not a finite number; write a number {expected}")
    if not _NUMBER.fullmatch(text):
        hint = ", with a point instead of the comma" if re.fullmatch(r"[+-]?\d+,\d+", text) else ""
        raise InputError(f"{place}: {shown(text)} is not a number; write a number {expected}{hint}")
    value = float(text)
    if not low <= value <= high:
        size = "too large" if value > high else "negative" if value < 0.0 else "too small"
        raise InputError(f"{place}: {shown(text)} is {size}; write a number {expected}")
    return value + 0.0  # turns -0 into 0


class WrongCells:
    """Collects what is wrong in the cells of a table: the first complaint in full, the others as a count."""

    def __init__(self) -> None:
        self._first: InputError | None = None
        self._more = 0

    @contextmanager
    def keep(self) -> Iterator[None]:
        """Keep what is wrong in the block; where `MOST_WRONG` are kept besides the first, complain."""
        try:
            yield
        except InputError as error:
            self._more += self._first is not None
            self._first = self._first or error
            if self._more == MOST_WRONG:
                self.complain()

    def complain(self) -> None:
        """Raise the first complaint with the number of the others; do nothing if there was none.

        `InputError` if any was kept.
        """
        if self._first is None:
            return
        if not self._more:
            raise self._first
        least = "at least " if self._more == MOST_WRONG else ""
        others = "1 more cell is wrong" if self._more == 1 else f"{least}{self._more} more cells are wrong"
        raise InputError(f"{self._first}; and {others}") from None
