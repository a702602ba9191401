"""How agents come to report what they report: best-response dynamics, and regret matching.

Best responses: agent after agent reports what serves it best, until nobody moves or play circles.

Regret matching: agents move towards what they wish they had reported, and play approaches correlated equilibrium. The
variant with an invariant distribution, of Hart and Mas-Colell, A simple adaptive procedure leading to correlated
equilibrium, Econometrica 2000: D(j, k) is how much more an agent would have had by reporting k whenever it reported j,
on average over the periods so far. It draws its next report from the distribution q that its positive regrets leave as
it is: sum_j q_j D(j, k)+ = q_k sum_j D(k, j)+. Then all D(j, k)+ go to zero like 1/sqrt(T), and the distribution of
play to the set of correlated equilibria.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats
from mechanism.market.accounting import MONEY
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


PERIODS = 1000

_TABLE = 1 << 18  # joint reports of all games that are answered once and for all
_MIX = 1e-9  # keeps the invariant distribution unique where regrets fall apart into classes


@dataclass(frozen=True, eq=False)
class Matched:
    """What regret matching came to after T periods.

    ``reached``: the empirical distribution of play in each game. ``external`` ``[B, n]``: how much more the best single
    report would have given per period; ``conditional`` ``[B, n]``: the largest D(j, k). ``periods``; ``deviations``:
    reports considered.
    """

    reached: Reached
    external: Floats
    conditional: Floats
    periods: int
    deviations: int


def regret_matching(
    play: Play, periods: int = PERIODS, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> Matched:
    """Play so many periods from the truth; the same seed, the same play.

    Every agent chooses among its ``play.options``, the truth first.
    """
    rng = np.random.default_rng([seed, 2])
    b, n, r = play.options.shape
    payoffs = _Payoffs(play)
    games = np.arange(b)
    regret, external = np.zeros((b, n, r, r)), np.zeros((b, n, r))
    choice = np.zeros((b, n), dtype=np.intp)
    visited = np.empty((periods, b, n), dtype=np.intp)
    for period in range(periods):
        visited[period] = choice
        for i in range(n):
            would = payoffs(choice, i)
            more = would - would[games, choice[:, i]][:, None]
            regret[games, i, choice[:, i]] += more
            external[:, i] += more
        choice = _drawn(rng, regret, choice)
        if progress is not None:
            progress(period + 1, periods)
    worst = np.maximum(regret.max(axis=(2, 3)), 0.0) / periods
    return Matched(
        _played(play, visited), np.maximum(external.max(axis=2), 0.0) / periods, worst, periods, periods * b * n * r
    )


def _drawn(rng: np.random.Generator, regret: Floats, choice: Ints) -> Ints:
    """Draw the next choices ``[B, n]`` by the invariant distributions of regrets ``[B, n, R, R]``."""
    positive = np.maximum(regret, 0.0)
    out = positive.sum(axis=-1)
    most = out.max(axis=-1)
    calm = most <= 0.0
    rates = positive / np.where(calm, 1.0, most)[..., None, None]
    r = regret.shape[-1]
    step = rates.copy()
    step[..., np.arange(r), np.arange(r)] += 1.0 - rates.sum(axis=-1)
    step = (1.0 - _MIX) * step + _MIX / r
    system = np.swapaxes(step, -1, -2) - np.eye(r)
    system[..., -1, :] = 1.0  # probabilities sum to one; one balance equation follows from the others
    right = np.zeros((*system.shape[:-1], 1))
    right[..., -1, 0] = 1.0
    q = np.clip(np.linalg.solve(system, right)[..., 0], 0.0, None).cumsum(axis=-1)
    u = rng.random(choice.shape)[..., None] * q[..., -1:]
    drawn = np.minimum((q <= u).sum(axis=-1), r - 1)
    return np.where(calm, choice, drawn)


class _Payoffs:
    """Payoffs of every report of an agent, the others' choices given: from a table where the games are small."""

    def __init__(self, play: Play) -> None:
        self.play = play
        b, n, r = play.options.shape
        self.table: Floats | None = None
        if b * r**n <= _TABLE:
            joint = np.stack(np.unravel_index(np.arange(r**n), (r,) * n), axis=1)
            said = play.options[:, np.arange(n), joint].reshape(-1, n)
            self.table = play.utilities(said, np.repeat(np.arange(b), r**n)).reshape(b, *(r,) * n, n)

    def __call__(self, choice: Ints, agent: int) -> Floats:
        """Return ``[B, R]``."""
        b, n, _ = self.play.options.shape
        if self.table is None:
            said = self.play.options[np.arange(b)[:, None], np.arange(n), choice]
            return self.play.payoffs(said, agent, self.play.options[:, agent])
        row = np.moveaxis(self.table[..., agent], agent + 1, -1)
        others = tuple(choice[:, j] for j in range(n) if j != agent)
        return np.asarray(row[(np.arange(b), *others)])


def _played(play: Play, visited: Ints) -> Reached:
    periods, b, n = visited.shape
    keys = np.concatenate([np.broadcast_to(np.arange(b)[:, None], (periods, b, 1)), visited], axis=2)
    rows, counts = np.unique(keys.reshape(-1, n + 1), axis=0, return_counts=True)
    games, choice = rows[:, 0], rows[:, 1:]
    reports = play.options[games[:, None], np.arange(n), choice]
    return Reached(reports, games, counts / periods)
