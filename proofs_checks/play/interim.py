"""What an agent can expect of each report at each type, the others' reports drawn from their strategies."""

from collections.abc import Callable

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.market.accounting import MONEY, scale
from proofs_checks.play.game import Ints
from proofs_checks.search.cases import answer, utilities
from proofs_checks.search.lines import linear

Rng = np.random.Generator

_WINDOW = 4  # levels on each side of the best one that the parabola takes in
_FINER = 2  # levels of reports to a step of the grid of types
_CHUNK = 1 << 17
_CHECKS = (0.31, 0.77)  # where between the ends utility is compared with a straight line


class Interim:
    """Expected utility of a mechanism over one private number per agent, all other coordinates constant.

    ``grid`` ``[n, G]``: types; ``levels`` ``[n, R]``: reports, the types among them. ``tried``: pairs of the two.
    """

    def __init__(self, mechanism: DirectMechanism, types: int, at: int) -> None:
        space = mechanism.space
        self.mechanism, self.at = mechanism, at
        self.low, self.high = space.low[:, at], space.high[:, at]
        self.grid = self._even(types)
        self.levels = self._even(_FINER * (types - 1) + 1)
        self.levels[:, ::_FINER] = self.grid  # to the bit: the truth is among the reports
        self.tried = self.levels.size * types

    def _even(self, points: int) -> Floats:
        return np.asarray(self.low[:, None] + (self.high - self.low)[:, None] * np.linspace(0.0, 1.0, points))

    def draw(self, rng: Rng, count: int) -> Floats:
        """Draw true numbers ``[count, n]``, each agent's stratified: one in each of ``count`` equal parts."""
        order = np.argsort(rng.random((count, len(self.low))), axis=0)
        return np.asarray(self.low + (self.high - self.low) * (order + rng.random(order.shape)) / count)

    def trembled(self, rng: Rng, reports: Floats, width: float) -> Floats:
        """Move reports ``[S, n]`` by up to ``width`` of the range, evenly, within the bounds."""
        moved = reports + (self.high - self.low) * width * rng.uniform(-1.0, 1.0, reports.shape)
        return np.asarray(np.clip(moved, self.low, self.high))

    def payoffs(self, agent: int, said: Floats, true: Floats) -> Floats:
        """Return expected utility ``[G, R]`` at each type of each level.

        ``said``, ``true`` ``[S, n]``: what the others report and what is true of them (the agent's column plays no
        part).
        """
        reports = self.levels[agent]
        step = max(1, _CHUNK // len(reports))
        total = np.zeros((self.grid.shape[1], len(reports)))
        for start in range(0, len(said), step):
            part = slice(start, start + step)
            total += self._summed(agent, said[part], true[part], reports)
        return total / len(said)

    def own(self, agent: int, said: Floats, true: Floats, reports: Floats) -> Floats:
        """Return utility ``[S, G]`` in each draw at each type, when type g reports ``reports[g]``."""
        types = self.grid[agent]
        outcome = answer(self.mechanism, self._profiles(agent, said, reports))
        truth = self._profiles(agent, true, types)
        return utilities(self.mechanism, truth, outcome)[:, agent].reshape(len(said), len(types))

    def _profiles(self, agent: int, others: Floats, reports: Floats) -> Floats:
        low = self.mechanism.space.low
        rows = np.broadcast_to(low, (len(others), len(reports), *low.shape)).copy()
        rows[..., self.at] = others[:, None]
        rows[:, :, agent, self.at] = reports
        return rows.reshape(-1, *low.shape)

    def _summed(self, agent: int, said: Floats, true: Floats, reports: Floats) -> Floats:
        mechanism, types = self.mechanism, self.grid[agent]
        outcome = answer(mechanism, self._profiles(agent, said, reports))
        if linear(mechanism):
            got, paid = (a[:, agent].reshape(len(said), -1).sum(axis=0) for a in (outcome.allocation, outcome.payment))
            value = types[:, None] * got - paid
            return np.asarray(-value if mechanism.role == "seller" else value)  # type: ignore[attr-defined]

        def at(truth: float) -> Floats:
            facts = self._profiles(agent, true, np.full(len(reports), truth))
            return utilities(mechanism, facts, outcome)[:, agent].reshape(len(said), -1)

        if _straight(at, types[0], types[-1]):
            first, last = at(types[0]), at(types[-1])
            share = (types - types[0])[:, None] / (types[-1] - types[0])
            return np.asarray((1.0 - share) * first.sum(axis=0) + share * last.sum(axis=0))
        return np.stack([at(truth).sum(axis=0) for truth in types])

    def best(self, agent: int, payoffs: Floats) -> Floats:
        """Return the best report of each type ``[G]`` by expected utility ``[G, R]``.

        The truth where no level is better; else the top of the parabola through the payoffs around the best level.
        """
        types, levels = self.grid[agent], self.levels[agent]
        slack = MONEY * max(1.0, float(np.abs(payoffs).max()))
        good = payoffs >= payoffs.max(axis=1, keepdims=True) - slack
        pick = np.argmin(np.where(good, np.abs(levels - types[:, None]), np.inf), axis=1)
        return np.where(levels[pick] == types, types, _vertex(levels, payoffs, pick))


def _straight(values: Callable[[float], Floats], low: float, high: float) -> bool:
    """Tell whether values at two places between lie on the straight line between the ends."""
    first, last = values(low), values(high)
    slack = MONEY * scale(np.stack([first, last]))
    return all(
        bool((np.abs(first + c * (last - first) - values(low + c * (high - low))) <= slack).all()) for c in _CHECKS
    )


def _vertex(levels: Floats, payoffs: Floats, pick: Ints) -> Floats:
    """Return the top ``[G]`` of the parabola nearest to the payoffs around the best level: their noise averages out."""
    width = min(_WINDOW, (len(levels) - 1) // 2)
    at = np.clip(pick, width, len(levels) - 1 - width)
    steps = np.arange(-width, width + 1)
    near = payoffs[np.arange(len(at))[:, None], at[:, None] + steps]
    square, slope, _ = np.polyfit(steps, near.T, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        top = np.where(square < 0.0, -0.5 * slope / square, pick - at)
    return np.asarray(levels[at] + (levels[1] - levels[0]) * np.clip(top, -width, width))
