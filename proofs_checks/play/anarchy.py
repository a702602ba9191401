"""What strategic play does to welfare and payments: the price of anarchy, with its interval, beside the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.tolerance import MONEY
from proofs_checks.engine.cases import answer, payments, utilities
from proofs_checks.play.dynamics import Reached
from proofs_checks.play.game import CHUNK, Play

CONFIDENCE = 0.95
RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class Ratio:
    """A ratio of sums over games: ``value``, and the ends ``low`` and ``high`` of its bootstrap interval.

    1 where nothing could be had and nothing was lost, infinite where what could be had was lost altogether.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Anarchy:
    """Welfare, payments and utilities in B games, if all are truthful and as they are played.

    ``utility_truthful``, ``utility`` ``[B, n]``; ``paid_truthful``, ``paid`` ``[B, n]``: to the centre;
    ``welfare_truthful``, ``welfare``, ``optimum`` ``[B]`` at the true types, None where the mechanism does not say what
    welfare is, or what is feasible. ``price``: price of anarchy, optimum / welfare (where welfare is a cost: cost /
    least cost), at least 1 but for rounding; ``price_truthful`` the same if all are truthful.
    """

    utility_truthful: Floats
    utility: Floats
    paid_truthful: Floats
    paid: Floats
    welfare_truthful: Floats | None
    welfare: Floats | None
    optimum: Floats | None
    price: Ratio | None
    price_truthful: Ratio | None


def anarchy(play: Play, reached: Reached, seed: int = 0) -> Anarchy:
    """Account for what was reached at the true types; the interval resamples the games, by this seed."""
    mechanism, games = play.mechanism, play.games
    truth = _accounts(mechanism, play.types, play.types)
    played = [
        None if part is None else reached.mean(part, games)
        for part in _accounts(mechanism, play.types[reached.games], play.profiles(reached.reports, reached.games))
    ]
    optimum = None
    if (
        truth[2] is not None
        and hasattr(mechanism, "optimal_welfare")
        and getattr(mechanism, "optimum", True) is not None
    ):
        optimum = _in_parts(mechanism.optimal_welfare, play.types)
    price = price_truthful = None
    if optimum is not None and played[2] is not None and truth[2] is not None:
        price = price_of_anarchy(played[2], optimum, seed)
        price_truthful = price_of_anarchy(truth[2], optimum, seed)
    assert truth[0] is not None
    assert truth[1] is not None
    assert played[0] is not None
    assert played[1] is not None
    return Anarchy(truth[0], played[0], truth[1], played[1], truth[2], played[2], optimum, price, price_truthful)


def price_of_anarchy(welfare: Floats, optimum: Floats, seed: int = 0) -> Ratio:
    """Return optimum / welfare, summed over games ``[B]``, with a bootstrap interval (percentiles).

    Where the optimum is a cost (negative welfare) the ratio is that of the costs, again at least 1.
    """
    rng = np.random.default_rng([seed, 3])
    rows = rng.integers(0, len(welfare), (RESAMPLES, len(welfare)))
    many = _ratio(welfare[rows].sum(axis=1), optimum[rows].sum(axis=1))
    low, high = np.percentile(many, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)], method="nearest")
    return Ratio(float(_ratio(welfare.sum(), optimum.sum())), float(low), float(high))


def _ratio(reached: Floats, best: Floats) -> Floats:
    small = MONEY * np.maximum(1.0, np.abs(best))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(best > small, np.where(reached > 0.0, best / reached, np.inf), reached / best)
    lost = best - reached > small
    return np.asarray(np.where(np.abs(best) <= small, np.where(lost, np.inf, 1.0), ratio))


def _accounts(mechanism: DirectMechanism, types: Floats, reports: Floats) -> tuple[Floats, Floats, Floats | None]:
    """Return utilities and payments ``[Q, n]``, and welfare ``[Q]`` where there is such a thing."""
    parts: list[tuple[Floats, Floats, Floats]] = []
    known = hasattr(mechanism, "welfare")
    for start in range(0, len(types), CHUNK):
        true, outcome = types[start : start + CHUNK], answer(mechanism, reports[start : start + CHUNK])
        value = _welfare(mechanism, true, outcome) if known else np.zeros(len(true))
        parts.append((utilities(mechanism, true, outcome), payments(mechanism, true, outcome), value))
    utility, paid, welfare = (np.concatenate(column) for column in zip(*parts, strict=True))
    return utility, paid, welfare if known else None


def _welfare(mechanism: DirectMechanism, types: Floats, outcome: Any) -> Floats:
    return np.asarray(mechanism.welfare(types, outcome), dtype=np.float64)  # type: ignore[attr-defined]


def _in_parts(function: Callable[[Floats], Floats], types: Floats) -> Floats:
    parts = (types[start : start + CHUNK] for start in range(0, len(types), CHUNK))
    return np.concatenate([np.asarray(function(part), dtype=np.float64) for part in parts])
