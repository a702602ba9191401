"""What follows from recorded clearings: each client's account of a round, each import, and the two tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.market import HARMFUL, ROLES, MarketRecord
from mechanism.space import Floats

if TYPE_CHECKING:
    from polars import DataFrame

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trace:
    """What happened to every client in every round under one method; each ``[seeds, rounds, m]``.

    ``accuracy`` in [0, 1] and ``loss`` of the test set (infinite where training diverged) are of the models by which
    the method is judged; beside them those after local training and after the server's step. Money is by the true
    types: ``gain``, ``cost``, ``paid``, ``received`` (gross), ``utility``; ``imports`` and ``exports`` count models.
    ``present``: who took part. ``roles`` ``[seeds, m]`` in words, ``epsilon`` ``[seeds, m]`` what privacy was spent.
    ``attack_success``: the share of test samples with a backdoor's trigger that a client's model answers as the
    attacker wants; None where nobody plants one.
    """

    accuracy: Floats
    loss: Floats
    gain: Floats
    cost: Floats
    paid: Floats
    received: Floats
    utility: Floats
    imports: Whole
    exports: Whole
    accuracy_trained: Floats
    loss_trained: Floats
    accuracy_aggregated: Floats
    loss_aggregated: Floats
    present: NDArray[np.bool_]
    roles: NDArray[np.str_]
    epsilon: Floats
    attack_success: Floats | None = None

    @property
    def benign(self) -> NDArray[np.bool_]:
        """Who counts in accuracy and utility, as in the paper: all but attackers and free-riders, ``[seeds, m]``."""
        return ~np.isin(self.roles, HARMFUL)


@dataclass(frozen=True, eq=False)
class Ledger:
    """One entry per import under one method, arrays ``[n]``: ``seed`` an index, ``round`` from 1, then money.

    ``payment`` gross, importer to exporter; ``cost`` the exporter's true cost, ``difference`` the entry of D,
    ``penalty`` what the mechanism reckoned with: lam d_ij n_j / n_i at the reported sizes.
    """

    seed: Whole
    round: Whole
    importer: Whole
    exporter: Whole
    payment: Floats
    cost: Floats
    difference: Floats
    penalty: Floats


_BY_ROUND = tuple(one.name for one in fields(Trace) if one.name not in ("roles", "epsilon", "attack_success"))


def books(seeds: Sequence[Iterable[MarketRecord]]) -> tuple[Trace, Ledger]:
    """Return trace and ledger of a method from its clearings: under each seed, some rounds at a time."""
    lines: list[dict[str, NDArray[Any]]] = []
    entries: list[dict[str, NDArray[Any]]] = []
    for k, parts in enumerate(seeds):
        done, seen = 0, []
        for record in parts:
            seen.append(_accounts(record))
            entries.append(_entries(record, k, done))
            done += record.rounds
        whole = {name: np.concatenate([one[name] for one in seen]) for name in seen[0]}
        lines.append({**whole, "roles": np.array(ROLES)[record.roles[-1]], "epsilon": record.epsilon})
    return (
        Trace(**{name: np.stack([one[name] for one in lines]) for name in lines[0]}),
        Ledger(**{name: np.concatenate([one[name] for one in entries]) for name in entries[0]}),
    )


def _accounts(record: MarketRecord) -> dict[str, NDArray[Any]]:
    accounts, imports = record.accounts, record.imports
    money = {name: getattr(accounts, name) for name in ("gain", "cost", "paid", "received", "utility")}
    counts = {"imports": imports.sum(axis=-1), "exports": imports.sum(axis=-2)}
    attack = {name: record.valuation[name] for name in ("attack_success",) if name in record.valuation}
    told: dict[str, NDArray[Any]] = {name: getattr(record, name) for name in {*_BY_ROUND} - {*money, *counts}}
    return {name: (told | money | counts)[name] for name in _BY_ROUND} | attack


def _entries(record: MarketRecord, seed: int, before: int) -> dict[str, NDArray[Any]]:
    at = number, importer, exporter = np.nonzero(record.imports)
    return {
        "seed": np.full(number.shape, seed),
        "round": before + number + 1,
        "importer": importer,
        "exporter": exporter,
        "payment": record.prices[at] + 0.0,
        "cost": record.cost[number, exporter],
        "difference": record.differences[at],
        "penalty": record.market.penalties(record.reported_size)[at],
    }


Called = Mapping[int, Sequence[str]]
"""What clients are called under each seed; nothing where they have no names."""


def rounds_table(traces: Mapping[str, Trace], seeds: Sequence[int], called: Called | None = None) -> DataFrame:
    """Return ``rounds.parquet``: a row per method, seed, round and client, in this order."""
    import polars as pl

    frames = []
    for method, trace in traces.items():
        seed, number, client = np.indices(trace.accuracy.shape)
        columns = {"seed": np.asarray(seeds)[seed], "round": number + 1, "client": client}
        columns |= {name: getattr(trace, name) for name in _BY_ROUND}
        columns |= {} if trace.attack_success is None else {"attack_success": trace.attack_success}
        roles = np.broadcast_to(trace.roles[:, None, :], trace.accuracy.shape)
        frame = _frame(method, {name: array.ravel() for name, array in columns.items()})
        frames.append(frame.with_columns(pl.Series("role", roles.ravel().tolist(), dtype=pl.String)))
    return _named(pl.concat(frames, how="diagonal", rechunk=True), called, client="name")


def ledger_table(ledgers: Mapping[str, Ledger], seeds: Sequence[int], called: Called | None = None) -> DataFrame:
    """Return ``ledger.parquet``: a row per import, by method, seed, round, importer and exporter."""
    import polars as pl

    frames = []
    for method, ledger in ledgers.items():
        columns = {one.name: getattr(ledger, one.name) for one in fields(Ledger)}
        frames.append(_frame(method, columns | {"seed": np.asarray(seeds, dtype=np.int64)[ledger.seed]}))
    return _named(pl.concat(frames, rechunk=True), called, importer="importer_name", exporter="exporter_name")


def _named(frame: DataFrame, called: Called | None, **columns: str) -> DataFrame:
    """Return a table with what clients are called beside their numbers, if they have names under every seed."""
    import polars as pl

    if not called or not all(called.values()):
        return frame
    pairs = [(seed, k, name) for seed, names in called.items() for k, name in enumerate(names)]
    for number, title in columns.items():
        schema = {"seed": pl.Int64, number: pl.Int64, title: pl.String}
        names = pl.DataFrame(pairs, schema=schema, orient="row")
        frame = frame.join(names, on=["seed", number], how="left", maintain_order="left")
    return frame


def _frame(method: str, columns: dict[str, NDArray[Any]]) -> DataFrame:
    """Return columns as a frame: numbers with a fraction as float64, all others as int64."""
    import polars as pl

    typed = {name: a.astype(np.float64 if a.dtype.kind == "f" else np.int64) for name, a in columns.items()}
    rows = len(next(iter(typed.values())))
    return pl.DataFrame({"method": pl.Series([method] * rows, dtype=pl.String), **typed})


def mean_where(values: Floats, counted: NDArray[np.bool_]) -> Floats:
    """Return the mean over the last axis of the values that count, 0 where none does."""
    total = np.where(counted, values, 0.0).sum(axis=-1)
    return np.asarray(total / np.maximum(counted.sum(axis=-1), 1))


def best_of_clients(trace: Trace) -> Floats:
    """Return every client's best personal accuracy while it took part, 0 if it never did, ``[seeds, m]``."""
    return np.asarray(np.where(trace.present, trace.accuracy, 0.0).max(axis=1))


