"""All outcomes of a finite grid of types: the rule is asked once per profile, a deviation is another profile of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats, UnitWorth
from mechanism.market.accounting import scale
from proofs_checks.search.cases import Cases, answer, part, utilities
from proofs_checks.search.grids import Grid
from proofs_checks.search.lines import linear

Ints = NDArray[np.intp]
Places = tuple[Ints, Ints, Ints]
"""Where profiles are: those of the agents before i, i's reports, those of the agents after i."""

_CHUNK, _TOGETHER = 1 << 16, 1 << 16


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
    def linear(self) -> tuple[Floats, Floats, bool] | None:
        """Allocation and payment ``[agents, P]``, where utility is made of these, and whether an agent buys."""
        if not linear(self.mechanism):
            return None
        got, paid = np.empty((2, len(self.grid.counts), self.grid.profiles))
        for name, values in (("allocation", got), ("payment", paid)):
            np.concatenate([getattr(outcome, name).T for _, outcome in self.chunks], axis=1, out=values)
        return got, paid, self.mechanism.role == "buyer"

    def around(self, values: NDArray[Any], i: int) -> NDArray[Any]:
        """Return values ``[..., P]`` as [..., profiles of those before i, reports of i, profiles of those after i]."""
        return values.reshape(*values.shape[:-1], *self.sides(i))

    def sides(self, i: int) -> tuple[int, int, int]:
        """Return how many profiles those before agent i have, how many types it has, how many those after it."""
        counts = self.grid.counts
        return math.prod(counts[:i]), counts[i], math.prod(counts[i + 1 :])

    def utilities(self, i: int, true: Ints) -> Floats:
        """U_i at true types ``[T]`` of agent i under every reported profile, ``[T, P]``; the others' reports are true.

        Those of many types at once are many numbers: see `blocks`.
        """
        self.tick()
        if self.linear is not None:
            got, paid, buys = self.linear
            worth = self.grid.types[i][true] * got[i]
            return np.subtract(worth, paid[i], out=worth) if buys else np.subtract(paid[i], worth, out=worth)
        found = np.empty((len(true), self.grid.profiles))
        for row, t in zip(found, true, strict=True):
            at = 0
            for rows, outcome in self.chunks:
                types = rows.copy()
                types[:, i] = self.grid.types[i][t]
                row[at : at + len(rows)] = utilities(self.mechanism, types, outcome)[:, i]
                at += len(rows)
        return found

    def blocks(self, true: Ints) -> list[Ints]:
        """Split types into parts whose utilities are computed together."""
        size = max(1, _TOGETHER // self.grid.profiles)
        return [true[start : start + size] for start in range(0, len(true), size)]

    def allocations(self) -> Floats:
        """Return what each agent gets ``[agents, P]``."""
        if self.linear is not None and type(self.mechanism).allocation is UnitWorth.allocation:
            return self.linear[0]
        return np.concatenate([part(self.mechanism, "allocation", rows, o).T for rows, o in self.chunks], axis=1)

    def deviations(self, i: int, true: Ints, places: Places) -> Cases:
        """Return the cases in which agent i is of types ``[C]`` and reports what the places say."""
        reported = self.grid.at(np.ravel_multi_index(places, self.sides(i)))
        types = reported.copy()
        types[:, i] = self.grid.types[i][true]
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


def _bits(values: Floats) -> int | None:
    """Return the smallest k <= 30 with values · 2^k all whole, None if there is none."""
    scaled = (values - np.trunc(values)) * 2.0**30
    whole = scaled.astype(np.int64)
    if (whole != scaled).any():
        return None
    every = int(np.bitwise_or.reduce(whole, axis=None))  # its lowest bit is the lowest of any
    return 30 - (every & -every).bit_length() + 1 if every else 0
