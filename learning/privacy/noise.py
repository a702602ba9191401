"""How much noise a budget asks for: the least noise multiplier of each client, sought from client to client.

ε falls as the noise σ grows and grows with the sampling rate q, so log σ is a smooth rising function of log q: the
search for one rate starts where the two before it point. Each look is a composition of `learning.privacy.accounting`,
on a coarser grid than the one on which ε is told; the σ found is checked on that one.
"""

import logging
import math
from collections.abc import Callable, Iterable
from functools import lru_cache

from learning.errors import LearningError
from learning.privacy import LARGEST_EPSILON
from learning.privacy.accounting import Row, composed, epsilon, interval

log = logging.getLogger(__name__)
"""Says at level INFO how far the search is: it takes about a third of a second for each sampling rate."""

_LOWEST, _HIGHEST = -3.0, 7.0
_SLACK = 5e-4


def noises_for(target: float, delta: float, rates: Iterable[float], steps: int) -> dict[float, float]:
    """Return for each of ``rates`` a noise multiplier σ with which ``steps`` steps spend at most ε = ``target``.

    And hardly less: σ is about 0.1 % above the least, at least 0.05. The same rates give the same σ, in whatever order.
    `LearningError` if even σ = 1000 spends more, or the target is outside (0, `LARGEST_EPSILON`].
    """
    if not 0 < target <= LARGEST_EPSILON:
        raise LearningError(f"the target is {target:g}; expected an epsilon above 0 and at most {LARGEST_EPSILON:g}")
    ordered = tuple(sorted(set(rates)))
    return dict(zip(ordered, _noises(target, delta, ordered, steps), strict=True))


@lru_cache(maxsize=64)
def _noises(target: float, delta: float, rates: tuple[float, ...], steps: int) -> tuple[float, ...]:
    found: list[float] = []  # logarithms of σ
    for k, rate in enumerate(rates):
        log.info("choosing the noise, %d of %d", k + 1, len(rates))
        guess = found[-1] if found else 0.0
        if k > 1:
            x, y, z = (math.log(rates[i]) for i in (k - 2, k - 1, k))
            guess += (found[-1] - found[-2]) * (z - y) / (y - x)
        found.append(_least(target, delta, rate, steps, min(_HIGHEST, max(_LOWEST, guess))))
    return tuple(map(math.exp, found))


def _least(target: float, delta: float, rate: float, steps: int, guess: float) -> float:
    """Return the logarithm of σ for one rate, from where it is guessed to be."""
    coarser = 2.0 ** (1 + round(0.5 * math.log2(target))) if target >= 1 else 1.0

    def rows(log_noise: float) -> tuple[Row, ...]:
        return ((rate, math.exp(log_noise), steps),)

    def excess(log_noise: float) -> float:
        trial = rows(log_noise)
        grid = coarser * interval(trial)
        return min(3.0, max(-3.0, math.log(max(composed(trial, delta, grid), 1e-12) / target)))

    low, high = _bracket(excess, guess)
    if high is None:
        raise LearningError(
            f"no noise brings {steps} steps at sampling rate {rate:g} to epsilon {target:g} at delta {delta:g}; "
            "take fewer steps, a smaller batch or a larger epsilon"
        )
    chosen = high[0] if low is None else _narrow(excess, low, high)
    more = 1e-4
    while epsilon(rows(chosen), delta) > target:
        chosen, more = chosen + more, 2.0 * more
    return chosen


Point = tuple[float, float]


def _bracket(excess: Callable[[float], float], guess: float) -> tuple[Point | None, Point | None]:
    """Return points with too little noise (None: any is enough) and with enough (None: none is), near each other.

    If ε fell as 1/σ, ``excess`` would fall by as much as log σ grows: it falls faster, so few steps are enough.
    """
    here = (guess, excess(guess))
    stretch = 1.0
    if here[1] > 0:
        while here[1] > 0:
            low = here
            if low[0] >= _HIGHEST:
                return low, None
            x = min(_HIGHEST, low[0] + min(1.0, stretch * (low[1] + _SLACK)))
            here, stretch = (x, excess(x)), 2.0 * stretch
        return low, here
    while here[1] <= 0:
        high = here
        if high[0] <= _LOWEST:
            return None, high
        x = max(_LOWEST, high[0] - min(1.0, stretch * (_SLACK - high[1])))
        here, stretch = (x, excess(x)), 2.0 * stretch
    return here, high


def _narrow(excess: Callable[[float], float], low: Point, high: Point) -> float:
    """Return log σ with an excess of −5e-4 to 0, by false position; every third time the middle is tried."""
    count = 0
    while high[1] < -_SLACK and high[0] - low[0] > _SLACK:
        count += 1
        share = 0.5 if count % 3 == 0 else (low[1] + 0.5 * _SLACK) / (low[1] - high[1])
        x = low[0] + (high[0] - low[0]) * min(0.98, max(0.02, share))
        y = excess(x)
        low, high = ((x, y), high) if y > 0 else (low, (x, y))
    return high[0]
