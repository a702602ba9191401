"""Workbooks (.xlsx) by openpyxl: the first sheet as texts, bounded, and tables written so that nothing is a formula."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from mechanism.errors import InputError, MarketProofError, one_line
from mechanism.reading import read_bytes

WORKBOOKS = (".xlsx", ".xlsm")
"""How the names of workbooks end."""

LARGEST_WORKBOOK = 64 * 2**20
"""Bytes of a workbook, packed, and four times that unpacked."""

_MOST_PARTS, _MOST_ROWS = 10_000, 2**20


def read_sheet(path: Path, *, error: type[MarketProofError] = InputError) -> Iterator[list[str]]:
    """Yield the rows of the first sheet of a workbook as stripped texts, "" for what is empty; formulas by their value.

    ``error``: the class that is raised. `InputError` in one line if openpyxl is missing, or the file is no workbook, is
    encrypted or larger than `LARGEST_WORKBOOK`, whatever it declares of itself.
    """
    name = one_line(path)
    content = read_bytes(path, LARGEST_WORKBOOK, "a workbook", error=error)
    openpyxl = _openpyxl(name, error)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that openpyxl leaves out
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)  # no more is ever unpacked of a part
            if len(parts) > _MOST_PARTS or unpacked > 4 * LARGEST_WORKBOOK:
                raise error(f"{name} unpacks to {unpacked} bytes; expected at most {4 * LARGEST_WORKBOOK}; save as CSV")
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            if not book.worksheets:
                raise error(f"{name} holds no sheet of cells; expected a table in its first sheet")
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what it declares: rows and columns without end, or fewer than there are
            for row in sheet.iter_rows(values_only=True, max_row=_MOST_ROWS):
                yield [_text(cell) for cell in row]
    except MarketProofError:
        raise
    except Exception as failed:  # damaged workbooks raise errors of many kinds in openpyxl
        told = one_line(failed)[:100]
        raise error(f"{name} cannot be read as a workbook ({told}); save the table as .xlsx or CSV in UTF-8") from None


def _text(cell: Any) -> str:
    """Return a cell as it would stand in a CSV file."""
    if cell is None:
        return ""
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()


def sheets(tables: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """Return a workbook of one sheet for each table of rows; texts are texts, also those that begin with "=".

    `InputError` if openpyxl is missing.
    """
    openpyxl = _openpyxl("a workbook", InputError)
    book = openpyxl.Workbook(write_only=True)
    for title, rows in tables.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append([_cell(openpyxl, sheet, value) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(openpyxl: ModuleType, sheet: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    cell = openpyxl.cell.WriteOnlyCell(sheet, openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", value))
    cell.data_type = "s"
    return cell


def _openpyxl(name: str, error: type[MarketProofError]) -> ModuleType:
    try:
        import openpyxl
    except ImportError:
        told = 'install it: pip install "marketproof[xlsx]", or use CSV'
        raise error(f"{name}: workbooks are read and written by openpyxl, which is not installed; {told}") from None
    return openpyxl
