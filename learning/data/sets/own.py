"""Data of one's own: a table or several, arrays, a folder of images or texts, or what one's own function returns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from learning.data import OwnTable
from learning.data.dataset import Dataset
from learning.data.own.arrays import from_code, from_npz
from learning.data.own.folders import classed, kind_of, speakers, speech, tables
from learning.data.own.samples import Owners, Samples, classes_of, divided, owners_of
from learning.data.own.tables import owners_in, rows_of
from learning.errors import DataError
from mechanism.errors import one_line, shown


def own_kind(file: str) -> str:
    """Return what a file or folder is: "code", "npz", "table", or of a folder "tables", "speech", "texts", "images"."""
    path = Path(file)
    if ".py:" in file:
        return "code"
    if path.is_dir():
        return kind_of(path)
    return "npz" if path.suffix.lower() == ".npz" else "table"


def owners(table: OwnTable) -> Owners:
    """Return whose samples there are, and why who else is none of the clients; `DataError` as `own`."""
    kind = own_kind(table.file)
    if kind == "speech":
        return speakers(table, table.least)
    samples = _samples(table, kind)
    classes_of(samples)
    return owners_of(samples, table.least)


def own(table: OwnTable) -> Dataset:
    """Return one's own data as a data set whose ``groups`` are its owners; `DataError` in one line where it cannot."""
    kind = own_kind(table.file)
    if kind == "speech":
        return speech(table, table.least)
    return divided(_samples(table, kind), table.least)


def _samples(table: OwnTable, kind: str) -> Samples:
    pipe = next((file for file in (table.file, table.test, table.split) if file and Path(file).is_fifo()), None)
    if pipe is not None:  # it waits for who writes, and gives once what each method and seed reads
        raise DataError(f"{shown(pipe)} is a pipe, and data are read more than once; save them as a file first")
    if not table.split:
        return _read(table, kind)
    if table.owner or kind in ("tables", "images", "texts"):
        raise DataError(f"{one_line(table.file)} says whose each sample is; leave {shown(table.split)} or owner out")
    return owners_in(Path(table.split), _read(replace(table, by_rule=True), kind))


def _read(table: OwnTable, kind: str) -> Samples:
    if kind not in ("table", "tables") and (table.owner or table.target or table.ignored):
        raise DataError(f"{one_line(table.file)} has no columns; leave owner, target and ignored out")
    if kind in ("table", "tables") and not table.target:
        raise DataError(f"{one_line(table.file)}: which column holds the class? name it: target (--target COLUMN)")
    if kind == "code":
        return from_code(table)
    if kind == "npz":
        return from_npz(table)
    if kind == "table":
        if not table.owner and not table.by_rule:
            raise DataError(f"{one_line(table.file)}: whose is a row? name the column: owner (--owner COLUMN)")
        return rows_of(table, [Path(table.file)])
    return tables(table) if kind == "tables" else classed(table, kind)
