"""Tables of one's own: one row a sample, a column with its class, and whose it is; CSV, Parquet or xlsx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learning.data import OwnTable
from learning.data.agreed import Agreed
from learning.data.files.frames import frame_of
from learning.data.own.samples import Samples
from learning.errors import DataError
from mechanism.errors import did_you_mean, one_line, shown
from mechanism.wording import plural

if TYPE_CHECKING:
    from polars import Series

ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".xlsx", ".xlsm")

_MOST_ROWS, _MOST_COLUMNS, _MOST_WORDS = 5_000_000, 2_000, 50
_LARGEST = 1e30  # of a number: its square is still one


def rows_of(table: OwnTable, files: Sequence[Path]) -> Samples:
    """Return the rows of one table, or of several of the same columns; where they name no owner, each file is one.

    Columns of numbers are standardised by mean and deviation over the training rows; a column of words becomes one
    feature for each word. With ``table.test`` its rows are tested on; those may have no column of owners.

    `DataError` in one line that names file, row and column: no such table, a cell empty or not finite.
    """
    rows = _Rows(table, files)
    if table.by_rule:
        owners = None
    elif table.owner:
        owners = np.array(rows.texts(table.owner))
    else:
        owners = np.array(rows.names)
    return Samples(table.file, owners, np.array(rows.texts(table.target)), rows.features, rows.tested, 1.0, rows.place)


class _Rows:
    """The rows of tables of the same columns."""

    def __init__(self, table: OwnTable, files: Sequence[Path]) -> None:
        import polars as pl

        self._table, self._files = table, [*files, *([Path(table.test)] if table.test else [])]
        read = [frame_of(path) for path in self._files]
        columns = read[0][0].columns
        self._check_columns(files[0], columns)
        if table.test and table.owner and table.owner not in read[-1][0].columns:  # tested on for everybody
            read[-1] = read[-1][0].with_columns(pl.lit("").alias(table.owner)), read[-1][1]
        for path, (frame, _) in zip(self._files, read, strict=True):
            _same(path, frame.columns, columns, files[0])
        frames, lines = [frame.select(columns) for frame, _ in read], [lines for _, lines in read]
        if len({tuple(frame.schema.values()) for frame in frames}) > 1:
            frames = [frame.cast(pl.String) for frame in frames]
        self._frame, self._lines = pl.concat(frames), np.concatenate(lines)
        self._number = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
        self.tested = self._number == len(files) if table.test else None
        features = len(columns) - len({table.owner, table.target, *table.ignored} - {""})
        if not 0 < len(self._frame) <= _MOST_ROWS or features < 1 or len(columns) > _MOST_COLUMNS:
            size = f"{plural(len(self._frame), 'row')} of {plural(len(columns), 'column')}"
            raise DataError(
                f"{one_line(table.file)} holds {size}; expected 1 to {_MOST_ROWS} rows with owner, target and at least "
                f"one feature, at most {_MOST_COLUMNS} columns"
            )

    def _check_columns(self, path: Path, columns: Sequence[str], more: tuple[str, str] = ("", "")) -> None:
        table = self._table
        roles = [("owner", table.owner), ("target", table.target), *(("ignored", name) for name in table.ignored), more]
        given = [(role, name) for role, name in roles if name]
        for role, name in given:
            if name not in columns:
                held = ", ".join(shown(column) for column in columns[:20])
                near = did_you_mean(name, columns)
                raise DataError(f"{one_line(path)} has no column {shown(name)} ({role}){near}; it has {held}")
        names = [name for _, name in given]
        if len(columns) > 2 and (len(set(names)) < len(names) or len(names) == len(columns)):
            raise DataError(
                f"{one_line(path)}: owner, target and ignored are {', '.join(map(shown, names))}; expected different "
                "columns, and at least one more as a feature"
            )

    @property
    def names(self) -> list[str]:
        """Of each row the name of its file, without its ending; "" of the file that is tested on."""
        stems = [path.stem for path in self._files]
        if self.tested is not None:
            stems[-1] = ""
        return [stems[k] for k in self._number.tolist()]

    def place(self, k: int) -> str:
        """Return where row k stands, for a message."""
        return f"{one_line(self._files[self._number[k]])}, row {self._lines[k]}"

    def texts(self, column: str) -> list[str]:
        """Return a column as texts without gaps."""
        import polars as pl

        texts = self._frame[column].cast(pl.String)
        self._refuse(texts.is_null(), texts, "is empty; fill it in or leave the row out")
        return [text.strip() for text in texts.to_list()]

    def features(self, train: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return numbers standardised over the training rows, and a column of 0 and 1 for each word of the others."""
        parts: list[NDArray[Any]] = []
        dropped = {self._table.owner, self._table.target, *self._table.ignored} - {""}
        for column in self._frame.drop(*dropped).get_columns():
            self._refuse(column.is_null(), column, "is empty; fill it in or leave the row out")
            numbers = self._numbers(column)
            if numbers is None:
                words, which = np.unique(self._words(column), return_inverse=True)
                parts.append(which[:, None] == np.arange(len(words)))
            else:
                deviation = float(numbers[train].std())
                parts.append(((numbers - numbers[train].mean()) / (deviation or 1.0))[:, None])
        return np.concatenate(parts, axis=1).astype(np.float32)

    def as_agreed(self, agreed: Agreed) -> NDArray[np.float32]:
        """Return columns in the order and on the scale that was agreed on, [N, features]."""
        import polars as pl

        parts: list[NDArray[Any]] = []
        for name, *terms in agreed.columns:
            self._check_columns(Path(self._table.file), [*self._frame.columns], more=("agreed column", str(name)))
            column, number = self._frame[str(name)], isinstance(terms[0], float)
            self._refuse(column.is_null(), column, "is empty; fill it in or leave the row out")
            if number and (numbers := self._numbers(column)) is not None:
                low, high = (float(term) for term in terms)
                parts.append(((numbers - low) / (high - low))[:, None])
            elif number:
                raise DataError(f"{one_line(self._table.file)}: column {shown(name)} holds words; expected numbers")
            else:
                words = np.array(self.texts(str(name)))
                self._refuse(pl.Series(~np.isin(words, terms)), column, "is none of the words agreed on")
                parts.append(words[:, None] == np.array(terms))
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _numbers(self, column: Series) -> NDArray[np.float64] | None:
        """Return a column as numbers, None if most of its cells are none."""
        import polars as pl

        if not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Boolean)):
            raise DataError(
                f"{one_line(self._table.file)}: column {shown(column.name)} holds {column.dtype}; expected numbers or "
                "words: ignore it (--ignore)"
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
                f"{one_line(self._table.file)}: column {shown(column.name)} holds {different} different words; "
                f"expected numbers, or at most {_MOST_WORDS} words: ignore it (--ignore)"
            )
        words: list[str] = column.to_list()
        return words

    def _refuse(self, wrong: Series, values: Series, what: str) -> None:
        """Raise `DataError` that names the first row that is wrong."""
        if wrong.any():
            k = int(wrong.arg_max() or 0)
            value = "" if values[k] is None else f"{shown(values[k])} "
            raise DataError(f"{self.place(k)}, column {shown(values.name)}: {value}{what}")


