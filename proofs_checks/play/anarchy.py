"""What strategic play does to welfare and payments: the price of anarchy, with its interval, beside the truth.

The price of anarchy compares the optimum with equilibria only. Of a game that has several the textbook takes the worst
(Koutsoupias, Papadimitriou, Worst-case equilibria, 1999); play from the truth reaches one of them, so that the ratio
there is a lower bound on the textbook's (`worst_equilibria` looks for worse ones). Games in which play does
not settle have no place in it.

A few random starts find some of the others, never all: the worst one found is a lower bound. Indifferent agents move to
the report nearest to the truth (`best_report`), so that equilibria which hold only because nobody minds lying are
passed over.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mechanism.direct import DirectMechanism, Floats
from mechanism.market.accounting import MONEY
from proofs_checks.play.dynamics import ROUNDS, BestResponses, Reached, best_responses
from proofs_checks.play.game import Play, chunks
from proofs_checks.search.cases import answer, part, payments, utilities

CONFIDENCE = 0.95
RESAMPLES = 2000
FEWEST = 10
"""Fewest independent draws (games, or groups of games) that an interval is told of."""


@dataclass(frozen=True)
class Price:
    """A ratio of sums over ``games`` games, optimum / welfare, and the ends of its bootstrap interval.

    1 where nothing could be had and nothing was lost; infinite, which is None, where what could be had was lost
    altogether. ``low``, ``high``, their ``confidence`` and what is ``resampled`` are None where there are fewer than
    `FEWEST` independent draws.
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float | None
    games: int
    resampled: str | None


@dataclass(frozen=True, eq=False)
class Anarchy:
    """Welfare, payments and utilities in B games, if all are truthful and as they are played.

    ``utility_truthful``, ``utility`` ``[B, n]``; ``paid_truthful``, ``paid`` ``[B, n]``: to the centre;
    ``welfare_truthful``, ``welfare``, ``optimum`` ``[B]`` at the true types, None where the mechanism does not say what
    welfare is, or what is feasible.
    """

    utility_truthful: Floats
    utility: Floats
    paid_truthful: Floats
    paid: Floats
    welfare_truthful: Floats | None
    welfare: Floats | None
    optimum: Floats | None


def anarchy(play: Play, reached: Reached) -> Anarchy:
    """Account for what was reached at the true types."""
    mechanism, games = play.mechanism, play.games
    truth = accounts(mechanism, play.types, play.types)
    states = accounts(mechanism, play.types[reached.games], play.profiles(reached.reports, reached.games))
    utility, paid = (reached.mean(part, games) for part in states[:2])
    welfare = None if states[2] is None else reached.mean(states[2], games)
    optimum = None
    if truth[2] is not None and hasattr(mechanism, "optimal_welfare") and getattr(mechanism, "optimum", 0) is not None:
        parts = [part(mechanism, "optimal_welfare", t, t, shape=(len(t),)) for t in chunks(play.types)]
        optimum = np.concatenate(parts, dtype=np.float64)
    return Anarchy(truth[0], utility, truth[1], paid, truth[2], welfare, optimum)


def price_of_anarchy(
    welfare: Floats, optimum: Floats, seed: int = 0, groups: ArrayLike | None = None, resampled: str = "true profiles"
) -> Price:
    """Return optimum / welfare, summed over games ``[B]``, with a bootstrap interval (percentiles).

    Where the optimum is a cost (negative welfare) the ratio is that of the costs, again at least 1. ``welfare``,
    ``optimum``: of games that settled, at least one. ``seed``: which resamples are drawn. ``groups``: to which group
    each game belongs, ``[B]`` (default: each to its own). Groups are resampled whole: games of one group need not be
    independent of one another. ``resampled``: what a group is called.
    """
    names, of = np.unique(np.arange(len(welfare)) if groups is None else np.asarray(groups), return_inverse=True)
    had, best = (np.bincount(of, weights=part, minlength=len(names)) for part in (welfare, optimum))
    value = _finite(_ratio(welfare.sum(), optimum.sum()))
    if len(names) < FEWEST:
        return Price(value, None, None, None, len(welfare), None)
    rows = np.random.default_rng([seed, 3]).integers(0, len(names), (RESAMPLES, len(names)))
    many = _ratio(had[rows].sum(axis=1), best[rows].sum(axis=1))
    low, high = np.percentile(many, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)], method="nearest")
    return Price(value, _finite(low), _finite(high), CONFIDENCE, len(welfare), resampled)


def _finite(value: ArrayLike) -> float | None:
    return float(value) if np.isfinite(value) else None  # type: ignore[arg-type]


def _ratio(reached: Floats, best: Floats) -> Floats:
    small = MONEY * np.maximum(1.0, np.abs(best))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(best > small, np.where(reached > 0.0, best / reached, np.inf), reached / best)
    lost = best - reached > small
    return np.asarray(np.where(np.abs(best) <= small, np.where(lost, np.inf, 1.0), ratio))


def accounts(mechanism: DirectMechanism, types: Floats, reports: Floats) -> tuple[Floats, Floats, Floats | None]:
    """Return utilities and payments ``[Q, n]``, and welfare ``[Q]`` where there is such a thing."""
    parts: list[tuple[Floats, Floats, Floats]] = []
    known = hasattr(mechanism, "welfare")
    for true, said in zip(chunks(types), chunks(reports), strict=True):
        outcome = answer(mechanism, said)
        value = part(mechanism, "welfare", true, true, outcome, shape=(len(true),)) if known else np.zeros(len(true))
        parts.append((utilities(mechanism, true, outcome), payments(mechanism, true, outcome), value))
    utility, paid, welfare = (np.concatenate(column) for column in zip(*parts, strict=True))
    return utility, paid, welfare if known else None


STARTS = 4

MOST_TRIED = 1 << 22
"""No further start is tried once so many reports were considered."""


@dataclass(frozen=True, eq=False)
class Worst:
    """The worst equilibrium found in each of B games.

    ``welfare`` ``[B]``: its welfare at the true types, not a number where none was found; ``found`` ``[B]``: whether
    one was. ``starts``: random starts that were played, besides the truth. ``deviations``: reports considered.
    """

    welfare: Floats
    found: NDArray[np.bool_]
    starts: int
    deviations: int


def worst_equilibria(
    play: Play,
    known: BestResponses,
    rounds: int = ROUNDS,
    starts: int = STARTS,
    seed: int = 0,
) -> Worst:
    """Play best responses from random reports and keep the equilibrium of lowest welfare, ``known`` ones among them.

    Each start draws every agent's report evenly among its ``play.options``; the same seed, the same starts. The
    mechanism must say what welfare is.
    """
    welfare = np.full(play.games, np.inf)
    _lower(welfare, play, known)
    tried = played = 0
    for start in range(starts):
        if tried + known.deviations > MOST_TRIED:
            break
        rng = np.random.default_rng([seed, 4, start])
        b, n, r = play.options.shape
        said = np.take_along_axis(play.options, rng.integers(0, r, (b, n, 1)), axis=2)[..., 0]
        done = best_responses(play, rounds, said)
        _lower(welfare, play, done)
        tried, played = tried + done.deviations, played + 1
    found = np.isfinite(welfare)
    return Worst(np.where(found, welfare, np.nan), found, played, tried)


def _lower(welfare: Floats, play: Play, done: BestResponses) -> None:
    games = np.flatnonzero(done.settled)
    if not games.size:
        return
    at = accounts(play.mechanism, play.types[games], play.profiles(done.reports[games], games))[2]
    assert at is not None
    welfare[games] = np.minimum(welfare[games], at)
