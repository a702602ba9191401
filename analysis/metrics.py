"""Numbers of a recorded run, as pure functions that return frozen result objects. Plots and tables take only these.

Money is in the unit of the gain law. "Over the run" means summed over rounds. A spread is the sample standard deviation
over seeds; with one seed none is known, which is None.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.money import MoneyFlow, paid_to_centre
from analysis.run.records import Run, Trace
from mechanism.errors import UnknownNameError
from mechanism.tolerance import MONEY, scale

Real = NDArray[np.float64]


def spread(values: Real, axis: int = -1) -> Real | None:
    """Return the sample standard deviation along ``axis``; None of a single value, whose spread nobody knows."""
    return np.asarray(values.std(axis=axis, ddof=1)) if values.shape[axis] > 1 else None


@dataclass(frozen=True, eq=False)
class MethodScores:
    """One number per method and seed: ``values`` ``[methods, seeds]`` (further axes may follow) in ``unit``."""

    name: str
    unit: str
    methods: tuple[str, ...]
    values: Real

    @property
    def mean(self) -> Real:
        """Mean over seeds ``[methods, …]``."""
        return np.asarray(self.values.mean(axis=1))

    @property
    def spread(self) -> Real | None:
        """Sample standard deviation over seeds ``[methods, …]``, None with one seed."""
        return spread(self.values, axis=1)

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return int(self.values.shape[1])


def mean_where(values: Real, counted: NDArray[np.bool_]) -> Real:
    """Return the mean over the last axis of the values that count, 0 where none does."""
    total = np.where(counted, values, 0.0).sum(axis=-1)
    return np.asarray(total / np.maximum(counted.sum(axis=-1), 1))


def best_of_clients(trace: Trace) -> Real:
    """Return every client's best personal accuracy while it took part, 0 if it never did, ``[seeds, m]``."""
    return np.asarray(np.where(trace.present, trace.accuracy, 0.0).max(axis=1))


def best_accuracy(run: Run) -> MethodScores:
    """Personal accuracy as the paper counts it, in percent: each client's best round, averaged over benign clients."""
    values = [
        mean_where(best_of_clients(t), t.benign & t.present.any(axis=1)) for t in (run.traces[m] for m in run.methods)
    ]
    return MethodScores("Best personal accuracy", "%", run.methods, 100.0 * np.stack(values))


def _final(trace: Trace) -> Real:
    last = trace.present.shape[1] - 1 - np.argmax(trace.present[:, ::-1], axis=1)
    final = np.take_along_axis(trace.accuracy, last[:, None, :], axis=1)[:, 0]
    return mean_where(final, trace.benign & trace.present.any(axis=1))


def final_accuracy(run: Run) -> MethodScores:
    """Personal accuracy when each client last took part, in percent, averaged over benign clients."""
    values = [_final(run.traces[m]) for m in run.methods]
    return MethodScores("Final personal accuracy", "%", run.methods, 100.0 * np.stack(values))


def known(run: Run, method: str) -> str:
    """Return the name of a method of the run.

    Raises
    ------
    UnknownNameError
        If the run has no such method; the message names those that it has.
    """
    if method not in run.mechanisms:
        raise UnknownNameError(f"the run has no method {method!r:.80}; it has {', '.join(run.mechanisms)}")
    return method


def client_utility(run: Run, method: str) -> Real:
    """Return every client's utility over the run, money, ``[seeds, m]``."""
    return np.asarray(run.traces[known(run, method)].utility.sum(axis=1))


def mean_utility(run: Run) -> MethodScores:
    """Mean benign client's utility over the run, money (the paper's measure)."""
    values = np.stack([mean_where(client_utility(run, m), run.traces[m].benign) for m in run.methods])
    return MethodScores("Mean utility of a client over the run", "money", run.methods, values)


def utility_per_round(run: Run) -> MethodScores:
    """Mean benign client's utility per round, money: what runs of different length can be compared by."""
    return MethodScores("Utility per client and round", "money", run.methods, mean_utility(run).values / run.rounds)


def welfare(run: Run) -> MethodScores:
    """Welfare SW: the sum of all clients' utilities over the run, money."""
    values = np.stack([client_utility(run, m).sum(axis=1) for m in run.methods])
    return MethodScores("Welfare over the run", "money", run.methods, values)


def slack(run: Run, method: str) -> float:
    """Return the money below which a difference in a method's accounts is rounding: the audit's tolerance, scaled."""
    trace = run.traces[method]
    return run.audit.tolerance * max(scale(amounts) for amounts in (trace.gain, trace.cost, trace.paid, trace.utility))


@dataclass(frozen=True, eq=False)
class Waterline:
    """Every client's utility over the run under one method, rising: ``utilities`` ``[seeds * m]``, money.

    ``lowest_round`` is the lowest utility of any client in any single round.
    """

    method: str
    utilities: Real
    lowest_round: float
    tolerance: float

    @property
    def below(self) -> int:
        """Number of clients whose utility is below zero by more than the tolerance."""
        return int((self.utilities < -self.tolerance).sum())


def waterline(run: Run, method: str) -> Waterline:
    """Return a method's waterline, all seeds pooled (no averaging that could hide a loss)."""
    utility = run.traces[known(run, method)].utility
    pooled = np.sort(client_utility(run, method).ravel())
    return Waterline(method, pooled, float(utility.min()), run.rounds * slack(run, method))


@dataclass(frozen=True, eq=False)
class Optimum:
    """V_lambda reached and possible over the run, and welfare, money, ``[methods, seeds]`` each."""

    methods: tuple[str, ...]
    objective: Real
    optimal: Real
    welfare: Real

    @property
    def share(self) -> Real:
        """Objective over optimum, means over seeds, ``[methods]``: see `share_of_optimum`."""
        return share_of_optimum(self.objective.mean(axis=1), self.optimal.mean(axis=1))


