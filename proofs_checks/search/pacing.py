"""How fast a rule answers, and what fits into a time: a rule may call a solver and take a second for a profile."""

import time
from dataclasses import dataclass

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.errors import InvalidMechanismError
from proofs_checks.search.cases import answer
from proofs_checks.search.sampling import PROFILES, wide

AFTER = 20
"""Profiles asked alone when something is found: the case again, its numbers, its witness, its replay."""

_SIZES = (1, 1, 2, 8, 32, 128)  # profiles asked in turn, before all of them
_FIRST, _SHARE = 0.5, 0.1  # of the time, in which the first answer must come, which may compile; and all of them


@dataclass(frozen=True)
class Pace:
    """Seconds of a profile that is asked alone (``single``), and of one more in a batch (``row``)."""

    single: float = 0.0
    row: float = 0.0

    def needs(self, outcomes: int) -> float:
        """Return the seconds of a search of so many outcomes, with what comes after a find."""
        return outcomes * self.row + AFTER * self.single

    def slow(self, seconds: float) -> bool:
        """Tell whether probes and samples must be measured out: the usual first ones take half of the time or more."""
        return self.needs(512) > 0.5 * seconds

    def share(self, left: float, among: int, outcomes: int) -> float:
        """Return the next search's part of the time; of a slow rule's, the first properties are searched whole."""
        share = left / among
        return max(share, min(left, 1.5 * self.needs(outcomes))) if self.slow(share) else share

    def reason(self, outcomes: int) -> str:
        """Say that a search of so many outcomes does not fit."""
        needed = 1.5 * self.needs(outcomes)
        return f"an answer takes {self.single:.2g} s: a search takes some {needed:.0f} s; give it a larger budget"


FAST = Pace()
"""A rule whose answers take no time worth measuring."""


def first_look(mechanism: DirectMechanism, rng: np.random.Generator, seconds: float) -> tuple[Floats, Pace]:
    """Ask more and more profiles of all kinds ``[P, n, k]``; return those that fit a tenth of the time, and the pace.

    The first answer may compile what the second does not. None fit where six answers take longer than all the time.
    """
    ways = [draw for way, draw in PROFILES.items() if way != "scales" or wide(mechanism.space)]
    profiles = np.concatenate([draw(mechanism.space, rng, 64) for draw in ways])
    began = time.perf_counter()
    single, rows, seen = seconds, [seconds, seconds], 0
    for place, size in enumerate(_SIZES):
        started = time.perf_counter()
        try:
            answer(mechanism, profiles[:size])
        except InvalidMechanismError:  # whoever looks at all of them says on which it fails
            return profiles, FAST
        spent = time.perf_counter() - started
        # of the two largest batches the faster: a machine may be busy, and a rule slow at few profiles only
        single, rows, seen = min(single, spent), [rows[1], spent / size], size
        room = (_FIRST if place == 0 else _SHARE) * seconds - (time.perf_counter() - began)
        following = (*_SIZES[1:], len(profiles))[place]
        if following * spent / size > room:
            return profiles[: 0 if 6.0 * single > seconds else seen], Pace(single, min(rows))
    return profiles, Pace(single, min(rows))


@dataclass(frozen=True)
class Clock:
    """A time of `time.perf_counter` by which to end, and the pace of what is asked until then."""

    deadline: float
    pace: Pace = FAST

    def fits(self, calls: int = 0, rows: int = 0) -> bool:
        """Tell whether so many profiles alone, and so many in batches, are answered before the end."""
        return time.perf_counter() + calls * self.pace.single + rows * self.pace.row < self.deadline
