"""Best-response dynamics: agent after agent reports what serves it best, until nobody moves or play circles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats
from mechanism.tolerance import MONEY
from proofs_checks.play.game import Ints, Play

ROUNDS = 60
"""Rounds of play at most, each agent moving once in a round."""


@dataclass(frozen=True, eq=False)
class Reached:
    """What play comes to: Q states with weights that sum to 1 in each of B games.

    ``reports`` ``[Q, n]``, ``games`` ``[Q]`` the game of each state, ``weights`` ``[Q]``.
    """

    reports: Floats
    games: Ints
    weights: Floats

    def mean(self, values: Floats, games: int) -> Floats:
        """Return the weighted mean per game ``[B, …]`` of values per state ``[Q, …]``."""
        total = np.zeros((games, *values.shape[1:]))
        np.add.at(total, self.games, values * self.weights.reshape(-1, *[1] * (values.ndim - 1)))
        return total


@dataclass(frozen=True, eq=False)
class BestResponses:
    """Where best-response dynamics ended.

    ``reports`` ``[B, n]``: the last reports. ``settled`` ``[B]``: nobody moved any more, a Nash equilibrium in the
    reports considered. ``cycle`` ``[B]``: rounds until the same reports came back (1 where settled, 0 where the rounds
    ran out first). ``rounds``: rounds played. ``reached``: the equilibrium, or each state of the cycle with equal
    weight, or the last reports. ``deviations``: reports considered in all.
    """

    reports: Floats
    settled: NDArray[np.bool_]
    cycle: Ints
    rounds: int
    reached: Reached
    deviations: int


def best_report(payoffs: Floats, candidates: Floats, truth: Floats) -> tuple[Ints, Floats]:
    """Return which of the candidates ``[B, q]`` is best by payoffs ``[B, q]``, and that payoff, ``[B]`` each.

    Payoffs closer than the tolerance for money are equal; of equals the nearest to the truth ``[B]``, then the first.
    """
    scale = np.maximum(1.0, np.abs(payoffs).max(axis=1, keepdims=True))
    good = payoffs >= payoffs.max(axis=1, keepdims=True) - MONEY * scale
    pick = np.argmin(np.where(good, np.abs(candidates - truth[:, None]), np.inf), axis=1)
    return pick, payoffs[np.arange(len(pick)), pick]


def best_responses(
    play: Play, rounds: int = ROUNDS, start: Floats | None = None, progress: Callable[[int, int], None] | None = None
) -> BestResponses:
    """Play best responses in the order of the agents, from the truth (or ``start`` ``[B, n]``).

    In each round every agent in turn reports what serves it best against the others' present reports.
    """
    now = np.array(play.truth if start is None else start, dtype=np.float64)
    history = [now.copy()]
    active = np.arange(play.games)
    cycle = np.zeros(play.games, dtype=np.intp)
    played = tried = 0
    while played < rounds and active.size:
        played += 1
        for agent in np.flatnonzero(play.mechanism.space.private[:, play.at]):
            said = play.candidates(now[active], int(agent), active)
            payoffs = play.payoffs(now[active], int(agent), said, active)
            tried += payoffs.size
            pick, _ = best_report(payoffs, said, play.truth[active, agent])
            now[active, agent] = said[np.arange(len(active)), pick]
        for back, before in enumerate(reversed(history), start=1):
            same = (before[active] == now[active]).all(axis=1) & (cycle[active] == 0)
            cycle[active[same]] = back
        history.append(now.copy())
        active = active[cycle[active] == 0]
        if progress is not None:
            progress(played, rounds)
    return BestResponses(now, cycle == 1, cycle, played, _reached(history, cycle), tried)


def _reached(history: list[Floats], cycle: Ints) -> Reached:
    """Return the states of each game's cycle; games that were done stand still in the history from then on."""
    reports, games, weights = [], [], []
    end = len(history) - 1
    for game, length in enumerate(cycle):
        last = next((k for k in range(end, 0, -1) if (history[k - 1][game] != history[k][game]).any()), 0)
        for k in range(last, last - max(1, int(length)), -1):
            reports.append(history[k][game])
            games.append(game)
            weights.append(1.0 / max(1, int(length)))
    return Reached(np.array(reports), np.array(games, dtype=np.intp), np.array(weights))
