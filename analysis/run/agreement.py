"""Whether the files of a run agree with one another: accounts with clearings, audit and summary with the accounts.

A number that was edited in one file is told, in one line that names it, before anything is drawn from it. Money agrees
up to `mechanism.tolerance`. What only a person reads (the audit's sentences) and what nothing else records (seconds of
work) is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.findings.scores import best_of_clients, mean_where
from analysis.run.audits import ROLES, Lie
from analysis.run.files import RecordError, Tensors
from analysis.run.recorded import Trace
from analysis.run.records import Run
from mechanism import InvalidMarketError, Outcome, Types, UnknownNameError, account, market_mechanism
from mechanism.market.settling import settled
from mechanism.tolerance import MONEY, scale

Real = NDArray[np.float64]

AMOUNTS = ("gain", "cost", "paid", "received", "utility")
"""Columns of rounds.parquet that follow from a clearing."""

_PAIRS = 2_000_000
"""Pairs of importer and exporter of which clearings are held in memory at a time."""

_WHOLE = ("accuracy_best", "accuracy_final", "utility_total", "utility_mean", "welfare")
"""Figures that a run writes of each method; a summary that lacks one is of another program and is not compared."""

REMEDY = "one of the two was changed, run again"


@dataclass
class _Books:
    """What the clearings of a method make, over its seeds: lowest utilities by role, money to a centre, objectives."""

    lowest: dict[str, float]
    imbalance: float = 0.0
    objective: float = 0.0
    optimal: float = 0.0
    bound: float = 0.0

    @property
    def gap(self) -> float:
        return max(0.0, self.bound - self.objective)


def agree(run: Run) -> None:
    """Compare the files of a run.

    Rounds with clearings: utility = gain - cost - paid + received - centre, and each of these, the imports and the
    payments of the ledger are what the recorded clearing makes at the true types. Audit: its lowest utilities, balance,
    objectives, and each best lie cleared again. Summary: accuracies, utilities and welfare.

    Raises
    ------
    RecordError
        One line: which file, method, seed, round and client, what stands there, what the other file makes of it.
    """
    with np.errstate(all="ignore"):  # numbers of any size may stand in a file; what overflows agrees with nothing
        for method in run.methods:
            books = _Books(dict.fromkeys(ROLES, np.inf))
            for k in range(len(run.seeds)):
                _cleared(run, method, k, books)
            _audited(run, method, books)
            _summarised(run, method)


def _differ(found: Any, expected: Any, small: float) -> NDArray[np.bool_]:
    """Say where two arrays are further apart than ``small``; a number that is not finite agrees with nothing."""
    return ~(np.abs(np.asarray(found, dtype=np.float64) - np.asarray(expected, dtype=np.float64)) <= small)


def _tolerance(trace: Trace) -> float:
    return MONEY * max(scale(getattr(trace, name)) for name in AMOUNTS)


def _cleared(run: Run, method: str, k: int, books: _Books) -> None:
    """Compare the rounds of one method under one seed with its clearings, and gather what these make."""
    trace, file, small = run.traces[method], run.recorded(method, run.seeds[k]), _tolerance(run.traces[method])
    table = run.path / "rounds.parquet"
    centre = file.read("centre")
    made = trace.gain[k] - trace.cost[k] - trace.paid[k] + trace.received[k] - centre
    rule = "gain - cost - paid + received - centre"
    _same(run, method, k, table, "utility", trace.utility[k], made, small, because=rule)
    for start, stop, outcome, types in _clearings(run, file):
        law = run.law(method, run.seeds[k])
        accounts, rows = account(types, outcome, law), slice(start, stop)
        counts = {"imports": outcome.imports.sum(axis=-1), "exports": outcome.imports.sum(axis=-2)}
        expected = {name: getattr(accounts, name) for name in AMOUNTS} | counts
        for name, values in expected.items():
            own = getattr(trace, name)[k, rows]
            _same(run, method, k, table, name, own, values, small, start, f"the clearing in {file.path.name}")
        for name, own in (("present", trace.present), ("accuracy", trace.accuracy)):
            if name in file.names and (name != "present" or run.tells_presence):
                _same(
                    run,
                    method,
                    k,
                    table,
                    name,
                    own[k, rows],
                    file.rows(name, start, stop),
                    MONEY,
                    start,
                    file.path.name,
                )
        _entered(run, method, k, start, outcome, small)
        sales = file.rows("sales", start, stop) if "sales" in file.names else np.zeros(accounts.centre.shape)
        sides = (accounts.utility, accounts.buyer - sales, accounts.seller + sales)
        for role, values in zip(ROLES, sides, strict=True):
            books.lowest[role] = min(books.lowest[role], float(values.min()))
        books.imbalance = max(books.imbalance, float(np.abs(outcome.centre.sum(axis=-1)).max()))
    optimal = file.read("optimal_objective")
    books.objective += float(file.read("objective").sum())
    books.optimal += float(optimal.sum())
    books.bound += float(optimal.sum() + (file.read("optimal_gap").sum() if "optimal_gap" in file.names else 0.0))


def _clearings(run: Run, file: Tensors) -> Iterator[tuple[int, int, Outcome, Types]]:
    """Yield first round, last round and their clearings, a few at a time, counted from 0 and half open."""
    step = max(1, _PAIRS // run.clients**2)
    for start in range(0, run.rounds, step):
        stop = min(run.rounds, start + step)
        read = {name: file.rows(name, start, stop) for name in ("imports", "prices", "centre", "gap")}
        size, cost, gain = (file.rows(name, start, stop) for name in ("size", "cost", "gain"))
        try:
            types = Types(size, cost, gain)
        except InvalidMarketError as error:
            raise RecordError(f"{file.path}: {error}; the file is damaged, run again") from None
        yield start, stop, Outcome(read["imports"] != 0, read["prices"], read["centre"], read["gap"]), types


def _same(
    run: Run, method: str, k: int, path: Path, name: str, found: Any, made: Any, small: float, start: int = 0,
    because: str = "",
) -> None:  # fmt: skip
    """Raise for the first client's round in which a number is not what the other file makes of it."""
    bad = _differ(found, made, small)
    if bad.any():
        row, client = (int(at) for at in np.argwhere(bad)[0])
        raise RecordError(
            f"{path}: {name} of client {client} in round {start + row + 1} ({method:.80}, seed {run.seeds[k]}) is "
            f"{float(found[row, client]):.9g}; {because} makes it {float(made[row, client]):.9g}; {REMEDY}"
        )


