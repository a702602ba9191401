"""Welfare of play: at equilibria, at the worst of them that was found, and in games that do not settle."""

import numpy as np
from numpy.typing import NDArray

from marketproof.strategic_play.results import Unsettled, Welfare, WorstFound
from mechanism.direct import Floats
from proofs_checks.play.anarchy import Price, Worst, price_of_anarchy, worst_equilibria
from proofs_checks.play.dynamics import BestResponses
from proofs_checks.play.game import Play

MARKET_MEASURE = "welfare less penalties"
"""What a market maximises, V_lambda: at lambda = 0 welfare itself."""


def worst_found(play: Play, done: BestResponses, rounds: int, seed: int) -> Worst | None:
    """Look for worse equilibria from random starts; None where the mechanism does not say what welfare is."""
    if not hasattr(play.mechanism, "welfare"):
        return None
    return worst_equilibria(play, done, rounds, seed=seed)


def welfare_of(
    measure: str,
    truthful: Floats | None,
    played: Floats | None,
    optimum: Floats | None,
    settled: NDArray[np.bool_] | None = None,
    worst: Worst | None = None,
    *,
    seed: int = 0,
    resampled: str = "true profiles",
    groups: NDArray[np.intp] | None = None,
) -> Welfare | None:
    """Return mean welfare per game and optimum / welfare; None where the mechanism does not say what welfare is.

    ``truthful``, ``played``, ``optimum`` ``[B]``: welfare of each game if all are truthful, where play ends, and at
    best. ``settled`` ``[B]``: where play ends in an equilibrium (default: everywhere); all but ``unsettled`` and
    ``worst`` is of these games alone. ``groups`` ``[B]``, ``resampled``: what the interval resamples, and its name.
    """
    if truthful is None or played is None:
        return None
    rest = np.ones(len(truthful), dtype=bool) if settled is None else settled

    def price(welfare: Floats, which: NDArray[np.bool_]) -> Price | None:
        if optimum is None or not which.any():
            return None
        of = None if groups is None else groups[which]
        return price_of_anarchy(welfare[which], optimum[which], seed, of, resampled)

    def means(which: NDArray[np.bool_]) -> tuple[float | None, float | None, float | None]:
        return _mean(truthful, which), _mean(played, which), _mean(optimum, which)

    worse = apart = None
    if worst is not None:
        mean = _mean(worst.welfare, worst.found)
        worse = WorstFound(worst.starts, int(worst.found.sum()), mean, price(worst.welfare, worst.found))
    if not rest.all():
        apart = Unsettled(int((~rest).sum()), *means(~rest), price(played, ~rest), price(truthful, ~rest))
    return Welfare(measure, int(rest.sum()), *means(rest), price(played, rest), price(truthful, rest), worse, apart)


def _mean(values: Floats | None, which: NDArray[np.bool_]) -> float | None:
    return None if values is None or not which.any() else float(values[which].mean())
