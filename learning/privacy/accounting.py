"""What a run has spent: ε of each client, composed from the privacy losses of its steps.

One step releases the sum of clipped gradients of a Poisson sample with Gaussian noise. Its privacy loss distribution is
computed by dp-accounting for neighbours that differ by one sample added or removed, and composed as often as there were
steps (Koskela et al., AISTATS 2020; Doroshenko et al., Connect the Dots, PoPETs 2022). Every rounding is upwards, so ε
is an upper bound. The grid on which it is rounded is as coarse as leaves ε right to about 3e-4; where privacy losses
are in hundreds it is coarser, as nothing hangs on their last digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from learning.errors import LearningError

Row = tuple[float, float, int]
"""(sampling rate, noise multiplier, steps)."""

_INTERVAL = 1e-4
_COARSEST = 1.0
_POINTS = 2.5e5
_ERROR = 2e-4
_STEPS = 10**12


def sampling_rate(batch: int, samples: int) -> float:
    """Return with which probability each of ``samples`` enters a step's batch: batch / samples, at most 1."""
    if batch < 1 or samples < 1:
        raise LearningError(f"batch is {batch} and samples are {samples}; expected at least 1 of each")
    return min(1.0, batch / samples)


def default_delta(sizes: Iterable[int]) -> float:
    """Return δ for clients with so many samples: 1e-5, or 1 / (10 n) of the largest if that is less.

    A mechanism that publishes one sample in n at random has δ = 1/n and ε = 0; δ must be well below that.
    """
    return min(1e-5, *(1.0 / (10.0 * max(1, n)) for n in sizes))


