"""Empirical Bayesian equilibrium: strategies report = s(type), each a best response to the others drawn from the prior.

A strategy is a table of reports on a grid of types, straight between them. Types are independent and uniform on the
declared bounds. If no type gains by another report while all tell the truth, the truth it is. Else smoothed fictitious
play from the truth: in iteration k every agent answers the others' strategies on a fresh stratified sample, and moves
towards its best answer by the share min(0.3, 2 / (k + 1)). Play goes on while another report would still add more than
5 % of what is had in play (`LOOSE`), as far as it is allowed to. The others' hands tremble a little, ever less, so that
nobody rests just above where all others stop. How far from an equilibrium the end is, is measured on a sample of its
own, without trembling, as what the best other report still promises.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import MONEY, scale
from proofs_checks.play.game import own_coordinate
from proofs_checks.play.interim import Interim
from proofs_checks.search.lines import linear

Rng = np.random.Generator

ITERATIONS = 40
LONGER = 10
"""Play may take so many times its iterations, where the end of them is no equilibrium yet."""
LOOSE = 0.05
"""Which share of the utility in play another report may add where strategies are called an equilibrium."""
TYPES = 51
"""Types on the grid of a strategy."""

SAMPLES = 1024
FINAL_SAMPLES = 4096
"""Draws of the others in an iteration, and in the measurement at the end."""

TREMBLE = 0.05
"""By which share of the range the others' reports tremble at first; divided by the square root of the iteration."""

_LARGEST_STEP = 0.3
_SURE = 4.0  # standard errors by which a lie must pay on a fresh sample for the truth to be given up
_SMALL = 256  # draws of the others where utility has to be accounted for type by type


@dataclass(frozen=True, eq=False)
class Strategies:
    """What each agent reports of each type: ``reports`` ``[n, G]`` at types ``grid`` ``[n, G]``, straight between."""

    grid: Floats
    reports: Floats

    def __call__(self, types: Floats) -> Floats:
        """Return the reports ``[B, n]`` of true numbers ``[B, n]``."""
        columns = [np.interp(types[:, i], self.grid[i], self.reports[i]) for i in range(len(self.grid))]
        return np.stack(columns, axis=1)

    def slope(self, agent: int, low: float = 0.1, high: float = 1.0) -> tuple[float, float]:
        """Return slope and intercept of the straight line nearest to the strategy (least squares).

        ``low``, ``high``: over which share of the range of types, evenly.
        """
        ends = self.grid[agent, [0, -1]]
        types = ends[0] + (ends[1] - ends[0]) * np.linspace(low, high, 181)
        slope, intercept = np.polyfit(types, np.interp(types, self.grid[agent], self.reports[agent]), 1)
        return float(slope), float(intercept)

    def misfit(self, agent: int, low: float = 0.1, high: float = 1.0) -> float:
        """Return the largest distance of the strategy from the line of `slope`, as a share of the range of types."""
        slope, intercept = self.slope(agent, low, high)
        ends = self.grid[agent, [0, -1]]
        types = ends[0] + (ends[1] - ends[0]) * np.linspace(low, high, 181)
        off = np.abs(np.interp(types, self.grid[agent], self.reports[agent]) - (slope * types + intercept))
        return float(off.max() / (ends[1] - ends[0]))


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """Strategies that play came to.

    ``truthful`` and ``utility`` ``[n, G]``: expected utility at each type of the grid if everybody is truthful, and if
    everybody plays the strategies. ``left`` ``[n]``: what an agent could still gain by its best other report, on
    average over its types; ``most_left`` the most at any type; both include some luck of the sample. ``iterations``: 0
    if the truth was found to be an equilibrium. ``deviations``: pairs of type and report compared.
    """

    strategies: Strategies
    truthful: Floats
    utility: Floats
    left: Floats
    most_left: float
    iterations: int
    deviations: int

    @property
    def share(self) -> Floats:
        """What another report would add to each agent, as a share of its mean utility ``[n]``.

        0 where nothing is left to be had, infinite where something is and nothing is had.
        """
        had = self.utility.mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(had > 0.0, self.left / had, np.inf)
        return np.where(self.left > 0.0, share, 0.0)


