"""All outcomes of a finite grid of types: the rule is asked once per profile, a deviation is another profile of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats
from mechanism.market.accounting import scale
from proofs_checks.search.cases import Cases, answer, part, utilities
from proofs_checks.search.grids import Grid
from proofs_checks.search.lines import linear

Place = tuple[int, int, int]
"""Where a profile is: that of the agents before i, i's report, that of those after i."""

_CHUNK = 1 << 16


@dataclass(frozen=True, eq=False)
class OutcomeTable:
    """Outcomes of every profile of ``grid``; ``tick`` is called between steps and may raise."""

    mechanism: Any
    grid: Grid
    tick: Callable[[], None] = lambda: None

    @cached_property
    def chunks(self) -> list[tuple[Floats, Any]]:
        """Profiles and their outcomes."""
        found = []
        for start in range(0, self.grid.profiles, _CHUNK):
            self.tick()
            rows = self.grid.rows(start, min(start + _CHUNK, self.grid.profiles))
            found.append((rows, answer(self.mechanism, rows)))
        return found

    @cached_property
    def linear(self) -> tuple[Floats, Floats, int] | None:
        """Allocation and payment ``[P, agents]`` and the sign of a value, where utility is made of these."""
        if not linear(self.mechanism):
            return None
        got, paid = (np.concatenate([getattr(o, name) for _, o in self.chunks]) for name in ("allocation", "payment"))
        return got, paid, 1 if self.mechanism.role == "buyer" else -1

    def around(self, values: NDArray[Any], i: int) -> NDArray[Any]:
        """Return ``[P]`` values as [profiles of those before i, reports of i, profiles of those after i]."""
        counts = self.grid.counts
        return values.reshape(math.prod(counts[:i]), counts[i], -1)

    def utilities(self, i: int, t: int) -> Floats:
        """U_i at true type t of agent i under every reported profile, ``[P]``; the others' reports are true."""
        self.tick()
        if self.linear is not None:
            got, paid, sign = self.linear
            return np.asarray(sign * (self.grid.types[i][t, 0] * got[:, i] - paid[:, i]))
        found = []
        for rows, outcome in self.chunks:
            types = rows.copy()
            types[:, i] = self.grid.types[i][t]
            found.append(utilities(self.mechanism, types, outcome)[:, i])
        return np.concatenate(found)

    def allocations(self) -> Floats:
        """Return what each agent gets ``[P, agents]``."""
        return np.concatenate([part(self.mechanism, "allocation", rows, o) for rows, o in self.chunks])

    def profile(self, i: int, place: Place) -> Floats:
        """Return the reports ``[1, n, k]`` of a place."""
        counts = self.grid.counts
        at = int(np.ravel_multi_index(place, (math.prod(counts[:i]), counts[i], math.prod(counts[i + 1 :]))))
        return self.grid.rows(at, at + 1)

    def deviations(self, i: int, t: int, places: list[Place]) -> Cases:
        """Return the cases in which agent i is of its type t and reports what the places say."""
        reported = np.concatenate([self.profile(i, place) for place in places])
        types = reported.copy()
        types[:, i] = self.grid.types[i][t]
        who = np.broadcast_to(np.arange(types.shape[1]) == i, types.shape[:2])
        return Cases(types, types, reported[:, None], who)

    def arithmetic(self) -> bool:
        """Tell whether value · allocation - payment is exact in floats for all of the grid."""
        if self.linear is None:
            return False
        got, paid, _ = self.linear
        values = np.concatenate(self.grid.types)
        value_bits, got_bits, paid_bits = (_bits(a) for a in (values, got, paid))
        if value_bits is None or got_bits is None or paid_bits is None:
            return False
        size = max(scale(values) * scale(got), scale(paid))
        digits = max(value_bits + got_bits, paid_bits)
        return bool(size * 2.0**digits * (2 * len(self.grid.counts) + 2) < 2.0**53)


def _bits(values: NDArray[np.float64]) -> int | None:
    """Return the smallest k <= 30 with values · 2^k all whole, None if there is none."""
    for k in range(31):
        scaled = values * 2.0**k
        if (scaled == np.rint(scaled)).all():
            return k
    return None
