"""A recorded run as one frozen object: its folder is read, and every file of it held against its digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.files import DERIVED, Manifest, RecordError, market_file, read_manifest, verify
from analysis.run.ledger import Ledger, Trace, books
from analysis.run.market import MarketRecord
from analysis.run.market_file import MarketFile
from analysis.run.results import Audit, Summary, read_audit, read_summary
from mechanism.reading import read_toml

__all__ = ["Ledger", "MarketFile", "MarketRecord", "Run", "Trace", "market_file", "open_markets", "read_run"]

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

    @property
    def markets(self) -> tuple[str, ...]:
        """Methods whose graph and payments a market mechanism decided."""
        return tuple(name for name in self.methods if self.mechanisms[name] is not None)

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

    Raises
    ------
    RecordError
        If one is missing, damaged or was changed, or they are not of equally many rounds and clients.
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

    Raises
    ------
    RecordError
        One line that names the file, what is wrong with it and what was expected.
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
