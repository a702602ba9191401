"""What a run has spent: ε of each client, composed from the privacy losses of its steps.

One step releases the sum of clipped gradients of a Poisson sample with Gaussian noise. Its privacy loss distribution is
computed by dp-accounting for neighbours that differ by one sample added or removed, and composed as often as there were
steps (Koskela et al., AISTATS 2020; Doroshenko et al., Connect the Dots, PoPETs 2022). Every rounding is upwards, so ε
is an upper bound. The grid on which it is rounded is as coarse as leaves ε right to about 3e-4; where privacy losses
are in hundreds it is coarser, as nothing hangs on their last digits.
"""

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
    """The steps that a client has trained, and the ε that they add up to at ``delta``.

    ``rate`` is the client's sampling rate in (0, 1], ``noise_multiplier`` σ > 0 the standard deviation of the noise in
    units of the clipping norm. A client who trains two models on its samples in a round, as in Ditto, records the steps
    of both. `rows` gives all there is to know as plain numbers, `restore` takes them back.

    >>> ledger = Ledger(1.0, 1e-5, 0.1)
    >>> ledger.epsilon()
    0.0
    >>> ledger.record(20)
    >>> round(ledger.epsilon(), 2)
    3.59
    """

    def __init__(self, noise_multiplier: float, delta: float, rate: float) -> None:
        _check(delta, [(rate, noise_multiplier, 1)])
        self.delta, self._mine = float(delta), (float(rate), float(noise_multiplier))
        self._spent: dict[tuple[float, float], int] = {}
        self._brackets: dict[tuple[Any, ...], tuple[float, float]] = {}

    def _of(self, more: int = 0) -> tuple[Row, ...]:
        """Return what has been spent, with so many further steps, in an order that depends on nothing else."""
        if more < 0:
            raise LearningError(f"steps are {more}; expected at least 0")
        spent = dict(self._spent)
        if more:
            spent[self._mine] = spent.get(self._mine, 0) + more
        return tuple(sorted((rate, noise, steps) for (rate, noise), steps in spent.items()))

    def _apart(self, more: int) -> tuple[tuple[Row, ...], int]:
        """Return what was spent at another rate or noise, and the steps at this one, further ones included."""
        rows = self._of(more)
        own = [steps for rate, noise, steps in rows if (rate, noise) == self._mine]
        return tuple(row for row in rows if row[:2] != self._mine), sum(own)

    def record(self, steps: int) -> None:
        """Add ``steps`` private steps: record them before anybody sees what they made."""
        self._spent = {(rate, noise): count for rate, noise, count in self._of(steps)}

    def epsilon(self, steps: int = 0) -> float:
        """Return ε at δ after ``steps`` further steps; 0 before the first step, ∞ if no ε is enough."""
        return epsilon(self._of(steps), self.delta)

    def would_exceed(self, steps: int, budget: float) -> bool:
        """Say whether ``steps`` further steps would bring ε above ``budget``; ask before a round.

        Exact: the same as ``epsilon(steps) > budget``. Steps known to fit and not to fit are remembered, so that asking
        every round composes anew only a few times in a run.
        """
        if math.isnan(budget) or budget < 0:
            raise LearningError(f"the budget is {budget}; expected an epsilon of at least 0")
        others, wanted = self._apart(steps)
        fits, exceeds = self._brackets.get((others, budget), (-1.0, math.inf))
        while fits < wanted < exceeds:
            probe = max(1, 2 * wanted) if exceeds == math.inf else (wanted + int(exceeds)) // 2
            fits, exceeds = self._tried(others, probe, budget)
        return wanted >= exceeds

    def foresee(self, steps: int, budget: float) -> bool:
        """Say whether ``steps`` further steps fit the budget, and remember it: fewer then need no composition."""
        others, wanted = self._apart(steps)
        return wanted <= self._tried(others, wanted, budget)[0]

    def _tried(self, others: tuple[Row, ...], steps: int, budget: float) -> tuple[float, float]:
        """Compose so many steps of this rate with the ``others``; return the most known to fit, the fewest not to."""
        fits, exceeds = self._brackets.get((others, budget), (-1.0, math.inf))
        rows = tuple(sorted((*others, (*self._mine, steps)))) if steps else others
        if epsilon(rows, self.delta) <= budget:
            fits = max(fits, float(steps))
        else:
            exceeds = min(exceeds, float(steps))
        self._brackets[others, budget] = fits, exceeds
        return fits, exceeds

    def rows(self) -> list[dict[str, float | int]]:
        """Return the ledger as plain numbers: one entry {rate, noise, steps} per kind of step."""
        return [{"rate": rate, "noise": noise, "steps": steps} for rate, noise, steps in self._of()]

    def restore(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace what has been spent by recorded `rows`; the ε that follow are the same to the bit."""
        spent: dict[tuple[float, float], int] = {}
        for row in rows:
            if not isinstance(row, Mapping) or set(row) != {"rate", "noise", "steps"}:
                raise LearningError("a row of the privacy ledger is damaged; expected rate, noise and steps")
            steps = row["steps"]
            if not isinstance(steps, int) or isinstance(steps, bool):
                raise LearningError(f"the privacy ledger has {steps!r} steps; expected a whole number")
            _check(self.delta, [(row["rate"], row["noise"], steps)])
            key = (float(row["rate"]), float(row["noise"]))
            spent[key] = spent.get(key, 0) + steps
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
