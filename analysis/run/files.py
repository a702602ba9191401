"""Reading untrusted files of a run folder: bounded in size, never executed, every failure one line naming the file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import MarketProofError

RECORD = (
    "config.toml", "manifest.json", "progress.json", "summary.json", "audit.json", "rounds.parquet", "ledger.parquet",
)  # fmt: skip
"""Files of a run folder beside its tensors. All but the pages and figures made from them."""
LARGEST_TEXT = 16 * 2**20
"""Largest JSON or TOML file read, bytes."""
LARGEST_TABLE = 512 * 2**20
"""Largest parquet file read, bytes."""
LARGEST_ROWS = 20_000_000
"""Most rows of a parquet table that are expanded in memory."""
_LONGEST_AXIS = 4096
LARGEST_TENSORS = 8 * 2**30
"""Largest safetensors file opened, bytes (it is mapped and sliced, never loaded whole)."""


class RecordError(MarketProofError, ValueError):
    """A run folder that is missing, truncated, malformed or contradicts itself."""


def record_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a run folder that hold its record, which nothing made from it may overwrite."""
    held = (path for place in ("markets", "models") for path in (folder / place).glob("*.safetensors"))
    return (*(folder / name for name in RECORD), *sorted(held))


def existing(path: Path, limit: int) -> Path:
    """Return ``path`` if it is a regular file of at most ``limit`` bytes, else raise `RecordError`."""
    if not path.is_file():
        raise RecordError(f"{path}: no such file; expected a complete run folder, as `marketproof run` writes it")
    size = path.stat().st_size
    if size == 0:
        raise RecordError(f"{path}: the file is empty; run again or resume the run")
    if size > limit:
        raise RecordError(f"{path}: {size} bytes, more than the {limit} that are read from such a file")
    return path


def _reason(error: BaseException) -> str:
    """First line of an exception's message, short enough for one line of output."""
    text = (str(error) or type(error).__name__).strip().splitlines()
    return text[0][:160] if text else type(error).__name__


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file (UTF-8, standard JSON: no NaN, no infinity)."""

    def refuse(token: str) -> float:
        raise ValueError(f"{token} is not a JSON number")

    existing(path, LARGEST_TEXT)
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path}: not readable as JSON ({_reason(error)}); the file is damaged, run again") from None
    if not isinstance(value, dict):
        raise RecordError(f"{path}: holds a {type(value).__name__}; expected a JSON object")
    return value


def read_toml(path: Path) -> dict[str, Any]:
    """Return the table in a TOML file."""
    existing(path, LARGEST_TEXT)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path}: not readable as TOML ({_reason(error)}); the file is damaged, run again") from None


def read_table(
    path: Path, *, text: Sequence[str], whole: Sequence[str], real: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the named columns of a parquet file as arrays.

    Columns named in ``text`` become lists of str, ``whole`` int64 arrays, ``real`` float64 arrays, all of one length.
    Those named in ``optional`` as well may be missing. Additional columns are not read. Other missing columns, nulls
    and columns of another kind are errors.
    """
    import polars as pl

    existing(path, LARGEST_TABLE)
    try:
        lazy = pl.scan_parquet(path, glob=False)
        schema = lazy.collect_schema()
        text, whole, real = (
            [name for name in kind if name in schema or name not in optional] for kind in (text, whole, real)
        )
        wanted = [*text, *whole, *real]
        missing = [name for name in wanted if name not in schema]
        if missing:
            raise RecordError(f"{path}: column {missing[0]!r} is missing; expected {', '.join(wanted)}")
        rows = int(lazy.select(pl.len()).collect().item())
        if rows > LARGEST_ROWS:
            raise RecordError(f"{path}: {rows} rows, more than the {LARGEST_ROWS} that are read from such a file")
        for name in wanted:
            kind = schema[name]
            fits = kind == pl.String if name in text else kind.is_integer() if name in whole else kind.is_numeric()
            if not fits:
                expected = "text" if name in text else "whole numbers" if name in whole else "numbers"
                raise RecordError(f"{path}: column {name!r} holds {kind}; expected {expected}")
        frame = lazy.select(wanted).collect()
        for name in wanted:
            if frame[name].null_count():
                raise RecordError(f"{path}: column {name!r} has missing values; expected one in every row")
        columns: dict[str, Any] = {name: frame[name].to_list() for name in text}
        columns |= {name: frame[name].cast(pl.Int64).to_numpy() for name in whole}
        columns |= {name: frame[name].cast(pl.Float64).to_numpy() for name in real}
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise RecordError(
            f"{path}: not readable as parquet ({_reason(error)}); the file is damaged, run again"
        ) from None
    return columns


class Tensors:
    """A safetensors file to be sliced: header checked once, open only while read, never loaded whole, no pickle.

    ``optional`` tensors may be missing; ``names`` holds all that are there. An axis of -1 may have any length up to
    4096.
    """

    def __init__(
        self, path: Path, shapes: Mapping[str, tuple[int, ...]], optional: Mapping[str, tuple[int, ...]] | None = None
    ) -> None:
        self.path = existing(path, LARGEST_TENSORS)
        with self._open() as file:
            self.names = frozenset(file.keys())
            for name, shape in {**shapes, **(optional or {})}.items():
                if name not in self.names and name not in shapes:
                    continue
                if name not in self.names:
                    raise RecordError(f"{path}: tensor {name!r} is missing; expected {', '.join(shapes)}")
                found = tuple(file.get_slice(name).get_shape())
                fits = len(found) == len(shape) and all(
                    n == m or (m == -1 and n <= _LONGEST_AXIS) for n, m in zip(found, shape, strict=False)
                )
                if not fits:
                    raise RecordError(f"{path}: tensor {name!r} has shape {list(found)}; the run has {list(shape)}")

    @contextmanager
    def _open(self) -> Iterator[Any]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(self.path), framework="numpy") as file:
                yield file
        except RecordError:
            raise
        except (OSError, SafetensorError, ValueError, TypeError) as error:
            raise RecordError(
                f"{self.path}: not readable as safetensors ({_reason(error)}); the file is damaged, run again"
            ) from None

    def read(self, name: str, row: int | None = None) -> NDArray[np.float64]:
        """Return a tensor, or one row of its first axis, as finite float64."""
        return self.rows(name) if row is None else np.asarray(self.rows(name, row, row + 1)[0])

    def rows(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[np.float64]:
        """Return the rows from ``start`` to before ``stop`` of a tensor's first axis (all), as finite float64."""
        with self._open() as file:
            raw = file.get_tensor(name) if (start, stop) == (0, None) else file.get_slice(name)[start:stop]
            values = np.array(raw, dtype=np.float64)
        if not np.isfinite(values).all():
            raise RecordError(f"{self.path}: tensor {name!r} holds a number that is not finite")
        return values
