"""Other equilibria: best responses from random reports, and of what they come to the worst.

Play from the truth selects the equilibrium that lies next to the truth, the kindest one. The textbook's price of
anarchy is that of the worst. A few random starts find some of the others, never all: the worst one found is a lower
bound. Indifferent agents move to the report nearest to the truth (`best_report`), so that equilibria which hold only
because nobody minds lying are passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats
from proofs_checks.play.anarchy import accounts
from proofs_checks.play.dynamics import ROUNDS, BestResponses, best_responses
from proofs_checks.play.game import Play

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
    progress: Callable[[int, int], None] | None = None,
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
        if progress is not None:
            progress(played, starts)
    found = np.isfinite(welfare)
    return Worst(np.where(found, welfare, np.nan), found, played, tried)


def _lower(welfare: Floats, play: Play, done: BestResponses) -> None:
    games = np.flatnonzero(done.settled)
    if not games.size:
        return
    at = accounts(play.mechanism, play.types[games], play.profiles(done.reports[games], games))[2]
    assert at is not None
    welfare[games] = np.minimum(welfare[games], at)
