"""Read a table that a stranger wrote: bounded, UTF-8 only, never guessing; every complaint names its place.

What a complaint looks like: ``clients.csv, row 4, column 'cost': 'abc' is not a number; write a number such as 1.5``.
Rows are counted as an editor counts lines, from 1, the header included.
"""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mechanism.errors import InputError, one_line, shown
from mechanism.reading import read_bytes

LARGEST_FILE = 64 * 2**20
"""Bytes. A table of differences between 1,500 clients with 16 digits each fits."""

MOST_CLIENTS = 5_000
"""Rows of a table: tables of everyone against everyone still fit in memory (200 MB each)."""

LONGEST_NAME = 100
"""Characters of a client's name."""

MOST_WRONG = 1_000
"""Wrong cells that are counted after the first."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_FIRST_LINE = re.compile(r"\S[^\r\n]*")
_OTHER_SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One row of a table: its line number in the file and its cells, as many as the header has."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A table as read: the file's name for messages, the header's line, its columns, and the rows."""

    file: str
    header_line: int
    columns: list[str]
    rows: list[Row]

    def place(self, line: int, column: str | None = None) -> str:
        """Return how a message names a cell: file, row and column."""
        where = f"{self.file}, row {line}"
        return where if column is None else f"{where}, column {shown(column)}"


def read_text(path: Path, largest: int = LARGEST_FILE) -> str:
    """Return a bounded UTF-8 text file without its byte-order mark.

    `InputError` if the file cannot be read, is too large, is binary or is not UTF-8.
    """
    name = one_line(path)
    content = read_bytes(path, largest, "a smaller table")
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


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line where the record starts, stripped cells) of each record that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            line = max(start, reader.line_num)
            raise InputError(f"{name}, row {line}: is no CSV ({error}); check its quotes and commas") from None
        if record is None:
            return
        cells = [cell.strip() for cell in record]
        if any(cells) or len(cells) > 1:
            yield start, cells
        start = reader.line_num + 1


def _refuse_other_separators(text: str, name: str) -> None:
    """Raise an error where the header has no comma but another separator: no table of ours has a single column."""
    header = _FIRST_LINE.search(text)
    if header is None or "," in header[0]:
        return
    for separator, told in _OTHER_SEPARATORS.items():
        if separator in header[0]:
            line = text.count("\n", 0, header.start()) + 1
            remedy = "save it with commas between cells and points in numbers"
            raise InputError(
                f"{name}, row {line}: columns are separated by commas here, this file uses {told}; {remedy}"
            )


def read_table(path: Path) -> Table:
    """Read a CSV file with one header and rows of exactly its width.

    Blank lines are skipped; white space around cells is dropped; a byte-order mark is accepted. `InputError` if the
    file is no such table; the message names file, row and remedy.
    """
    name = one_line(path)
    text = read_text(path)
    _refuse_other_separators(text, name)
    records = _records(text, name)
    header_line, columns = next(records, (0, []))
    if not columns:
        raise InputError(f"{name} is empty; expected a header and one row per client")
    rows: list[Row] = []
    for line, cells in records:
        if len(cells) != len(columns):
            kind = "short" if len(cells) < len(columns) else "long"
            expected = f"expected {len(columns)}, one for each column of the header"
            raise InputError(f"{name}, row {line}: has {len(cells)} cells, too {kind}; {expected}")
        if len(rows) == MOST_CLIENTS:
            raise InputError(f"{name}, row {line}: more than {MOST_CLIENTS} clients; expected at most {MOST_CLIENTS}")
        rows.append(Row(line, cells))
    return Table(name, header_line, columns, rows)


def client_name(text: str, place: str) -> str:
    """Return a client's name if it can be shown: 1 to 100 printable characters.

    `InputError` if it is empty, too long, or holds characters that would move a terminal's cursor.
    """
    if not text:
        raise InputError(f"{place}: the client has no name; write one, such as A")
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