def _entered(run: Run, method: str, k: int, start: int, outcome: Outcome, small: float) -> None:
    """Compare the ledger with the clearings: one entry for each import, at its price."""
    ledger, count = run.ledger[method], len(outcome.imports)
    here = (ledger.seed == k) & (ledger.round > start) & (ledger.round <= start + count)
    at = (ledger.round[here] - 1 - start, ledger.importer[here], ledger.exporter[here])
    entries, paid = np.zeros(outcome.imports.shape), np.zeros(outcome.prices.shape)
    np.add.at(entries, at, 1.0)
    np.add.at(paid, at, ledger.payment[here])
    for what, found, made in (("entries for", entries, outcome.imports), ("payment for", paid, outcome.prices)):
        bad = _differ(found, made, small)
        if bad.any():
            row, i, j = (int(x) for x in np.argwhere(bad)[0])
            place = f"round {start + row + 1} ({method:.80}, seed {run.seeds[k]})"
            raise RecordError(
                f"{run.path / 'ledger.parquet'}: {what} client {i} importing from client {j} in {place} is "
                f"{found[row, i, j]:.9g}; the clearing in markets/ makes it {float(made[row, i, j]):.9g}; {REMEDY}"
            )


def _audited(run: Run, method: str, books: _Books) -> None:
    """Compare a method's audit with its clearings, and clear each of its lies again."""
    audit, path, small = run.audit.methods[method], run.path / "audit.json", _tolerance(run.traces[method])
    large = small * max(1.0, run.rounds * len(run.seeds) * run.clients)  # sums over many clearings
    told = {f"lowest_utility.{role}": (audit.lowest_utility[role], books.lowest[role], small) for role in ROLES} | {
        "budget_imbalance": (audit.budget_imbalance, books.imbalance, small * run.clients),
        "objective": (audit.objective, books.objective, large),
        "optimal_objective": (audit.optimal_objective, books.optimal, large),
        "optimality_gap": (audit.optimality_gap, books.gap, large),
    }
    for key, (found, made, slack) in told.items():
        if _differ(found, made, slack).any():
            raise RecordError(
                f"{path}: {key} of {method!r:.80} is {found:.9g}; the recorded clearings make it {made:.9g}; {REMEDY}"
            )
    for lie in audit.lies.values():
        _lied(run, method, lie, path)