def final_of_clients(trace: Trace) -> Floats:
    """Return every client's personal accuracy when it last took part, ``[seeds, m]``."""
    last = trace.present.shape[1] - 1 - np.argmax(trace.present[:, ::-1], axis=1)
    return np.asarray(np.take_along_axis(trace.accuracy, last[:, None, :], axis=1)[:, 0])


def figures(trace: Trace) -> dict[str, Floats]:
    """Return the figures of a method by name, ``[seeds]`` each.

    ``accuracy_best``: each client's best over the rounds in which it took part, averaged over clients (as the paper
    counts); ``accuracy_final``: mean over clients of what they had when they last took part; ``utility_total``: summed
    over clients and rounds; ``utility_mean``: per client and round; ``welfare``: the sum of everybody's utilities in
    all clearings; ``received_mean``: paid to a client for its models, per round. Utilities are true ones. All but
    welfare are of benign clients, who are not attackers or free-riders (paper, personal accuracy and utility); of
    others ``utility_others`` and ``received_others`` are means per client and round, ``accuracy_others`` the best
    accuracy. ``epsilon``: the most that a client's training spent. ``attack_success``: mean over benign clients after
    the last round.
    """
    benign, there = trace.benign, trace.present.any(axis=1)
    utility, received, rounds = trace.utility.sum(axis=1), trace.received.sum(axis=1), trace.utility.shape[1]
    found = {
        "accuracy_best": mean_where(best_of_clients(trace), benign & there),
        "accuracy_final": mean_where(final_of_clients(trace), benign & there),
        "utility_total": np.where(benign, utility, 0.0).sum(axis=-1),
        "utility_mean": mean_where(utility, benign) / rounds,
        "welfare": utility.sum(axis=-1),
        "received_mean": mean_where(received, benign) / rounds,
    }
    if trace.epsilon.any():
        found["epsilon"] = trace.epsilon.max(axis=-1)
    if not benign.all():
        found["utility_others"] = mean_where(utility, ~benign) / rounds
        found["received_others"] = mean_where(received, ~benign) / rounds
        found["accuracy_others"] = mean_where(best_of_clients(trace), ~benign & there)
    if trace.attack_success is not None:
        found["attack_success"] = mean_where(trace.attack_success[:, -1], benign)
    return found


def unit_figures(record: MarketRecord) -> dict[str, float]:
    """Return the figures of one method under one seed."""
    trace, _ = books([[record]])
    return {name: float(values[0]) for name, values in figures(trace).items()}
