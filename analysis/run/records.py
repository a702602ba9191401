"""A recorded run as one frozen object. Reads a run folder and checks every file against the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.audits import Audit, read_audit
from analysis.run.files import RecordError, Tensors, read_json, read_table, read_toml
from analysis.run.recorded import Ledger, MarketRound, Trace
from mechanism.errors import InvalidMarketError
from mechanism.market.gains import GainLaw, SqrtGain, law_from_arrays
from mechanism.tolerance import scale

REAL = ("accuracy", "loss", "gain", "cost", "paid", "received", "utility")
COUNTS = ("imports", "exports")
MONEY_COLUMNS = ("payment", "cost", "difference", "penalty")

_VALUATION = ("valuation_kind", "valuation_exponent", "valuation_knots")
"""Tensors of a run that measured its gains."""

_CLOSE = 1e-6
"""Relative tolerance for two files that record the same money."""

__all__ = ["Ledger", "MarketRound", "Run", "Trace", "market_file", "read_run"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Run:
    """A complete, checked run folder. ``methods`` in recorded order; ``mechanisms`` maps each to its rule or None."""

    path: Path
    task: str
    clients: int
    rounds: int
    seeds: tuple[int, ...]
    methods: tuple[str, ...]
    mechanisms: Mapping[str, str | None]
    traces: Mapping[str, Trace]
    ledger: Mapping[str, Ledger]
    audit: Audit
    summary: Mapping[str, Any]
    manifest: Mapping[str, Any]
    config: Mapping[str, Any]
    _tensors: Mapping[tuple[str, int], Tensors] = field(repr=False)
    tells_presence: bool = True
    """Whether rounds.parquet says who took part; older runs did not, and their traces count everybody."""

    @property
    def markets(self) -> tuple[str, ...]:
        """Methods whose graph and payments a market mechanism decided."""
        return tuple(name for name in self.methods if self.mechanisms[name] is not None)

    def objectives(self, method: str, seed: int) -> tuple[Real, Real]:
        """Return V_lambda reached and V_lambda at the optimum, money per round, ``[rounds]`` each (reported types)."""
        file = self._tensors[method, seed]
        return file.read("objective"), file.read("optimal_objective")

    def recorded(self, method: str, seed: int) -> Tensors:
        """Return the file of a method's recorded clearings under one seed, to be sliced."""
        return self._tensors[method, seed]

    def law(self, method: str, seed: int) -> GainLaw:
        """Return the gain law of a method's clearings under one seed: that of its first round holds in all of them."""
        return self._law(self._tensors[method, seed], 0)

    def market_round(self, method: str, seed: int, round_number: int) -> MarketRound:
        """Return the clearing of one round (counted from 1)."""
        file, row = self._tensors[method, seed], round_number - 1
        there = file.read("present", row) != 0 if "present" in file.names else np.ones(self.clients, dtype=bool)
        law = self._law(file, row)
        vectors = ("size", "cost", "gain", "reported_size", "reported_cost", "reported_gain")
        return MarketRound(
            lam=float(file.read("lam")),
            differences=file.read("differences", row),
            imports=file.read("imports", row) != 0,
            prices=file.read("prices", row),
            present=there,
            law=law,
            **{name: file.read(name, row) for name in vectors},
        )

    @staticmethod
    def _law(file: Tensors, row: int) -> GainLaw:
        if not file.names >= set(_VALUATION):
            return SqrtGain()
        kind, exponent, knots = (file.read(name, row) for name in _VALUATION)
        try:
            return law_from_arrays(float(kind), float(exponent), knots)
        except InvalidMarketError as error:
            raise RecordError(f"{file.path}: the recorded gain law is damaged ({error}); run again") from None


def market_file(folder: Path, method: str, seed: int) -> Path:
    """Return the path of a method's recorded markets: the method's name with "/" written "__"."""
    return folder / "markets" / f"{method.replace('/', '__')}-{seed}.safetensors"


def _shapes(rounds: int, clients: int) -> dict[str, tuple[int, ...]]:
    square, row, one = (rounds, clients, clients), (rounds, clients), (rounds,)
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("differences", "imports", "prices"), square)
    shapes |= dict.fromkeys(("size", "cost", "gain", "reported_size", "reported_cost", "reported_gain"), row)
    return (
        shapes
        | dict.fromkeys(("centre", "gap"), row)
        | dict.fromkeys(("objective", "optimal_objective"), one)
        | {"lam": ()}
    )


