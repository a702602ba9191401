"""A recorded run as one frozen object: its files are held against their digests, its markets sliced from theirs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.files import (
    DERIVED,
    LARGEST_FILE,
    Manifest,
    RecordError,
    existing,
    market_file,
    read_manifest,
    reason,
    verify,
)
from analysis.run.frames import summary_html
from analysis.run.ledger import Ledger, Trace, books
from analysis.run.market import EFFECTIVE, PER_CLIENT, ROLES, TENSORS, VALUATION, MarketRecord, Tensor, typed
from analysis.run.results import Audit, Summary, read_audit, read_summary
from mechanism.errors import InvalidMarketError
from mechanism.reading import read_toml

__all__ = [
    "Ledger",
    "MarketFile",
    "MarketRecord",
    "Run",
    "Trace",
    "market_file",
    "open_markets",
    "read_market",
    "read_run",
]

_LONGEST_AXIS = 4096
"""Longest axis of a tensor of measured gains."""
_PAIRS = 2_000_000
"""Pairs of importer and exporter of which clearings are held in memory at a time."""
_REMEDY = "the file is damaged, run again into a new folder"


def read_market(path: Path) -> MarketRecord:
    """Return the whole record in a file: of a round, or of all rounds of a unit.

    `RecordError` if the file is missing, damaged or holds no market.
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
            if name in (EFFECTIVE, *PER_CLIENT) and shapes[name] != size + size[-1:] * (name == EFFECTIVE):
                raise self._misshapen(name, shapes[name], size + size[-1:] * (name == EFFECTIVE))
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


Markets = Mapping[tuple[str, int], MarketFile]


@dataclass(frozen=True, eq=False)
class Run:
    """A complete, checked run folder. ``methods`` in recorded order; ``mechanisms`` maps each to its rule or None.

    ``judged``: by which models of a round the accuracy of each method is, those "trained" or those "aggregated".
    ``manifest`` is that of the folder without the digests.
    """

    path: Path
    task: str
    clients: int
    rounds: int
    seeds: tuple[int, ...]
    methods: tuple[str, ...]
    mechanisms: Mapping[str, str | None]
    judged: Mapping[str, str]
    traces: Mapping[str, Trace]
    ledger: Mapping[str, Ledger]
    audit: Audit
    summary: Summary
    manifest: Mapping[str, Any]
    config: Mapping[str, Any]
    _files: Markets = field(repr=False)

    def _repr_html_(self) -> str:
        return summary_html(self.summary)

    @property
    def markets(self) -> tuple[str, ...]:
        """Methods whose graph and payments a market mechanism decided."""
        return tuple(name for name in self.methods if self.mechanisms[name] is not None)

    def called(self, client: int) -> str:
        """Return what a client is called: its owner's name, or its number."""
        return self.summary.names[client] if self.summary.names else f"client {client}"

    @property
    def cells(self) -> list[str] | list[int]:
        """What stands for clients in tables: their names, or else their numbers."""
        return self.summary.names or list(range(self.clients))

    def objectives(self, method: str, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return V_lambda reached and V_lambda at the optimum, money per round, ``[rounds]`` each (reported types)."""
        file = self._files[method, seed]
        return file.tensor("objective"), file.tensor("optimal_objective")

    def market_round(self, method: str, seed: int, round_number: int) -> MarketRecord:
        """Return the clearing of one round (counted from 1)."""
        return self._files[method, seed].round(round_number)


def open_markets(
    folder: Path, methods: Sequence[str], seeds: Sequence[int], recorded: Mapping[str, str] | None = None
) -> Markets:
    """Return the files of a run's recorded markets by method and seed, held against the ``recorded`` digests.

    `RecordError` if one is missing, damaged or was changed, or they are not of equally many rounds and clients.
    """
    files: dict[tuple[str, int], MarketFile] = {}
    for method in methods:
        for seed in seeds:
            place = market_file(folder, method, seed).relative_to(folder)
            files[method, seed] = MarketFile(verify(folder, str(place), recorded or {}))
    first = next(iter(files.values()))
    for file in files.values():
        if (file.rounds, file.clients) != (first.rounds or 1, first.clients):
            raise RecordError(
                f"{file.path}: {file.rounds} rounds of {file.clients} clients, other units have {first.rounds} of "
                f"{first.clients}; the run is incomplete, resume it"
            )
    return files


def books_of(
    methods: Sequence[str], seeds: Sequence[int], files: Markets
) -> tuple[dict[str, Trace], dict[str, Ledger]]:
    """Return traces and ledgers by method from the recorded markets."""
    both = {method: books([files[method, seed].parts() for seed in seeds]) for method in methods}
    return {method: pair[0] for method, pair in both.items()}, {method: pair[1] for method, pair in both.items()}


def read_run(folder: Path | str) -> Run:
    """Read a run folder: every file is held against its digest, accounts follow from the recorded markets.

    `RecordError`: one line that names the file, what is wrong with it and what was expected.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    for name in ("config.toml", *DERIVED):
        verify(folder, name, manifest.digests)
    config = read_toml(folder / "config.toml", "the settings of a run", error=RecordError)
    summary = read_summary(folder / "summary.json")
    if set(summary.methods) != set(manifest.methods):
        raise RecordError(f"{folder / 'summary.json'}: its methods differ from those of manifest.json; run again")
    files = open_markets(folder, manifest.methods, manifest.seeds, manifest.digests)
    first = next(iter(files.values()))
    if first.clients != manifest.clients:
        raise RecordError(f"{first.path}: is of {first.clients} clients; manifest.json lists {manifest.clients}")
    audit = _audit(folder / "audit.json", manifest, first.rounds)
    traces, ledgers = books_of(manifest.methods, manifest.seeds, files)
    return Run(
        path=folder,
        task=manifest.task or folder.name,
        clients=manifest.clients,
        rounds=first.rounds,
        seeds=tuple(manifest.seeds),
        methods=tuple(manifest.methods),
        mechanisms={name: manifest.mechanisms[name] for name in manifest.methods},
        judged=dict.fromkeys(manifest.methods, "aggregated") | manifest.judged,
        traces=traces,
        ledger=ledgers,
        audit=audit,
        summary=summary,
        manifest=manifest.model_dump(exclude={"digests"}, exclude_unset=True),
        config=config,
        _files=files,
    )


def _audit(path: Path, manifest: Manifest, rounds: int) -> Audit:
    """Read an audit and check that it is of the run that it lies beside."""
    audit = read_audit(path)
    if {name: one.mechanism for name, one in audit.methods.items()} != manifest.mechanisms:
        raise RecordError(f"{path}: its methods or their mechanisms are not those of manifest.json; run again")
    for name, one in audit.methods.items():
        for coordinate, lie in one.lies.items():
            if lie.seed not in manifest.seeds or lie.round > rounds or lie.client >= manifest.clients:
                raise RecordError(
                    f"{path}: methods.{name:.80}.best_lie.{coordinate} is of seed {lie.seed}, round {lie.round}, "
                    f"client {lie.client}, which the run does not have; run again"
                )
    return audit
