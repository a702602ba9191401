"""Finite grids, exhausted: every profile of types and every report on a declared grid.

The rule is asked once per profile; a deviation is another profile of the same table, so that all of them are
comparisons of arrays. Says nothing of types between the grid's points. `exhaust` asks code on floats; where all that it
answers is a dyadic number with few enough bits, float arithmetic is exact and the tolerance is 0. `exhaust_fractions`
asks a rule on fractions and is exact always.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import DirectMechanism, SingleParameter
from mechanism.tolerance import MONEY, scale
from proofs_checks.evidence.grids import MOST_PROFILES, Grid, GridError, even_grid

__all__ = ["PROPERTIES", "Exhausted", "Grid", "GridError", "GridWitness", "even_grid", "exhaust", "exhaust_fractions"]

Floats = NDArray[np.float64]

PROPERTIES = ("dsic", "ir", "budget-balance", "weak-budget-balance", "monotonicity")
"""What can be exhausted."""

_CHUNK = 1 << 16


@dataclass(frozen=True)
class GridWitness:
    """Where a property fails on a grid: reports of all, the agent, its true type and what it comes to.

    ``before`` is its utility by the truth (or the sum of payments, or the allocation), ``after`` what the report
    ``report`` brings instead; equal to ``truth`` where no deviation plays a part. Numbers are floats or fractions.
    """

    agent: int
    truth: tuple[Any, ...]
    report: tuple[Any, ...]
    profile: tuple[tuple[Any, ...], ...]
    before: Any
    after: Any


@dataclass(frozen=True)
class Exhausted:
    """The verdict: ``holds`` on every profile of the grid within ``tolerance`` (0 and ``exact``: no rounding at all).

    ``worst``: the largest gain of a deviation (dsic), minus the lowest utility (ir), the largest imbalance or deficit,
    the largest step the wrong way (monotonicity): above the tolerance it comes with a witness.
    """

    property: str
    holds: bool
    worst: float | Fraction
    tolerance: float
    exact: bool
    profiles: int
    deviations: int
    grid: str
    witness: GridWitness | None

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
    amount, witness = worst() if worst else table.balance(weak=property_id.startswith("weak"))
    exact, size = table.arithmetic()
    tolerance = 0.0 if exact else MONEY * size
    holds = bool(amount <= tolerance)
    deviations = grid.deviations if property_id == "dsic" else 0
    return Exhausted(
        property_id, holds, amount, tolerance, exact, grid.profiles, deviations, grid.words(),
        None if holds else witness,
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

    def dsic(self) -> tuple[float, GridWitness | None]:
        worst: tuple[float, GridWitness | None] = (-math.inf, None)
        for i, count in enumerate(self.grid.counts):
            for t in range(count):
                found = self.around(self.utilities(i, t), i)
                gain = found.max(axis=1) - found[:, t]
                if not gain.max() <= worst[0]:  # not a number counts as worst
                    at = int(gain.argmax())
                    before, after = np.unravel_index(at, gain.shape)
                    said = int(found[before, :, after].argmax())
                    place = (int(before), said, int(after))
                    worst = float(gain.max()), self.witness(i, t, place, found[before, t, after], found[place])
        return worst

    def ir(self) -> tuple[float, GridWitness | None]:
        worst: tuple[float, GridWitness | None] = (-math.inf, None)
        for i, count in enumerate(self.grid.counts):
            for t in range(count):
                found = self.around(self.utilities(i, t), i)[:, t]
                if not -found.min() <= worst[0]:
                    before, after = np.unravel_index(int(found.argmin()), found.shape)
                    worst = float(-found.min()), self.witness(i, t, (int(before), t, int(after)), 0.0, found.min())
        return worst

    def monotonicity(self) -> tuple[float, GridWitness | None]:
        own, role = self.mechanism.space.index(self.mechanism.own), self.mechanism.role
        got = np.concatenate([np.asarray(self.mechanism.allocation(o)) for _, o in self.chunks])
        worst: tuple[float, GridWitness | None] = (0.0, None)
        for i, rows in enumerate(self.grid.types):
            if (np.delete(rows, own, axis=1) != np.delete(rows[:1], own, axis=1)).any():
                raise GridError("monotonicity needs types that differ in the own number only")
            order = np.argsort(rows[:, own])
            steps = np.diff(self.around(got[:, i], i)[:, order], axis=1) * (-1.0 if role == "buyer" else 1.0)
            if steps.size and not steps.max() <= worst[0]:
                before, step, after = (int(x) for x in np.unravel_index(int(steps.argmax()), steps.shape))
                t, said = int(order[step]), int(order[step + 1])
                old, new = (self.around(got[:, i], i)[before, x, after] for x in (t, said))
                worst = float(steps.max()), self.witness(i, t, (before, said, after), old, new)
        return worst

    def balance(self, *, weak: bool) -> tuple[float, GridWitness | None]:
        total = np.concatenate([np.asarray(self.mechanism.payments(o)).sum(axis=-1) for _, o in self.chunks])
        off = -total if weak else np.abs(total)
        at = int(off.argmax())
        rows = self.grid.rows(at, at + 1)[0]
        profile = tuple(tuple(row.tolist()) for row in rows)
        return float(off[at]), GridWitness(0, profile[0], profile[0], profile, 0.0, float(total[at]))

    def witness(self, i: int, t: int, place: tuple[int, int, int], before: float, after: float) -> GridWitness:
        counts = self.grid.counts
        shape = (math.prod(counts[:i]), counts[i], math.prod(counts[i + 1 :]))
        at = int(np.ravel_multi_index(place, shape))
        profile = tuple(tuple(row.tolist()) for row in self.grid.rows(at, at + 1)[0])
        truth = tuple(self.grid.types[i][t].tolist())
        return GridWitness(i, truth, profile[i], profile, float(before), float(after))

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


FractionRule = Callable[[tuple[Fraction, ...]], tuple[Sequence[Fraction], Sequence[Fraction]]]
"""A single-parameter rule on fractions: reports, one per agent, to (allocation, payment)."""


def exhaust_fractions(
    rule: FractionRule, types: Sequence[Sequence[Fraction | int | str]], property_id: str, *, role: str = "buyer"
) -> Exhausted:
    """Check a property of a rule on fractions, one number per agent, on every profile and report; no rounding at all.

    ``types[i]``: the finite types of agent i. ``role`` as in `mechanism.SingleParameter`.

    Raises
    ------
    GridError
        If the grid is empty, too large or holds a type twice, or the property cannot be exhausted.
    """
    axes = [sorted({Fraction(x) for x in row}) for row in types]
    if not axes or not all(axes) or any(len(a) < len(row) for a, row in zip(axes, types, strict=True)):
        raise GridError("a grid needs at least one agent with at least one type, each once")
    if (count := math.prod(len(a) for a in axes)) > MOST_PROFILES:
        raise GridError(f"the grid has {count} profiles; at most {MOST_PROFILES} are exhausted")
    if property_id not in PROPERTIES or role not in ("buyer", "seller"):
        raise GridError(f"{property_id!r} of a {role!r} cannot be exhausted; expected {', '.join(PROPERTIES)}")
    sign = 1 if role == "buyer" else -1
    table = {profile: rule(profile) for profile in itertools.product(*axes)}
    worst, witness = Fraction(0), None

    def note(amount: Fraction, i: int, truth: Fraction, said: tuple[Fraction, ...], before: Any, after: Any) -> None:
        nonlocal worst, witness
        if amount > worst:
            profile = tuple((x,) for x in said)
            worst, witness = amount, GridWitness(i, (truth,), (said[i],), profile, before, after)

    for profile, (got, paid) in table.items():
        if property_id.endswith("budget-balance"):
            total = sign * sum(paid, Fraction(0))
            note(-total if property_id.startswith("weak") else abs(total), 0, profile[0], profile, 0, total)
            continue
        for i, truth in enumerate(profile):
            utility = sign * (truth * got[i] - paid[i])
            if property_id == "ir":
                note(-utility, i, truth, profile, 0, utility)
                continue
            for report in axes[i]:
                said = (*profile[:i], report, *profile[i + 1 :])
                other, price = table[said][0][i], table[said][1][i]
                if property_id == "dsic":
                    lying = sign * (truth * other - price)
                    note(lying - utility, i, truth, said, utility, lying)
                elif report > truth:
                    note(sign * (got[i] - other), i, truth, said, got[i], other)
    deviations = count * sum(len(a) - 1 for a in axes) if property_id == "dsic" else 0
    grid = f"grid of {' x '.join(str(len(a)) for a in axes)} types, {count} profiles"
    return Exhausted(property_id, witness is None, worst, 0.0, True, count, deviations, grid, witness)
