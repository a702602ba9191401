"""Who the clients are and whom they learn from: roles, attendance, and the graph that a method implies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import metrics
from analysis.metrics import RoundCurves, mean_where, spread
from analysis.run.records import Run, Trace
from analysis.scores import ComparedScores
from analysis.tables import Cell, Table

Real = NDArray[np.float64]


def roles(run: Run) -> tuple[str, ...]:
    """Return the roles that occur in the run, in alphabetical order."""
    return tuple(sorted({str(role) for trace in run.traces.values() for role in np.unique(trace.roles)}))


def by_role(run: Run, name: str, unit: str, of: Callable[[str, Trace], Real]) -> ComparedScores:
    """Return a number of every client ``[seeds, m]`` as means over the clients of each role, NaN where a role is empty.

    ``of``: method and its trace to the number of every client.
    """
    found = roles(run)
    each = np.full((len(found), len(run.methods), len(run.seeds)), np.nan)
    for j, method in enumerate(run.methods):
        trace = run.traces[method]
        values = of(method, trace)
        for k, role in enumerate(found):
            there = trace.roles == role
            each[k, j] = np.where(there.any(axis=1), mean_where(values, there), np.nan)
    return ComparedScores(
        name, unit, found, run.methods, each.mean(axis=2), spread(each), (len(run.seeds),) * len(found)
    )


def accuracy_by_role(run: Run) -> ComparedScores:
    """Best personal accuracy of each role, percent."""
    return by_role(run, "Best personal accuracy", "%", lambda _, trace: 100.0 * metrics.best_of_clients(trace))


def utility_by_role(run: Run) -> ComparedScores:
    """Utility over the run of each role, money."""
    return by_role(run, "Mean utility over the run", "money", lambda method, _: metrics.client_utility(run, method))


def everybody_stays(run: Run) -> bool:
    """Return whether all clients took part in all rounds of all methods."""
    return all(bool(trace.present.all()) for trace in run.traces.values())


def attendance(run: Run) -> RoundCurves:
    """Number of clients that take part per round."""
    values = np.stack([run.traces[m].present.sum(axis=2).astype(np.float64) for m in run.methods])
    return RoundCurves("Clients that take part", "clients", run.methods, values)


@dataclass(frozen=True, eq=False)
class ImportShares:
    """How often importer i (row) imports the model of exporter j (column): share of rounds ``[m, m]``, one seed."""

    method: str
    seed: int
    share: Real


def import_shares(run: Run, method: str, seed: int | None = None) -> ImportShares:
    """Return the graph that a method implied, averaged over the rounds of a seed (default: the first)."""
    seed = run.seeds[0] if seed is None else seed
    entries = run.ledger[metrics.known(run, method)]
    chosen = entries.seed == run.seeds.index(seed)
    share = np.zeros((run.clients, run.clients))
    np.add.at(share, (entries.importer[chosen], entries.exporter[chosen]), 1.0 / run.rounds)
    return ImportShares(method, seed, share)


def shares_table(shares: tuple[ImportShares, ...]) -> Table:
    """Return the share of rounds of every pair that trades, a row per pair, a column per method."""
    pairs = sorted({(int(i), int(j)) for one in shares for i, j in np.argwhere(one.share > 0)})
    rows: list[tuple[Cell, ...]] = [(i, j, *(float(one.share[i, j]) for one in shares)) for i, j in pairs]
    heads = ("importer", "exporter", *(one.method for one in shares))
    return Table(f"Share of rounds in which one imports from the other, seed {shares[0].seed}", heads, tuple(rows))
