"""What ``strategic`` writes of welfare: equilibria, the worst of them that was found, and games that do not settle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats

if TYPE_CHECKING:
    from proofs_checks.play.anarchy import Ratio
    from proofs_checks.play.dynamics import BestResponses
    from proofs_checks.play.game import Play
    from proofs_checks.play.starts import Worst


def worst_found(play: Play, done: BestResponses, rounds: int, seed: int) -> Worst | None:
    """Look for worse equilibria from random starts; None where the mechanism does not say what welfare is."""
    if not hasattr(play.mechanism, "welfare"):
        return None
    from proofs_checks.play.starts import worst_equilibria

    return worst_equilibria(play, done, rounds, seed=seed)


def welfare_json(
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
) -> dict[str, Any] | None:
    """Return mean welfare per game and optimum / welfare; None where the mechanism does not say what welfare is.

    ``truthful``, ``played``, ``optimum`` ``[B]``: welfare of each game if all are truthful, where play ends, and at
    best. ``settled`` ``[B]``: where play ends in an equilibrium (default: everywhere); all but ``unsettled`` and
    ``worst`` is of these games alone. ``groups`` ``[B]``, ``resampled``: what the interval resamples, and its name.
    """
    if truthful is None or played is None:
        return None
    rest = np.ones(len(truthful), dtype=bool) if settled is None else settled

    def ratio(welfare: Floats, which: NDArray[np.bool_]) -> dict[str, Any] | None:
        from proofs_checks.play.anarchy import price_of_anarchy

        if optimum is None or not which.any():
            return None
        told = price_of_anarchy(welfare[which], optimum[which], seed, None if groups is None else groups[which])
        return ratio_json(told, resampled)

    return {
        "measure": measure,
        "games": int(rest.sum()),
        "truthful": _mean(truthful, rest),
        "equilibrium": _mean(played, rest),
        "optimal": _mean(optimum, rest),
        "price_of_anarchy": ratio(played, rest),
        "price_truthful": ratio(truthful, rest),
        "worst": None
        if worst is None
        else {
            "starts": worst.starts,
            "games": int(worst.found.sum()),
            "welfare": _mean(worst.welfare, worst.found),
            "price_of_anarchy": ratio(worst.welfare, worst.found),
        },
        "unsettled": None
        if rest.all()
        else {
            "games": int((~rest).sum()),
            "truthful": _mean(truthful, ~rest),
            "played": _mean(played, ~rest),
            "optimal": _mean(optimum, ~rest),
            "ratio": ratio(played, ~rest),
            "ratio_truthful": ratio(truthful, ~rest),
        },
    }


def _mean(values: Floats | None, which: NDArray[np.bool_]) -> float | None:
    return None if values is None or not which.any() else float(values[which].mean())


def ratio_json(ratio: Ratio, resampled: str) -> dict[str, Any]:
    """Return a ratio with its interval; an infinite number is null, and where there is no interval so is its name."""
    from proofs_checks.play.anarchy import CONFIDENCE

    parts = {"value": ratio.value, "low": ratio.low, "high": ratio.high}
    some = ratio.low is not None
    return {
        **{k: v if v is not None and math.isfinite(v) else None for k, v in parts.items()},
        "confidence": CONFIDENCE if some else None,
        "games": ratio.games,
        "resampled": resampled if some else None,
    }