def shading_problem(mechanism: DirectMechanism) -> str | None:
    """Say why strategies of one number do not describe this mechanism; None if they do."""
    space = mechanism.space
    if not (space.private.sum(axis=1) == 1).all() or space.private.any(axis=0).sum() != 1:
        return "agents do not have exactly one private number, the same for all"
    at = int(np.argmax(space.private.any(axis=0)))
    if space.integer[at]:
        return f"{space.names[at]} takes whole numbers only"
    others = np.arange(space.k) != at
    if (space.low[:, others] != space.high[:, others]).any():
        return "types hold public numbers that vary"
    if (space.low[:, at] == space.high[:, at]).any():
        return f"{space.names[at]} of some agent has a single value"
    return None


def equilibrium(
    mechanism: DirectMechanism,
    *,
    iterations: int = ITERATIONS,
    most: int | None = None,
    types: int = TYPES,
    samples: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Equilibrium:
    """Look for an equilibrium in strategies by smoothed fictitious play from the truth.

    `InvalidMechanismError` if the mechanism is not over one private number per agent, all else constant.

    Parameters
    ----------
    iterations, types, samples
        Rounds of play, types on the grid, draws of the others per round (default: by how utility can be accounted).
    most
        Rounds of play at most (default: ``iterations``). After every ``iterations`` of them it is looked whether
        another report would add more than `LOOSE` of the utility in play; then play goes on. Returned are the
        strategies of the look at which it added least.
    seed
        Which draws are made.
    progress
        Called with (done, of how many).
    """
    if (why := shading_problem(mechanism)) is not None:
        raise InvalidMechanismError(f"strategies report = s(type) do not apply: {why}; use best-response dynamics")
    rng = np.random.default_rng([seed, 1])
    table = Interim(mechanism, types, own_coordinate(mechanism))
    few, many = (SAMPLES, FINAL_SAMPLES) if linear(mechanism) else (_SMALL, 4 * _SMALL)
    samples = few if samples is None else samples
    now = Strategies(table.grid, table.grid.copy())
    if _truth_holds(table, rng, many):
        return _measured(table, now, rng, 0, many)
    most = iterations if most is None else max(most, iterations)
    found: Equilibrium | None = None
    for k in range(1, most + 1):
        drawn = table.draw(rng, samples)
        said = table.trembled(rng, now(drawn), TREMBLE / math.sqrt(k))
        answers = np.stack([table.best(i, table.payoffs(i, said, drawn)) for i in range(len(table.grid))])
        now = Strategies(table.grid, now.reports + min(_LARGEST_STEP, 2.0 / (k + 1)) * (answers - now.reports))
        if progress is not None:
            progress(k, most)
        if k % iterations == 0 or k == most:
            looked = _measured(table, now, rng, k, many)
            if found is None or looked.share.max() < found.share.max():
                found = looked
            if looked.share.max() <= LOOSE:
                break
    assert found is not None
    return found


def _truth_holds(table: Interim, rng: Rng, samples: int) -> bool:
    """Tell whether no type is seen to gain by a lie: chosen on one sample, weighed on another."""
    for i, truth in enumerate(table.grid):
        drawn = table.draw(rng, samples)
        lie = table.best(i, table.payoffs(i, drawn, drawn))
        if (lie == truth).all():
            continue
        fresh = table.draw(rng, 2 * samples)
        honest = table.own(i, fresh, fresh, truth)
        gain = table.own(i, fresh, fresh, lie) - honest
        # Bernstein's second term: a small sure gain may be paid for by a loss too rare to be in the sample
        error = _SURE * gain.std(axis=0) / math.sqrt(len(fresh)) + _SURE**2 * float(np.ptp(honest)) / len(fresh)
        if (gain.mean(axis=0) > error + MONEY * scale(honest)).any():
            return False
    return True


def _measured(table: Interim, found: Strategies, rng: Rng, iterations: int, samples: int) -> Equilibrium:
    drawn = table.draw(rng, samples)
    said = found(drawn)
    agents = range(len(table.grid))
    truthful = np.stack([table.own(i, drawn, drawn, table.grid[i]).mean(axis=0) for i in agents])
    utility = np.stack([table.own(i, said, drawn, found.reports[i]).mean(axis=0) for i in agents])
    best = np.stack([table.payoffs(i, said, drawn).max(axis=1) for i in agents])
    gain = np.maximum(best - utility, 0.0)
    gain[gain <= MONEY * scale(utility)] = 0.0
    tried = table.tried * (iterations + 2)
    return Equilibrium(found, truthful, utility, gain.mean(axis=1), float(gain.max()), iterations, tried)