def _names(path: Path, manifest: dict[str, Any]) -> tuple[tuple[str, ...], tuple[int, ...], int, dict[str, str | None]]:
    methods, seeds = manifest.get("methods"), manifest.get("seeds")
    clients, mechanisms = manifest.get("clients"), manifest.get("mechanisms")
    if not (isinstance(methods, list) and methods and all(isinstance(m, str) and 0 < len(m) <= 200 for m in methods)):
        raise RecordError(f"{path}: methods is {methods!r:.60}; expected a list of names")
    whole = isinstance(seeds, list) and all(isinstance(s, int) and not isinstance(s, bool) for s in seeds)
    if not (whole and seeds and all(abs(s) < 2**62 for s in seeds)):
        raise RecordError(f"{path}: seeds is {seeds!r:.60}; expected a list of whole numbers")
    if isinstance(clients, bool) or not (isinstance(clients, int) and 1 <= clients <= 100_000):
        raise RecordError(f"{path}: clients is {clients!r:.60}; expected a number of clients, at least 1")
    if len(set(methods)) != len(methods) or len(set(seeds)) != len(seeds):
        raise RecordError(f"{path}: a method or a seed is listed twice")
    rules = [mechanisms.get(m, False) for m in methods] if isinstance(mechanisms, dict) else [False]
    if not all(rule is None or isinstance(rule, str) for rule in rules):
        raise RecordError(f"{path}: mechanisms is {mechanisms!r:.60}; expected the mechanism's id or null per method")
    return tuple(methods), tuple(seeds), clients, dict(zip(methods, rules, strict=True))


def _index(path: Path, column: str, values: list[Any], known: tuple[Any, ...]) -> Whole:
    """Return the position of each value in ``known``; a value that is not there is an error."""
    place = {value: k for k, value in enumerate(known)}
    try:
        return np.array([place[value] for value in values], dtype=np.int64)
    except KeyError as error:
        listed = ", ".join(str(k) for k in known)
        raise RecordError(
            f"{path}: {column} {error.args[0]!r:.80} is not in manifest.json, which lists {listed:.120}"
        ) from None


def _within(path: Path, column: str, values: Whole, low: int, high: int) -> Whole:
    bad = (values < low) | (values > high)
    if bad.any():
        raise RecordError(f"{path}: {column} {int(values[bad][0])} is outside {low} to {high}")
    return values


def _finite(path: Path, column: str, values: Real) -> Real:
    if not np.isfinite(values).all():
        raise RecordError(f"{path}: column {column!r} holds a number that is not finite")
    return values


def _read_traces(
    path: Path, methods: tuple[str, ...], seeds: tuple[int, ...], clients: int
) -> tuple[int, dict[str, Trace], bool]:
    table = read_table(
        path, text=("method", "role"), whole=("seed", "round", "client", "present", *COUNTS), real=REAL,
        optional=("role", "present"),
    )  # fmt: skip
    if not table["method"]:
        raise RecordError(f"{path}: no rows; the run recorded nothing")
    method = _index(path, "method", table["method"], methods)
    seed = _index(path, "seed", table["seed"].tolist(), seeds)
    client = _within(path, "client", table["client"], 0, clients - 1)
    rounds = int(table["round"].max())
    number = _within(path, "round", table["round"], 1, len(table["round"]))
    shape = (len(methods), len(seeds), rounds, clients)
    rows = int(np.prod(shape, dtype=object))
    if len(method) != rows:
        raise RecordError(
            f"{path}: {len(method)} rows; {len(methods)} methods, {len(seeds)} seeds, {rounds} rounds and {clients} "
            f"clients make {rows}; the run is incomplete, resume it"
        )
    place = np.ravel_multi_index((method, seed, number - 1, client), shape)
    if (np.bincount(place, minlength=rows) != 1).any():
        raise RecordError(f"{path}: a client's round is recorded twice and another is missing")
    order = np.argsort(place)
    columns: dict[str, Any] = {}
    for name in (*REAL, *COUNTS):
        values = table[name] if name == "loss" else _finite(path, name, table[name])
        columns[name] = values[order].reshape(shape)
    if (columns["accuracy"] < 0).any() or (columns["accuracy"] > 1).any():
        raise RecordError(f"{path}: column 'accuracy' leaves 0 to 1")
    columns["present"] = table.get("present", np.ones(rows, dtype=np.int64))[order].reshape(shape) != 0
    roles = np.array(table.get("role", ["honest"] * rows), dtype=np.str_)[order].reshape(shape)
    if (roles != roles[:, :, :1]).any():
        raise RecordError(f"{path}: a client's role changes from one round to another")
    columns["roles"] = roles[:, :, 0]
    traces = {m: Trace(**{name: column[k] for name, column in columns.items()}) for k, m in enumerate(methods)}
    return rounds, traces, "present" in table