def share_of_optimum(objective: ArrayLike, optimal: ArrayLike) -> Real:
    """Return objective / optimum. Where the optimum is 0 (no trade is best): 1 if reached, NaN if missed."""
    reached, best = np.asarray(objective, dtype=np.float64), np.asarray(optimal, dtype=np.float64)
    slack = MONEY * max(scale(reached), scale(best))
    empty = np.abs(best) <= slack
    ratio = np.divide(reached, best, out=np.full(np.broadcast(reached, best).shape, np.nan), where=~empty)
    return np.where(empty & (np.abs(reached) <= slack), 1.0, ratio)


def optimum(run: Run) -> Optimum:
    """Return every method's objective V_lambda (reported types) beside the optimum on the same markets."""
    pairs = [[run.objectives(m, s) for s in run.seeds] for m in run.methods]
    reached = np.array([[p[0].sum() for p in row] for row in pairs])
    best = np.array([[p[1].sum() for p in row] for row in pairs])
    return Optimum(run.methods, reached, best, welfare(run).values)


def money_flow(run: Run, method: str, seed: int | None = None) -> MoneyFlow:
    """Return the payments of one seed (default: the first; clients of different seeds hold different data)."""
    seed = run.seeds[0] if seed is None else seed
    entries = run.ledger[known(run, method)]
    chosen = entries.seed == run.seeds.index(seed)
    gross = np.zeros((run.clients, run.clients))
    np.add.at(gross, (entries.importer[chosen], entries.exporter[chosen]), entries.payment[chosen])
    centre = paid_to_centre(run.traces[method], slack(run, method))[run.seeds.index(seed)].sum(axis=0)
    return MoneyFlow(method, seed, gross, centre)


class RoundCurves(MethodScores):
    """A number per round: ``values`` ``[methods, seeds, rounds]``, the mean over clients, in ``unit``."""


def accuracy_rounds(run: Run) -> RoundCurves:
    """Mean personal accuracy of the benign clients that take part, per round, percent."""
    traces = [run.traces[m] for m in run.methods]
    values = np.stack([100.0 * mean_where(t.accuracy, t.benign[:, None] & t.present) for t in traces])
    return RoundCurves("Personal accuracy", "%", run.methods, values)


def utility_rounds(run: Run) -> RoundCurves:
    """Mean benign client's utility per round, money."""
    traces = [run.traces[m] for m in run.methods]
    values = np.stack([mean_where(t.utility, np.broadcast_to(t.benign[:, None], t.utility.shape)) for t in traces])
    return RoundCurves("Utility per client and round", "money", run.methods, values)


def gini(amounts: ArrayLike) -> Real:
    r"""Return the Gini coefficient along the last axis, defined for losses too.

    .. math:: G = \sum_{i,j} |y_i - y_j| \;/\; (2 m \sum_i |y_i|)

    With no negative amount this is the usual coefficient. With losses the usual one, which divides by the mean, can
    exceed 1 or divide by zero; dividing by the mean *absolute* amount keeps it in [0, 1). All zero: 0.
    Source: Raffinetti, Siletti and Vernizzi (2015), up to their factor m/(m-1).
    """
    y = np.sort(np.asarray(amounts, dtype=np.float64), axis=-1)
    m = y.shape[-1]
    weights = 2.0 * np.arange(1, m + 1) - m - 1.0
    total = np.abs(y).sum(axis=-1)
    return np.divide((weights * y).sum(axis=-1), m * total, out=np.zeros_like(total), where=total > 0)


def lorenz(amounts: ArrayLike) -> Real:
    """Return the Lorenz curve ``[..., m + 1]``: cumulative amounts from the poorest up, over the sum of |amounts|.

    Starts at 0 and ends at sum / sum of |amounts| (1 without losses); it dips below zero where clients lose. Twice the
    area between it and the straight line from its start to its end is `gini`. All zero: flat at 0.
    """
    y = np.sort(np.asarray(amounts, dtype=np.float64), axis=-1)
    total = np.abs(y).sum(axis=-1, keepdims=True)
    steps = np.divide(y, total, out=np.zeros_like(y), where=total > 0)
    start = np.zeros((*y.shape[:-1], 1))
    return np.concatenate([start, np.cumsum(steps, axis=-1)], axis=-1)


@dataclass(frozen=True, eq=False)
class Inequality:
    """Lorenz curves ``[methods, m + 1]`` (mean over seeds) at ``population`` ``[m + 1]``, Gini ``[methods, seeds]``."""

    methods: tuple[str, ...]
    population: Real
    curves: Real
    gini: Real

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Under which methods nobody has any utility ``[methods]``: then there is nothing to spread."""
        return np.asarray(np.abs(self.curves).max(axis=1) == 0)


def inequality(run: Run) -> Inequality:
    """Return how evenly each method spreads utility over clients (utility over the run)."""
    utilities = [client_utility(run, m) for m in run.methods]
    return Inequality(
        run.methods,
        np.linspace(0.0, 1.0, run.clients + 1),
        np.stack([lorenz(u).mean(axis=0) for u in utilities]),
        np.stack([gini(u) for u in utilities]),
    )


def regret(run: Run, coordinate: str = "cost") -> dict[str, float]:
    """Return the largest gain found by lying about a coordinate, money, for each method where somebody reports it."""
    found = {m: run.audit.methods[m].lies.get(coordinate) for m in run.methods}
    return {m: lie.gain for m, lie in found.items() if lie is not None}