def agreed_rows(file: Path, agreed: Agreed) -> Samples:
    """Return the rows of one owner's table, read as was ``agreed``; other columns play no part.

    `DataError` in one line that names row and column: a cell empty, no number, or no word of those agreed on.
    """
    rows = _Rows(OwnTable(str(file), target=agreed.target, by_rule=True), [file])
    found = rows.as_agreed(agreed)
    return Samples(str(file), None, np.array(rows.texts(agreed.target)), lambda train: found, None, 1.0, rows.place)


def owners_in(path: Path, samples: Samples) -> Samples:
    """Return samples as the owners' that a table says: a column "owner" with a row for each that is trained on.

    `DataError` if there is no such column, an empty cell, or another number of rows.
    """
    frame, lines = frame_of(path)
    name, trained = one_line(path), int(samples.trained.sum())
    if "owner" not in frame.columns:
        raise DataError(f"{name} has no column 'owner' but {', '.join(map(shown, frame.columns[:20]))}; add it")
    texts = [str(text or "").strip() for text in frame["owner"].to_list()]
    if "" in texts:
        raise DataError(f"{name}, row {lines[texts.index('')]}, column 'owner': is empty; say whose the sample is")
    if len(texts) != trained:
        raise DataError(
            f"{name} has {plural(len(texts), 'row')}; expected {trained}, one for each sample in their order"
        )
    owners = np.full(len(samples.targets), "", dtype=np.array(texts).dtype)
    owners[samples.trained] = texts
    return replace(samples, owners=owners)


def _same(path: Path, found: Sequence[str], columns: Sequence[str], first: Path) -> None:
    """Refuse a table that has not the columns of the first; their order plays no part."""
    if sorted(found) != sorted(columns):
        odd = next(name for name in (*columns, *found) if (name in found) != (name in columns))
        where = "has no" if odd in columns else "has another"
        raise DataError(f"{one_line(path)} {where} column {shown(odd)}; expected the columns of {one_line(first)}")
