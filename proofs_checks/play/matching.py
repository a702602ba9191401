"""Regret matching: agents move towards what they wish they had reported, and play approaches correlated equilibrium.

The variant with an invariant distribution, of Hart and Mas-Colell, A simple adaptive procedure leading to correlated
equilibrium, Econometrica 2000: D(j, k) is how much more an agent would have had by reporting k whenever it reported j,
on average over the periods so far. It draws its next report from the distribution q that its positive regrets leave as
it is: sum_j q_j D(j, k)+ = q_k sum_j D(k, j)+. Then all D(j, k)+ go to zero like 1/sqrt(T), and the distribution of
play to the set of correlated equilibria.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mechanism.direct import Floats
from proofs_checks.play.dynamics import Reached
from proofs_checks.play.game import Ints, Play

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
        _reached(play, visited), np.maximum(external.max(axis=2), 0.0) / periods, worst, periods, periods * b * n * r
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


def _reached(play: Play, visited: Ints) -> Reached:
    periods, b, n = visited.shape
    keys = np.concatenate([np.broadcast_to(np.arange(b)[:, None], (periods, b, 1)), visited], axis=2)
    rows, counts = np.unique(keys.reshape(-1, n + 1), axis=0, return_counts=True)
    games, choice = rows[:, 0], rows[:, 1:]
    reports = play.options[games[:, None], np.arange(n), choice]
    return Reached(reports, games, counts / periods)