def _lied(run: Run, method: str, lie: Lie, path: Path) -> None:
    """Clear the market of a lie again, with the truth and with what was said, and compare the two utilities."""
    place = f"client {lie.client} in round {lie.round} ({method:.80}, seed {lie.seed})"
    where = f"{path}: the lie about a {lie.coordinate} of {place}"
    try:
        rule = market_mechanism(str(run.mechanisms[method]))
    except UnknownNameError:  # of another version: nothing here can clear it again
        return
    record = run.market_round(method, lie.seed, lie.round)
    if not record.present[lie.client]:
        if lie.gain == lie.utility_truthful == lie.utility_lying == 0.0:
            return  # older versions told of lies that win nothing so
        raise RecordError(f"{where} is of a client that was not there then; {REMEDY}")
    try:
        types, market = record.types.take(record.present), record.market.take(record.present)
        me = int(record.present[: lie.client].sum())
        truth = np.array(getattr(types, lie.coordinate))
        said = truth.copy()
        said[me] = lie.report
        utilities, amounts = [], []
        for reports in (truth, said):
            outcome = settled(rule, rule.clear(types.report(**{lie.coordinate: reports}), market), types)
            accounts = account(types, outcome, market.law)
            utilities.append(float(accounts.utility[me]))
            amounts += [accounts.gain, accounts.cost, accounts.paid, accounts.received]
    except InvalidMarketError as error:
        raise RecordError(f"{where} cannot be cleared again ({error}); {REMEDY}") from None
    small = MONEY * scale(np.concatenate(amounts))
    told = (
        ("truth", lie.truth, float(truth[me]), MONEY * scale(truth)),
        ("utility_truthful", lie.utility_truthful, utilities[0], small),
        ("utility_lying", lie.utility_lying, utilities[1], small),
    )
    for key, found, made, slack in told:
        if _differ(found, made, slack).any():
            raise RecordError(f"{where} has {key} {found:.9g}; its market cleared again makes it {made:.9g}; {REMEDY}")


def _figures(trace: Trace) -> dict[str, Real]:
    """Return the figures of summary.json from a trace, by key, ``[seeds]`` each (`marketproof.running.summary`)."""
    there = trace.present.any(axis=1)
    last = trace.present.shape[1] - 1 - np.argmax(trace.present[:, ::-1], axis=1)
    final = np.take_along_axis(trace.accuracy, last[:, None, :], axis=1)[:, 0]
    best, utility, rounds = best_of_clients(trace), trace.utility.sum(axis=1), trace.utility.shape[1]
    total = np.where(trace.benign, utility, 0.0).sum(axis=-1)
    return {
        "accuracy_best": mean_where(best, trace.benign & there),
        "accuracy_final": mean_where(final, trace.benign & there),
        "utility_total": total,
        "utility_mean": mean_where(utility, trace.benign) / rounds,
        "welfare": utility.sum(axis=-1),
        "utility_others": mean_where(utility, ~trace.benign) / rounds,
        "accuracy_others": mean_where(best, ~trace.benign & there),
    }


def _summarised(run: Run, method: str) -> None:
    """Compare a method's summary with its rounds."""
    path, told = run.path / "summary.json", run.summary["methods"][method]
    if not isinstance(told, Mapping):
        raise RecordError(f"{path}: methods.{method:.80} is a {type(told).__name__}; expected an object")
    if not set(_WHOLE) <= set(told):
        return
    trace = run.traces[method]
    money = _tolerance(trace) * run.rounds * run.clients
    for key, values in _figures(trace).items():
        made = {key: float(values.mean())}
        if len(values) > 1:
            made[f"{key}_std"] = float(values.std(ddof=1))
        for name, number in made.items():
            if name not in told and key in _WHOLE:
                raise RecordError(f"{path}: {name} of {method!r:.80} is missing; run again")
            found = told.get(name, number)
            right = isinstance(found, int | float) and not isinstance(found, bool)
            if not right or abs(found) > 1e300 or _differ(found, number, MONEY if "accuracy" in key else money).any():
                raise RecordError(
                    f"{path}: {name} of {method!r:.80} is {found!r:.40}; rounds.parquet makes it {number:.9g}; {REMEDY}"
                )
