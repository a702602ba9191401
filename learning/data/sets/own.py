"""A table of one's own: one row a sample, a column that says whose it is, a column with its class; CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learning.data import OwnTable
from learning.data.dataset import Dataset
from learning.data.files.parquet import reading
from learning.data.splits import holdout
from learning.errors import DataError
from mechanism.errors import did_you_mean, shown
from mechanism.reading import read_bytes
from mechanism.wording import plural

if TYPE_CHECKING:
    from polars import DataFrame, Series

_MOST_BYTES = 1 << 28
_MOST_ROWS, _MOST_COLUMNS, _MOST_CLASSES, _MOST_WORDS = 5_000_000, 2_000, 100, 50
_MOST_CELLS = 100_000_000
_LARGEST = 1e30  # of a number: its square is still one
_TRAINED = 0.8  # of each owner's samples of a class


def owners(table: OwnTable) -> dict[str, int]:
    """Return how many rows of a table each owner has, by name: client k is the k-th. `DataError` as `own`."""
    return dict(sorted(Counter(_Rows(table).texts(table.owner)).items()))


def own(table: OwnTable) -> Dataset:
    """Return a table as float32 features [N, d], its classes, and ``groups``: whose each row is.

    Columns of numbers are standardised by mean and deviation over all training rows; a column of words becomes one
    feature for each word. Of each owner's rows of a class four fifths are for training, the same whatever the seed;
    of a single one, that one. A client's accuracy is counted over its own test rows, class by class as it trains; where
    it has none of a class, over everybody's.

    `DataError` in one line that names file, row and column: no such table, a cell empty or not finite, fewer than two
    owners or classes, a class that cannot be tested.
    """
    rows = _Rows(table)
    names, owner = np.unique(rows.texts(table.owner), return_inverse=True)
    if len(names) < 2:
        raise DataError(f"{table.file}: column {shown(table.owner)} names one owner; expected at least two")
    classes = rows.classes()
    y = np.array([classes.index(text) for text in rows.texts(table.target)], dtype=np.int64)
    cells = owner * len(classes) + y
    train, test = holdout(cells, "own test set", _TRAINED)
    # A cell without a test row borrows those of its class, as a cell of its own.
    lone = ~np.isin(cells[train], cells[test])
    borrowed = [(label, test[y[test] == label]) for label in np.unique(y[train][lone])]
    for label, of_class in borrowed:
        if not len(of_class):
            told = f"nobody has two rows of class {shown(classes[label])}, so it cannot be tested"
            raise DataError(f"{table.file}: {told}; add rows, or leave the class out")
    common = len(names) * len(classes)  # the first number after all cells
    train_cells = np.where(lone, common + y[train], cells[train])
    test_cells = np.concatenate([cells[test], *(common + y[of_class] for _, of_class in borrowed)])
    test = np.concatenate([test, *(of_class for _, of_class in borrowed)])
    used, cell = np.unique(np.concatenate([train_cells, test_cells]), return_inverse=True)
    x = rows.features(train)
    return Dataset(
        "own", table.file, x[train], y[train], x[test], y[test], len(classes), 1.0, 0.0,
        train_strata=cell[: len(train)], test_strata=cell[len(train) :], strata=len(used), groups=owner[train],
    )  # fmt: skip


class _Rows:
    """The rows of a table: of a CSV file every cell is text, or null where it is empty."""

    def __init__(self, table: OwnTable) -> None:
        import polars as pl

        self._table, path = table, Path(table.file)
        content = read_bytes(path, _MOST_BYTES, "a table, CSV or Parquet", error=DataError)
        with reading(path, "save it as CSV in UTF-8 or as Parquet", " as a table"):
            if path.suffix.lower() in (".parquet", ".pq"):
                lazy = pl.scan_parquet(io.BytesIO(content))
                cells = int(lazy.select(pl.len()).collect().item()) * len(lazy.collect_schema())
                if cells > _MOST_CELLS:
                    raise DataError(f"{path} declares {cells} cells; expected at most {_MOST_CELLS}")
                frame = lazy.collect()
            else:
                frame = _read_csv(content, path)
        lines = np.arange(len(frame)) + 2  # as an editor counts, the header first
        blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
        self._frame, self._lines = frame.filter(~blank), lines[~blank]
        if not 0 < len(self._frame) <= _MOST_ROWS or not 2 < len(frame.columns) <= _MOST_COLUMNS:
            size = f"{plural(len(self._frame), 'row')} of {plural(len(frame.columns), 'column')}"
            raise DataError(
                f"{path} holds {size}; expected 1 to {_MOST_ROWS} rows with owner, target and at least one feature, "
                f"at most {_MOST_COLUMNS} columns"
            )
        given = (table.owner, table.target, *table.ignored)
        for role, name in zip(("owner", "target", *("ignored" for _ in table.ignored)), given, strict=True):
            if name not in frame.columns:
                held = ", ".join(shown(column) for column in frame.columns[:20])
                near = did_you_mean(name, frame.columns)
                raise DataError(f"{path} has no column {shown(name)} ({role}){near}; it has {held}")
        if len(set(given)) < len(given) or len(given) == len(frame.columns):
            raise DataError(
                f"{path}: owner, target and ignored are {', '.join(map(shown, given))}; expected different columns, "
                "and at least one more as a feature"
            )

    def texts(self, column: str) -> list[str]:
        """Return a column as texts without gaps."""
        import polars as pl

        texts = self._frame[column].cast(pl.String)
        self._refuse(texts.is_null(), texts, "is empty; fill it in or leave the row out")
        return [text.strip() for text in texts.to_list()]

    def classes(self) -> list[str]:
        """Return the classes, by number where all are numbers."""
        found = sorted(set(self.texts(self._table.target)))
        if not 2 <= len(found) <= _MOST_CLASSES:
            raise DataError(
                f"{self._table.file}: target {shown(self._table.target)} has {plural(len(found), 'different value')}; "
                f"expected 2 to {_MOST_CLASSES} classes (numbers are predicted as classes only): name another column"
            )
        try:
            return sorted(found, key=float)
        except ValueError:
            return found

    def features(self, train: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return numbers standardised over the training rows, and a column of 0 and 1 for each word of the others."""
        parts: list[NDArray[Any]] = []
        for column in self._frame.drop(self._table.owner, self._table.target, *self._table.ignored).get_columns():
            self._refuse(column.is_null(), column, "is empty; fill it in or leave the row out")
            numbers = self._numbers(column)
            if numbers is None:
                words, which = np.unique(self._words(column), return_inverse=True)
                parts.append(which[:, None] == np.arange(len(words)))
            else:
                deviation = float(numbers[train].std())
                parts.append(((numbers - numbers[train].mean()) / (deviation or 1.0))[:, None])
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _numbers(self, column: Series) -> NDArray[np.float64] | None:
        """Return a column as numbers, None if most of its cells are none."""
        import polars as pl

        if not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Boolean)):
            raise DataError(
                f"{self._table.file}: column {shown(column.name)} holds {column.dtype}; expected numbers or words: "
                "ignore it (--ignore)"
            )
        numbers = column.cast(pl.Float64, strict=False)
        if numbers.null_count() * 2 > len(numbers):
            return None
        self._refuse(numbers.is_null(), column, "is not a number, as most of the column are; correct it")
        wrong = ~(numbers.abs() <= _LARGEST) | numbers.is_nan()
        self._refuse(wrong, column, f"is not finite, or beyond {_LARGEST:g}; correct it or leave the row out")
        return numbers.to_numpy()

    def _words(self, column: Series) -> list[str]:
        different = column.n_unique()
        if different > _MOST_WORDS:
            raise DataError(
                f"{self._table.file}: column {shown(column.name)} holds {different} different words; expected numbers, "
                f"or at most {_MOST_WORDS} words: ignore it (--ignore)"
            )
        words: list[str] = column.to_list()
        return words

    def _refuse(self, wrong: Series, values: Series, what: str) -> None:
        """Raise `DataError` that names the first row that is wrong."""
        if wrong.any():
            k = int(wrong.arg_max() or 0)
            value = "" if values[k] is None else f"{shown(values[k])} "
            raise DataError(f"{self._table.file}, row {self._lines[k]}, column {shown(values.name)}: {value}{what}")


def _read_csv(content: bytes, path: Path) -> DataFrame:
    """Return a CSV file as texts, null where a cell is empty; columns by comma, semicolon, tab or bar."""
    import polars as pl

    try:
        first = content.decode("utf-8-sig").lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}, row {line}: is not UTF-8; save the table as CSV in UTF-8") from None
    separator = max(",;\t|", key=first.count)
    names = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
    for k, name in enumerate(names):
        if not name or name in names[:k]:
            told = f"{shown(name)} stands twice" if name else f"number {k + 1} has no name"
            raise DataError(f"{path}: column {told}; give each column a name of its own in the first row")
    body = io.BytesIO(content.removeprefix(b"\xef\xbb\xbf"))
    frame = pl.read_csv(body, separator=separator, infer_schema=False)
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    cells = pl.all().str.strip_chars().replace("", None)
    if separator == ";":  # as it is written where the comma is decimal
        cells = cells.str.replace(r"^([+-]?\d*),(\d+)$", "$1.$2")
    return frame.with_columns(cells)
