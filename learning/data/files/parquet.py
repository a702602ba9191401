"""Reading the parquet files of a hub folder: columns of known names and kinds, or one line that says what differs."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.data.files.archive import labels
from learning.data.files.images import MOST_IMAGES
from learning.errors import DataError, said

_MOST_BYTES = 2 << 30  # of one file
_MOST_TEXT = 200  # of a name
_BATCH = 10_000  # rows read at a time


@contextmanager
def reading(path: Path, remedy: str = "fetch the file again", kind: str = " as a parquet file") -> Iterator[None]:
    """Turn whatever polars finds wrong with a file into a `DataError` of one line that ends in ``remedy``."""
    import polars as pl

    try:
        yield
    # a panic is polars' own error at damage that it does not expect; it is no Exception
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(f"{path} cannot be read{kind} ({said(error)}); {remedy}") from None


class Shards:
    """The rows of several parquet files in order: ``images`` (a struct with bytes), whole ``numbers``, ``texts``.

    What is checked before a value is read: size, columns and their kinds, number of rows. `DataError` names the file.
    """

    def __init__(self, paths: Sequence[Path], images: str, numbers: Sequence[str], texts: Sequence[str] = ()) -> None:
        self.paths = tuple(paths)
        _whole(paths)
        self._images = images
        self._rows = [_check(path, images, numbers, texts) for path in paths]
        self.rows = sum(self._rows)
        if not 0 < self.rows <= MOST_IMAGES:
            raise DataError(f"{paths[0].parent} holds {self.rows} rows; expected 1 to {MOST_IMAGES}; fetch it again")

    def labels(self, column: str, classes: int) -> NDArray[np.int64]:
        """Return a column of whole numbers in 0..classes-1, int64 [rows]."""
        import polars as pl

        parts = []
        for path in self.paths:
            values = _collect(path, pl.col(column)).to_series()
            parts.append(labels(values.to_numpy(), classes, column, path))
        return np.concatenate(parts)

    def texts(self, column: str) -> NDArray[np.str_]:
        """Return a column of short texts [rows]."""
        import polars as pl

        found: list[str] = []
        for path in self.paths:
            if int(_collect(path, pl.col(column).str.len_bytes().max()).item() or 0) > _MOST_TEXT:
                raise DataError(f"{path}: column {column!r} holds a text above {_MOST_TEXT} bytes; fetch it again")
            found += _collect(path, pl.col(column)).to_series().to_list()
        return np.array(found)

    def blobs(self, chosen: NDArray[np.bool_] | None = None) -> list[bytes]:
        """Return the encoded images of all rows, or of those that are ``chosen`` [rows]."""
        import polars as pl

        take = np.ones(self.rows, dtype=bool) if chosen is None else chosen
        found: list[bytes] = []
        start = 0
        for path, rows in zip(self.paths, self._rows, strict=True):
            for first in range(0, rows, _BATCH):
                count = min(_BATCH, rows - first)
                mask = take[start + first : start + first + count]
                if mask.any():
                    column = _collect(path, pl.col(self._images).struct.field("bytes"), first, count)["bytes"]
                    found += column.filter(pl.Series(mask)).to_list()
            start += rows
        return found


def _whole(paths: Sequence[Path]) -> None:
    """Refuse files of which some are missing: the hub names them NAME-00000-of-00003."""
    counts = [int(found[1]) for path in paths if (found := re.search(r"-\d{5}-of-(\d{5})", path.name))]
    if counts and (len(paths) != counts[0] or set(counts) != {counts[0]} or len(counts) != len(paths)):
        raise DataError(
            f"{paths[0].parent} holds {len(paths)} files like {paths[0].name}; expected {counts[0]}; fetch it again"
        )


def _check(path: Path, images: str, numbers: Sequence[str], texts: Sequence[str]) -> int:
    """Return the number of rows of a file whose columns are as they should be."""
    import polars as pl

    with reading(path):
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path} has {path.stat().st_size} bytes; expected at most {_MOST_BYTES}")
        table = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        schema = table.collect_schema()
        rows = int(table.select(pl.len()).collect().item())
    image = schema.get(images)
    fits = isinstance(image, pl.Struct) and any(f.name == "bytes" and f.dtype == pl.Binary for f in image.fields)
    fits = fits and all(name in schema and schema[name].is_integer() for name in numbers)
    if not fits or not all(name in schema and schema[name] == pl.String for name in texts):
        wanted = [
            f"{images} (bytes)",
            *(f"{name} (integer)" for name in numbers),
            *(f"{name} (text)" for name in texts),
        ]
        held = ", ".join(f"{name} ({kind})"[:60] for name, kind in list(schema.items())[:10])
        raise DataError(f"{path} has the columns {held or 'none'}; expected {', '.join(wanted)}; fetch the file again")
    return rows


def _collect(path: Path, expression: Any, first: int = 0, count: int | None = None) -> Any:
    """Return a table of one column without gaps, rows ``first`` to ``first + count``."""
    import polars as pl

    with reading(path):
        table: Any = pl.scan_parquet(path, glob=False, hive_partitioning=False).select(expression).slice(first, count)
        table = table.collect()
    if table.to_series().null_count():
        raise DataError(f"{path}: column {table.columns[0]!r} has gaps; expected a value in each row; fetch it again")
    return table