def _read_ledger(path: Path, traces: dict[str, Trace], seeds: tuple[int, ...]) -> dict[str, Ledger]:
    methods = tuple(traces)
    _, rounds, clients = traces[methods[0]].gain.shape
    table = read_table(path, text=("method",), whole=("seed", "round", "importer", "exporter"), real=MONEY_COLUMNS)
    method = _index(path, "method", table["method"], methods)
    columns: dict[str, Any] = {"seed": _index(path, "seed", table["seed"].tolist(), seeds)}
    columns["round"] = _within(path, "round", table["round"], 1, rounds)
    for side in ("importer", "exporter"):
        columns[side] = _within(path, side, table[side], 0, clients - 1)
    if (columns["importer"] == columns["exporter"]).any():
        raise RecordError(f"{path}: a client imports its own model")
    columns |= {name: _finite(path, name, table[name]) for name in MONEY_COLUMNS}
    ledger = {}
    for k, name in enumerate(methods):
        entries = Ledger(**{key: column[method == k] for key, column in columns.items()})
        for side, column in (("importer", traces[name].paid), ("exporter", traces[name].received)):
            total = np.zeros(column.shape)
            np.add.at(total, (entries.seed, entries.round - 1, getattr(entries, side)), entries.payment)
            if np.abs(total - column).max() > _CLOSE * scale(column):
                raise RecordError(f"{path}: the payments of {name!r:.80} do not add up to those in rounds.parquet")
        ledger[name] = entries
    return ledger


def read_run(folder: Path | str) -> Run:
    """Read a run folder and check it: names, shapes, ranges, and that the files agree (`analysis.run.agreement.agree`).

    Raises
    ------
    RecordError
        One line that names the file, what is wrong with it and what was expected.
    """
    from analysis.run.agreement import agree  # reads a Run itself

    folder = Path(folder)
    if not folder.is_dir():
        raise RecordError(f"{folder}: no such folder; expected a run folder, as `marketproof run` writes it")
    manifest = read_json(folder / "manifest.json")
    methods, seeds, clients, mechanisms = _names(folder / "manifest.json", manifest)
    summary = read_json(folder / "summary.json")
    listed = summary.get("methods")
    if not isinstance(listed, dict) or set(listed) != set(methods):
        raise RecordError(f"{folder / 'summary.json'}: its methods differ from those of manifest.json")
    config = read_toml(folder / "config.toml")
    rounds, traces, presence = _read_traces(folder / "rounds.parquet", methods, seeds, clients)
    ledger = _read_ledger(folder / "ledger.parquet", traces, seeds)
    audit = read_audit(folder / "audit.json", mechanisms=mechanisms, seeds=seeds, rounds=rounds, clients=clients)
    shapes = _shapes(rounds, clients)
    row = (rounds, clients)
    extra: dict[str, tuple[int, ...]] = {"present": row, "accuracy": row, "sales": row, "optimal_gap": (rounds,)}
    extra |= dict(zip(_VALUATION, ((rounds,), (rounds,), (rounds, 2, -1)), strict=True))
    tensors = {(m, s): Tensors(market_file(folder, m, s), shapes, extra) for m in methods for s in seeds}
    task = manifest.get("task", "")
    run = Run(
        path=folder,
        task=task if isinstance(task, str) and task else folder.name,
        clients=clients,
        rounds=rounds,
        seeds=seeds,
        methods=methods,
        mechanisms=mechanisms,
        traces=traces,
        ledger=ledger,
        audit=audit,
        summary=summary,
        manifest=manifest,
        config=config,
        _tensors=tensors,
        tells_presence=presence,
    )
    agree(run)
    return run