class Ledger:
    """The steps that every client has trained, and the ε that they add up to at ``delta``.

    ``rates[i]`` is client i's sampling rate in (0, 1], ``noise_multiplier`` σ > 0 the standard deviation of the noise
    in units of the clipping norm. A client who trains two models on its samples in a round, as in Ditto, records the
    steps of both. `rows` gives all there is to know as plain numbers, `restore` takes them back.

    >>> ledger = Ledger(1.0, 1e-5, [0.1, 0.01])
    >>> ledger.record(0, 20)
    >>> round(ledger.epsilon(0), 2), ledger.epsilon(1)
    (3.59, 0.0)
    """

    def __init__(self, noise_multiplier: float, delta: float, rates: Sequence[float]) -> None:
        _check(delta, [(rate, noise_multiplier, 1) for rate in rates])
        self.noise_multiplier, self.delta, self.rates = float(noise_multiplier), float(delta), tuple(map(float, rates))
        self._spent: dict[int, dict[tuple[float, float], int]] = {client: {} for client in range(len(self.rates))}
        self._brackets: dict[tuple[Any, ...], tuple[float, float]] = {}

    def _of(self, client: int, more: int = 0) -> tuple[Row, ...]:
        """Return what the client has spent, with so many further steps, in an order that depends on nothing else."""
        if client not in self._spent:
            raise LearningError(
                f"there is no client {client} in the ledger; expected one of 0 to {len(self.rates) - 1}"
            )
        if more < 0:
            raise LearningError(f"steps are {more}; expected at least 0")
        spent = dict(self._spent[client])
        if more:
            key = (self.rates[client], self.noise_multiplier)
            spent[key] = spent.get(key, 0) + more
        return tuple(sorted((rate, noise, steps) for (rate, noise), steps in spent.items()))

    def record(self, client: int, steps: int) -> None:
        """Add ``steps`` private steps of a client: record them before anybody sees what they made."""
        rows = self._of(client, steps)
        self._spent[client] = {(rate, noise): count for rate, noise, count in rows}

    def epsilon(self, client: int, steps: int = 0) -> float:
        """Return the client's ε at δ after ``steps`` further steps; 0 before the first step, ∞ if no ε is enough."""
        return epsilon(self._of(client, steps), self.delta)

    def would_exceed(self, client: int, steps: int, budget: float) -> bool:
        """Say whether ``steps`` further steps would bring the client's ε above ``budget``; ask before a round.

        Exact: the same as ``epsilon(client, steps) > budget``. Steps known to fit and not to fit are remembered, so
        that asking every round composes anew only a few times in a run.
        """
        if math.isnan(budget) or budget < 0:
            raise LearningError(f"the budget is {budget}; expected an epsilon of at least 0")
        mine = (self.rates[client], self.noise_multiplier) if client in self._spent else (0.0, 0.0)
        rows = self._of(client, steps)
        others = tuple(row for row in rows if row[:2] != mine)
        wanted = next((count for rate, noise, count in rows if (rate, noise) == mine), 0)
        key = (mine, others, budget)
        fits, exceeds = self._brackets.get(key, (-1.0, math.inf))
        while fits < wanted < exceeds:
            probe = max(1, 2 * wanted) if exceeds == math.inf else (wanted + int(exceeds)) // 2
            if epsilon(tuple(sorted((*others, (*mine, probe)))) if probe else others, self.delta) <= budget:
                fits = float(probe)
            else:
                exceeds = float(probe)
        self._brackets[key] = (fits, exceeds)
        return wanted >= exceeds

    def foresee(self, client: int, steps: int, budget: float) -> bool:
        """Say whether ``steps`` further steps fit the budget, and remember it: fewer then need no composition."""
        mine = (self.rates[client], self.noise_multiplier) if client in self._spent else (0.0, 0.0)
        rows = self._of(client, steps)
        fits = epsilon(rows, self.delta) <= budget
        others = tuple(row for row in rows if row[:2] != mine)
        wanted = float(next((count for rate, noise, count in rows if (rate, noise) == mine), 0))
        key = (mine, others, budget)
        most, least = self._brackets.get(key, (-1.0, math.inf))
        self._brackets[key] = (max(most, wanted), least) if fits else (most, min(least, wanted))
        return fits

    def rows(self) -> list[dict[str, float | int]]:
        """Return the ledger as plain numbers: one entry {client, rate, noise, steps} per kind of step of a client."""
        return [
            {"client": client, "rate": rate, "noise": noise, "steps": steps}
            for client in self._spent
            for rate, noise, steps in self._of(client)
        ]

    def restore(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace what has been spent by recorded `rows`; the ε that follow are the same to the bit."""
        spent: dict[int, dict[tuple[float, float], int]] = {client: {} for client in range(len(self.rates))}
        for row in rows:
            if not isinstance(row, Mapping) or set(row) != {"client", "rate", "noise", "steps"}:
                raise LearningError("a row of the privacy ledger is damaged; expected client, rate, noise and steps")
            client, steps = row["client"], row["steps"]
            if not all(isinstance(v, int) and not isinstance(v, bool) for v in (client, steps)) or client not in spent:
                raise LearningError(
                    f"the privacy ledger has client {client!r} with {steps!r} steps; expected whole numbers and "
                    f"clients from 0 to {len(self.rates) - 1}"
                )
            _check(self.delta, [(row["rate"], row["noise"], steps)])
            key = (float(row["rate"]), float(row["noise"]))
            spent[client][key] = spent[client].get(key, 0) + steps
        self._spent = spent


def _check(delta: float, rows: Iterable[Row]) -> None:
    values: list[tuple[str, Any, float, float]] = [("delta", delta, 0.0, 1.0)]
    for rate, noise, steps in rows:
        values += [("the sampling rate", rate, 0.0, math.nextafter(1.0, 2.0)), ("the noise multiplier", noise, 0, 1e6)]
        if not 1 <= steps <= _STEPS:
            raise LearningError(f"steps are {steps}; expected an integer from 1 to {_STEPS}")
    for name, value, low, high in values:
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if not numeric or not low < value < high:
            raise LearningError(f"{name} is {value!r}; expected a number greater than {low:g} and below {high:g}")


def interval(rows: tuple[Row, ...]) -> float:
    """Return the grid of privacy losses on which to compose: 1e-4 times a power of 2, ∞ where losses are in millions.

    Rounding on a grid of interval h adds to ε about h² a step (measured: 0.01 to 1.2 h²), so h = √(2e-4 / steps)
    adds less than 3e-4, where ε is below 1 less than 3e-4 of it; but there are never more than half a million points.
    A mean loss is at most the Rényi divergence of order 2, log(1 + q² (e^{1/σ²} − 1)) a step (Mironov 2017).
    """
    mean, one, count = 0.0, 0.0, 0
    for rate, noise, steps in rows:
        exponent = (1.0 / noise) * (1.0 / noise)
        divergence = exponent if exponent > 700 else min(exponent, math.log1p(rate**2 * math.expm1(exponent)))
        mean += steps * divergence
        one = max(one, 0.5 * exponent + 10.0 / noise)
        count += steps
    deviation = math.sqrt(2.0 * mean)
    wanted = max(
        math.sqrt(_ERROR * min(1.0, mean + 4.0 * deviation) ** 2 / count), (mean + 12.0 * deviation + one) / _POINTS
    )
    if wanted > _COARSEST:
        return math.inf
    return float(_INTERVAL * 2.0 ** math.floor(math.log2(wanted / _INTERVAL)))


@lru_cache(maxsize=128)
def _step(rate: float, noise: float, interval: float) -> Any:
    """Return the privacy loss distribution of one step."""
    try:
        from dp_accounting.pld import privacy_loss_distribution  # type: ignore[import-untyped]
    except ImportError as error:
        raise LearningError("accounting for privacy needs dp-accounting: pip install dp-accounting") from error

    return privacy_loss_distribution.from_gaussian_mechanism(
        noise, value_discretization_interval=interval, sampling_prob=rate
    )


def epsilon(rows: tuple[Row, ...], delta: float) -> float:
    """Return the least ε for which the composition of ``rows`` of (rate, noise, steps) is (ε, δ)-private.

    0 for no rows; ∞ where δ is below what truncation leaves undecided, or ε beyond what numbers hold (some 700).
    """
    _check(delta, rows)
    return composed(rows, delta, interval(rows)) if rows else 0.0


@lru_cache(maxsize=4096)
def composed(rows: tuple[Row, ...], delta: float, grid: float) -> float:
    """Return ε as `epsilon` does, on a grid of that interval: an upper bound on any."""
    if grid == math.inf:
        return math.inf
    with np.errstate(all="ignore"):  # e^-loss leaves the numbers: what comes out then is no ε, and told as ∞
        whole: Any = None
        for rate, noise, steps in rows:
            part = _step(rate, noise, grid).self_compose(steps)
            whole = part if whole is None else whole.compose(part)
        found = float(whole.get_epsilon_for_delta(delta))
    return math.inf if math.isnan(found) else max(0.0, found)
