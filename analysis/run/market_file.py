"""The file of recorded clearings: of one round while a run goes on, of all rounds of a unit at its end.

A unit is one method under one seed; its file in ``markets/`` is what all else in the record follows from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.files import LARGEST_FILE, RecordError, existing, reason
from analysis.run.market import ROLES, TENSORS, VALUATION, MarketRecord, Tensor, typed
from mechanism.errors import InvalidMarketError

_LONGEST_AXIS = 4096
"""Longest axis of a tensor of measured gains."""
_PAIRS = 2_000_000
"""Pairs of importer and exporter of which clearings are held in memory at a time."""
_REMEDY = "the file is damaged, run again into a new folder"


def read_market(path: Path) -> MarketRecord:
    """Return the whole record in a file: of a round, or of all rounds of a unit.

    Raises
    ------
    RecordError
        If the file is missing, damaged or holds no market.
    """
    return MarketFile(path).read()


class MarketFile:
    """A file of recorded clearings to be sliced: header checked once, open only while read, no pickle.

    ``rounds`` is 0 for the file of a single round.
    """

    def __init__(self, path: Path) -> None:
        self.path = existing(path, LARGEST_FILE)
        with self._open() as file:
            names = set(file.keys())
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in sorted(names)}
        size = shapes.get("size", ())
        if len(size) not in (1, 2):
            raise RecordError(f"{path}: holds no market: tensor 'size' has shape {list(size)}; run again")
        self.rounds, self.clients = (0 if len(size) == 1 else size[0]), size[-1]
        self._absent = {name for name in TENSORS if name not in names}
        self._valuation = sorted(name for name in names if name.startswith(VALUATION))
        for name, tensor in TENSORS.items():
            if name in self._absent and tensor.absent is None:
                raise RecordError(f"{path}: tensor {name!r} is missing; expected {', '.join(TENSORS)}")
            if name not in self._absent and shapes[name] != self._shape(tensor):
                raise self._misshapen(name, shapes[name], self._shape(tensor))
        for name in self._valuation:
            if shapes[name][: len(size) - 1] != size[:-1] or max(shapes[name], default=0) > _LONGEST_AXIS:
                raise self._misshapen(name, shapes[name], size[:-1])

    def read(self, start: int = 0, stop: int | None = None) -> MarketRecord:
        """Return the rounds from ``start`` to before ``stop``, counted from 0 (all), or the single round of a file."""
        stop = self.rounds if stop is None else stop
        with self._open() as file:
            found = {name: self._tensor(file, name, start, stop) for name in TENSORS}
            told = {name: self._slice(file, name, start, stop, finite=True) for name in self._valuation}
        record = MarketRecord(**found, valuation={name.removeprefix(VALUATION): told[name] for name in told})
        try:
            record.types, record.reports, record.market  # noqa: B018 - made and checked once, kept with the record
        except InvalidMarketError as error:
            raise RecordError(
                f"{self.path}: holds no market ({error}); the file is damaged, run again into a new folder"
            ) from None
        faults = {
            "an accuracy leaves 0 to 1": (record.accuracy < 0) | (record.accuracy > 1),
            "a role has no name": record.roles >= len(ROLES),
            "a client's role changes from one round to another": self.rounds and record.roles != record.roles[:1],
        }
        for what, bad in faults.items():
            if np.any(bad):
                raise RecordError(f"{self.path}: {what}; {_REMEDY}")
        return record

    def round(self, number: int) -> MarketRecord:
        """Return one round, counted from 1, without the axis of rounds."""
        record = self.read(number - 1, number)
        own = {
            name: getattr(record, name)[0] if "R" in tensor.axes else getattr(record, name)
            for name, tensor in TENSORS.items()
        }
        return MarketRecord(**own, valuation={name: array[0] for name, array in record.valuation.items()})

    def parts(self) -> Iterator[MarketRecord]:
        """Yield all rounds in their order, as many at a time as memory should hold."""
        step = max(1, _PAIRS // self.clients**2)
        for start in range(0, self.rounds, step):
            yield self.read(start, min(self.rounds, start + step))

    def tensor(self, name: str) -> NDArray[Any]:
        """Return one tensor over all rounds."""
        with self._open() as file:
            return np.asarray(self._tensor(file, name, 0, self.rounds))

    def _shape(self, tensor: Tensor) -> tuple[int, ...]:
        axes = tensor.axes if self.rounds else tensor.axes.replace("R", "")
        return tuple({"R": self.rounds, "m": self.clients}[axis] for axis in axes)

    def _misshapen(self, name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> RecordError:
        return RecordError(f"{self.path}: tensor {name!r} has shape {list(found)}; the run has {list(expected)}")

    def _tensor(self, file: Any, name: str, start: int, stop: int) -> Any:
        tensor = TENSORS[name]
        if name in self._absent and isinstance(tensor.absent, str):
            return self._tensor(file, tensor.absent, start, stop)
        if name in self._absent:
            shape = self._shape(tensor)
            shape = (stop - start, *shape[1:]) if self.rounds and "R" in tensor.axes else shape
            return typed(name, np.full(shape, tensor.absent))
        rounds = self.rounds if "R" in tensor.axes else 0
        return typed(name, self._slice(file, name, start, stop if rounds else 0, finite=tensor.finite))

    def _slice(self, file: Any, name: str, start: int, stop: int, *, finite: bool) -> NDArray[Any]:
        raw = np.asarray(file.get_slice(name)[start:stop] if self.rounds and stop else file.get_tensor(name))
        if finite and not np.isfinite(raw).all():
            raise RecordError(f"{self.path}: tensor {name!r} holds a number that is not finite; {_REMEDY}")
        return raw

    @contextmanager
    def _open(self) -> Iterator[Any]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(self.path), framework="numpy") as file:
                yield file
        except RecordError:
            raise
        except (OSError, SafetensorError, ValueError, TypeError) as error:
            raise RecordError(f"{self.path}: not readable as safetensors ({reason(error)}); {_REMEDY}") from None
