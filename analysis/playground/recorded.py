"""A recorded run in the playground: one clearing of it, true types and differences between models, as a state."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.findings.scores import on_effective_data
from analysis.playground.state import MOST_CLIENTS, Client, PlayError, PlayState
from analysis.run.records import MarketRecord, Run, read_run
from mechanism.market.gains import law_numbers
from mechanism.market.mechanisms import MARKET_ENTRIES
from mechanism.wording import typeset

_OTHERWISE = "ipfl-exact"


@dataclass(frozen=True)
class Place:
    """One clearing of a run: the method, the seed, and the round, counted from 1."""

    method: str
    seed: int
    round: int


def open_run(folder: str | Path) -> Run:
    """Read a run folder that the playground can show.

    `RecordError` if it is no complete run folder. `PlayError` if too few or too many clients took part for the
    playground.
    """
    try:
        run = read_run(Path(str(folder).strip()).expanduser())
    except RuntimeError:  # ~nobody
        raise PlayError(f"{folder}: there is no such user; name the folder in full") from None
    if run.clients > MOST_CLIENTS or run.clients < 2:
        raise PlayError(
            f"the run has {run.clients} clients; the playground shows 2 to {MOST_CLIENTS}: run again with --clients"
        )
    return run


def first_place(run: Run) -> Place:
    """Return where to begin: the lie about a cost that wins most, else the first market, else the first method.

    In the first round, but the last where trade is on effective data, of which nothing is measured in the first.
    """
    found = [(m, run.audit.methods[m].lies.get("cost")) for m in run.markets]
    paying = [(lie.gain, m, lie) for m, lie in found if lie is not None and lie.pays]
    if paying:
        _, method, lie = max(paying, key=lambda entry: entry[0])
        return Place(method, lie.seed, lie.round)
    name = (*run.markets, *run.methods)[0]
    return Place(name, run.seeds[0], run.rounds if name in on_effective_data(run) else 1)


def present(record: MarketRecord) -> np.ndarray:
    """Return the indices of the clients that took part in a clearing."""
    return np.flatnonzero(record.present)


def state_of(run: Run, place: Place) -> PlayState:
    """Return a recorded clearing as a state: true types, differences and λ, and the method's rule (else `ipfl-exact`).

    Clients are called c0, c1, … after their numbers in the run. The client of the audit's best lie reports, and tells
    the truth to begin with; without such a lie, the one that sold most. `PlayError` if fewer than two clients took
    part.
    """
    record = run.market_round(place.method, place.seed, place.round)
    there = present(record)
    if there.size < 2:
        raise PlayError(f"{there.size} clients took part in round {place.round}; choose a round with at least 2")
    clients = tuple(
        Client(f"c{k}", *(float(f"{v:.12g}") for v in (record.size[k], record.cost[k], record.gain[k]))) for k in there
    )
    differences, worth = (
        None if matrix is None else tuple(tuple(float(f"{x:.9g}") for x in row) for row in matrix[np.ix_(there, there)])
        for matrix in (record.differences, record.market.effective)
    )
    rule = str(run.mechanisms[place.method])
    lie = run.audit.methods[place.method].lies.get("cost")
    sold = record.imports.sum(axis=0)
    who = int(np.argmax(sold[there]))
    if lie is not None and lie.pays and (lie.seed, lie.round) == (place.seed, place.round) and lie.client in there:
        who = int(np.flatnonzero(there == lie.client)[0])
    return PlayState(
        clients=clients,
        mechanism=rule if rule in MARKET_ENTRIES else _OTHERWISE,
        lam=float(f"{record.lam:.12g}"),
        client=who,
        report=clients[who].cost,
        differences=differences,
        law=law_numbers(record.law),
        effective=worth,
    )


def words(run: Run, place: Place) -> str:
    """Say which clearing is shown, and what of the record the playground does not repeat."""
    record = run.market_round(place.method, place.seed, place.round)
    said = f"{run.task}, {place.method}, seed {place.seed}, round {place.round}: recorded types and differences."
    if run.mechanisms[place.method] not in MARKET_ENTRIES:
        said += f" {place.method} has no market; this is what {_OTHERWISE} would do with its models."
    if law_numbers(record.law) is not None:
        said += " Gains follow the law that was measured in the run."
    if record.market.effective is not None:
        said += " What a model is worth to whom was measured in the run, not reported."
    absent = int((~record.present).sum())
    if absent:
        said += f" {absent} of {run.clients} clients did not take part."
    lied = [
        f"c{k} of its {name} ({typeset(float(said_[k]))} for {typeset(float(true[k]))})"
        for name, true, said_ in (
            ("size", record.size, record.reported_size),
            ("cost", record.cost, record.reported_cost),
            ("gain", record.gain, record.reported_gain),
        )
        for k in np.flatnonzero(record.present & ~np.isclose(true, said_))
    ]
    if lied:
        more = " and others" if len(lied) > 4 else ""
        said += f" In the run lies were told by {', '.join(lied[:4])}{more}; here all are truthful."
    return said
