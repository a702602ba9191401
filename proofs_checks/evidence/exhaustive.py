"""Finite grids, exhausted: every profile of types and every report on a declared grid.

The rule is asked once per profile; a deviation is another profile of the same table, so that all of them are
comparisons of arrays. Says nothing of types between the grid's points. Where all that a rule answers is a dyadic number
with few enough bits, float arithmetic is exact and the tolerance is 0.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import DirectMechanism, SingleParameter
from mechanism.market.accounting import MONEY, scale
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.evidence.witness import Witness
from proofs_checks.properties.property import Property
from proofs_checks.search import sampling
from proofs_checks.search.cases import Cases, answer, truthful, utilities
from proofs_checks.search.grids import Grid, GridError, even_grid
from proofs_checks.search.lines import linear

Floats = NDArray[np.float64]

PROPERTIES = ("dsic", "ir", "budget-balance", "weak-budget-balance", "monotonicity")
"""What can be exhausted."""

MOST_PROFILES = 1 << 18
"""Profiles of the largest grid that is chosen for a verdict; one that is given may be larger (`grids`)."""

_CHUNK, _SAMPLE = 1 << 16, 1024


@dataclass(frozen=True)
class Exhausted:
    """The verdict: ``holds`` on every profile of the grid within ``tolerance`` (0 and ``exact``: no rounding at all).

    ``worst``: the largest gain of a deviation (dsic), minus the lowest utility (ir), the largest imbalance or deficit,
    the largest step the wrong way (monotonicity): above the tolerance it comes with the ``case``
    (P = R = 1).
    """

    property: str
    holds: bool
    worst: float
    tolerance: float
    exact: bool
    profiles: int
    deviations: int
    grid: str
    case: Cases | None

    def words(self) -> str:
        """Return the verdict in a sentence."""
        how = "exactly" if self.exact else f"within {self.tolerance:.3g} (floats)"
        checked = f"{self.profiles} profiles" + (f", {self.deviations} deviations" if self.deviations else "")
        verdict = "holds" if self.holds else "fails"
        return f"{self.property} {verdict} {how} on the {self.grid}: {checked}; nothing is said of types off the grid"


def exhaust(mechanism: DirectMechanism, grid: Grid, property_id: str) -> Exhausted:
    """Check a property on every profile and report of a grid.

    ``dsic`` compares U_i(θ_i, r_-i) with every U_i(r_i, r_-i), the others' true types being what they report.
    ``monotonicity`` needs types that differ in the own number only.

    Raises
    ------
    GridError
        If the grid does not fit the mechanism or the property cannot be exhausted on it.
    """
    space = mechanism.space
    if len(grid.counts) != space.agents or grid.types[0].shape[1] != space.k:
        raise GridError(f"the grid is for {len(grid.counts)} agents; expected {space.agents} with {space.k} numbers")
    for i, rows in enumerate(grid.types):
        if ((rows < space.low[i]) | (rows > space.high[i])).any():
            raise GridError(f"a type of agent {i} lies outside the mechanism's bounds")
    if property_id not in PROPERTIES:
        raise GridError(f"{property_id!r} cannot be exhausted; expected one of {', '.join(PROPERTIES)}")
    table = _Table.of(mechanism, grid)
    worst = {"dsic": table.dsic, "ir": table.ir, "monotonicity": table.monotonicity}.get(property_id)
    amount, case = worst() if worst else table.balance(weak=property_id.startswith("weak"))
    exact, size = table.arithmetic()
    tolerance = 0.0 if exact else MONEY * size
    holds = bool(amount <= tolerance)
    deviations = grid.deviations if property_id == "dsic" else 0
    return Exhausted(
        property_id, holds, amount, tolerance, exact, grid.profiles, deviations, grid.words(),
        None if holds else case,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Table:
    """All outcomes of a grid: chunks of (profiles, outcome); allocation and payment ``[P, agents]`` where linear."""

    mechanism: Any
    grid: Grid
    chunks: list[tuple[Floats, Any]]
    linear: tuple[Floats, Floats, int] | None

    @classmethod
    def of(cls, mechanism: Any, grid: Grid) -> _Table:
        chunks = []
        for start in range(0, grid.profiles, _CHUNK):
            rows = grid.rows(start, min(start + _CHUNK, grid.profiles))
            chunks.append((rows, mechanism.outcome(rows)))
        linear = None
        if isinstance(mechanism, SingleParameter) and type(mechanism).utility is SingleParameter.utility:
            got, paid = (np.concatenate([getattr(o, name) for _, o in chunks]) for name in ("allocation", "payment"))
            linear = got, paid, 1 if mechanism.role == "buyer" else -1
        return cls(mechanism, grid, chunks, linear)

    def around(self, values: Floats, i: int) -> Floats:
        """Return ``[P]`` values as [profiles of those before i, reports of i, profiles of those after i]."""
        counts = self.grid.counts
        return values.reshape(math.prod(counts[:i]), counts[i], -1)

    def utilities(self, i: int, t: int) -> Floats:
        """U_i at true type t of agent i under every reported profile, ``[P]``."""
        if self.linear is not None:
            got, paid, sign = self.linear
            return np.asarray(sign * (self.grid.types[i][t, 0] * got[:, i] - paid[:, i]))
        found = []
        for rows, outcome in self.chunks:
            types = rows.copy()
            types[:, i] = self.grid.types[i][t]
            found.append(np.asarray(self.mechanism.utility(types, outcome))[:, i])
        return np.concatenate(found)

    def dsic(self) -> tuple[float, Cases | None]:
        worst: tuple[float, Cases | None] = (-math.inf, None)
        for i, count in enumerate(self.grid.counts):
            for t in range(count):
                found = self.around(self.utilities(i, t), i)
                gain = found.max(axis=1) - found[:, t]
                if not gain.max() <= worst[0]:  # not a number counts as worst
                    at = int(gain.argmax())
                    before, after = np.unravel_index(at, gain.shape)
                    said = int(found[before, :, after].argmax())
                    place = (int(before), said, int(after))
                    worst = float(gain.max()), self.case(i, t, place, moved=True)
        return worst

    def ir(self) -> tuple[float, Cases | None]:
        worst: tuple[float, Cases | None] = (-math.inf, None)
        for i, count in enumerate(self.grid.counts):
            for t in range(count):
                found = self.around(self.utilities(i, t), i)[:, t]
                if not -found.min() <= worst[0]:
                    before, after = np.unravel_index(int(found.argmin()), found.shape)
                    worst = float(-found.min()), self.case(i, t, (int(before), t, int(after)), moved=False)
        return worst

    def monotonicity(self) -> tuple[float, Cases | None]:
        own, role = self.mechanism.space.index(self.mechanism.own), self.mechanism.role
        got = np.concatenate([np.asarray(self.mechanism.allocation(o)) for _, o in self.chunks])
        worst: tuple[float, Cases | None] = (0.0, None)
        for i, rows in enumerate(self.grid.types):
            if (np.delete(rows, own, axis=1) != np.delete(rows[:1], own, axis=1)).any():
                raise GridError("monotonicity needs types that differ in the own number only")
            order = np.argsort(rows[:, own])
            steps = np.diff(self.around(got[:, i], i)[:, order], axis=1) * (-1.0 if role == "buyer" else 1.0)
            if steps.size and not steps.max() <= worst[0]:
                before, step, after = (int(x) for x in np.unravel_index(int(steps.argmax()), steps.shape))
                t, said = int(order[step]), int(order[step + 1])
                worst = float(steps.max()), self.case(i, t, (before, said, after), moved=True)
        return worst

    def balance(self, *, weak: bool) -> tuple[float, Cases | None]:
        total = np.concatenate([np.asarray(self.mechanism.payments(o)).sum(axis=-1) for _, o in self.chunks])
        off = -total if weak else np.abs(total)
        at = int(off.argmax())
        return float(off[at]), truthful(self.grid.rows(at, at + 1))

    def case(self, i: int, t: int, place: tuple[int, int, int], *, moved: bool) -> Cases:
        """Return the case in which agent i is of its type t and the profile of that place is reported."""
        counts = self.grid.counts
        shape = (math.prod(counts[:i]), counts[i], math.prod(counts[i + 1 :]))
        at = int(np.ravel_multi_index(place, shape))
        reported = self.grid.rows(at, at + 1)
        types = reported.copy()
        types[0, i] = self.grid.types[i][t]
        return Cases(types, types, reported[:, None], np.arange(len(counts))[None] == i) if moved else truthful(types)

    def arithmetic(self) -> tuple[bool, float]:
        """Return (whether value · allocation - payment is exact in floats for all of the grid, scale of the money)."""
        if self.linear is None:
            return False, max(scale(np.asarray(self.mechanism.utility(rows, o))) for rows, o in self.chunks)
        got, paid, _ = self.linear
        values = np.concatenate(self.grid.types)
        value_bits, got_bits, paid_bits = (_bits(a) for a in (values, got, paid))
        size = max(scale(values) * scale(got), scale(paid))
        if value_bits is None or got_bits is None or paid_bits is None:
            return False, size
        digits = max(value_bits + got_bits, paid_bits)
        return bool(size * 2.0**digits * (2 * len(self.grid.counts) + 2) < 2.0**53), size


def _bits(values: Floats) -> int | None:
    """Return the smallest k <= 30 with values · 2^k all whole, None if there is none."""
    for k in range(31):
        scaled = values * 2.0**k
        if (scaled == np.rint(scaled)).all():
            return k
    return None


def exhausted_verdict(
    mechanism: DirectMechanism, prop: Property, seconds: float, say: Callable[..., Verdict]
) -> Verdict:
    """Return the verdict on an even grid of 2^k + 1 points per number, as fine as time and `MOST_PROFILES` allow."""
    question = prop.on_grid(mechanism)
    if question is None:
        return say(Grade.UNKNOWN, None, {"reason": f"{prop.name} cannot be exhausted on a grid"})
    grid = finest(mechanism, question.coordinates, seconds)
    if grid is None:
        return say(
            Grade.UNKNOWN, None, {"reason": f"even two points per number are more than {MOST_PROFILES} profiles"}
        )
    result = exhaust(mechanism, grid, question.id)
    evidence = {
        "method": "grid", "grid": result.grid, "profiles": result.profiles,
        "tried": result.deviations or result.profiles,
        "exact": result.exact, "tolerance": result.tolerance, "worst": result.worst,
    }  # fmt: skip
    if result.case is None:
        return say(Grade.EXHAUSTED, True, evidence, bound=result.words())
    return say(Grade.REFUTED, False, evidence, witness=Witness.of(mechanism, prop, result.case))


def finest(mechanism: DirectMechanism, names: list[str] | None, seconds: float = np.inf) -> Grid | None:
    """Return the finest even grid in these coordinates (default: all private ones) that can be gone through.

    At most `MOST_PROFILES` profiles, and so many that all of them, asked as fast as a sample is, take about half of
    the time. Two points per number are never too slow.
    """
    space = mechanism.space
    moving = space.private if names is None else space.private & np.isin(space.names, names)
    sizes = [2**power + 1 for power in range(11) if (2**power + 1) ** int(moving.sum()) <= MOST_PROFILES]
    if not sizes:
        return None
    asking, accounting = _pace(mechanism)
    types = 0 if linear(mechanism) else space.agents
    fitting = [
        points
        for points in sizes
        if points ** int(moving.sum()) * (asking + types * points * accounting) <= 0.5 * seconds
    ]
    return even_grid(space, max(fitting, default=2), names)


def _pace(mechanism: DirectMechanism) -> tuple[float, float]:
    """Return seconds per profile for asking the rule and for accounting, measured on a sample."""
    profiles = sampling.uniform(mechanism.space, np.random.default_rng(0), _SAMPLE)
    answer(mechanism, profiles)  # what is compiled on first use is not counted
    started = time.perf_counter()
    outcome = answer(mechanism, profiles)
    asked = time.perf_counter()
    utilities(mechanism, profiles, outcome)
    return (asked - started) / _SAMPLE, (time.perf_counter() - asked) / _SAMPLE
