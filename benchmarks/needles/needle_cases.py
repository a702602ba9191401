"""A planted defect, the case that proves it, and what the case gives by the definitions (no engine in between)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from needle_forms import Domain, Linear, Rng, Sound, domain

from mechanism import DirectMechanism, SingleParameter
from mechanism.direct import Floats

Twist = Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]
"""Reports, units and what each agent pays, to units and payments with a defect (it may write into the last two)."""

PROFILES, REPORTS = 300, 40
"""Profiles and reports that are tried with the plant's secret known."""

Family = Callable[[Rng, Domain], Sound]
"""A family of sound rules."""

ABSOLUTE, RELATIVE = 1e-6, 1e-7
"""A planted case breaks its property by more than this, absolutely and relative to the amounts in it."""


@dataclass(frozen=True, eq=False)
class Planted:
    """One case: true types ``[n, k]``, what is reported instead ``[n, k]`` (None: the truth), a relabelling (or None).

    ``agent``: the one whose report differs (of a coalition: any of them).
    """

    types: Floats
    reports: Floats | None = None
    agent: int = 0
    order: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class Needle:
    """A mechanism and a property of which the truth is known; ``case`` shows the defect, ``holds`` what is sound.

    ``share``: the part of the type space, by volume, in which the rule was changed (0: a null set).
    """

    mechanism: DirectMechanism
    property: str
    sound: bool
    kind: str
    description: str
    holds: tuple[str, ...] = ()
    case: Planted | None = None
    share: float = 0.0


@dataclass(frozen=True, eq=False)
class Box:
    """A box of profiles: bounds ``[n, k]``, those of the space where a coordinate is free."""

    low: Floats
    high: Floats

    def inside(self, reports: Floats) -> Any:
        """Tell which profiles ``[batch, n, k]`` are in it."""
        return ((reports >= self.low) & (reports <= self.high)).all(axis=(1, 2))

    def draw(self, rng: Rng, count: int) -> Floats:
        """Draw profiles in it."""
        return np.asarray(self.low + (self.high - self.low) * rng.random((count, *self.low.shape)))


def random_box(rng: Rng, mechanism: DirectMechanism, share: float) -> Box:
    """Draw a box that holds ``share`` of the types by volume, anywhere, in one to four of their coordinates."""
    space = mechanism.space
    cells = space.agents * space.k
    bound = rng.choice(cells, size=min(cells, int(rng.integers(1, 5))), replace=False)
    side = np.ones(cells)
    side[bound] = share ** rng.dirichlet(np.full(len(bound), 3.0))
    start = rng.random(cells) * (1.0 - side)
    span = space.high - space.low
    low = space.low + span * start.reshape(span.shape)
    return Box(low, np.minimum(space.high, low + span * side.reshape(span.shape)))


def twisted(sound: Sound, twist: Twist) -> DirectMechanism:
    """Return the rule with its answers changed. Payments are what agents pay, whatever the role."""
    base: Any = sound.mechanism
    if isinstance(base, Linear):

        def bundles(reports: Floats) -> tuple[Floats, Floats]:
            got, paid = base.rule(reports)
            return twist(reports, got, paid)

        return replace(base, rule=bundles)
    assert isinstance(base, SingleParameter)
    sign = 1.0 if base.role == "buyer" else -1.0

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        got, paid = base.rule(bids)
        units = np.array(got, dtype=np.float64)[..., None]
        units, money = twist(bids[..., None], units, sign * np.asarray(paid, dtype=np.float64))
        return units[..., 0], sign * money

    return replace(base, rule=rule)


def lies(mechanism: DirectMechanism, types: Floats, agent: int, rows: Floats) -> tuple[Floats, Floats]:
    """All utilities by the truth ``[P, n]``, and ``[P, R, n]`` when the agent reports its rows ``[P, R, k]``."""
    p, r, k = rows.shape
    n = types.shape[1]
    said = np.repeat(types[:, None], r, axis=1)
    said[:, :, agent] = rows
    truth = mechanism.utility(types, mechanism.outcome(types))
    true = np.repeat(types, r, axis=0)
    return truth, mechanism.utility(true, mechanism.outcome(said.reshape(p * r, n, k))).reshape(p, r, n)


def violation(mechanism: DirectMechanism, property_id: str, case: Planted) -> tuple[float, float]:
    """Return by how much the case breaks the property, and the largest amount in it, straight from the definitions."""
    m: Any = mechanism
    types = case.types[None]
    out = m.outcome(types)
    utility, paid = m.utility(types, out)[0], m.payments(out)[0]
    size = float(max(np.abs(utility).max(), np.abs(paid).max()))
    if property_id == "ir":
        return float(-utility.min()), size
    if property_id == "budget-balance":
        return float(abs(paid.sum())), size
    if property_id == "weak-budget-balance":
        return float(-paid.sum()), size
    if property_id == "efficiency":
        best = float(m.optimal_welfare(types)[0])
        return best - float(m.welfare(types, out)[0]), abs(best)
    if property_id == "anonymity":
        order = np.array(case.order)
        moved = types[:, order]
        after = m.outcome(moved)
        off = np.abs(m.utility(moved, after)[0] - utility[order]).max()
        return float(max(off, np.abs(m.payments(after)[0] - paid[order]).max())), size
    assert case.reports is not None
    said, who = case.reports[None], case.agent
    answer = m.outcome(said)
    other = m.utility(types, answer)[0]
    size = max(size, float(np.abs(other).max()), float(np.abs(m.payments(answer)[0]).max()))
    if property_id == "dsic":
        return float(other[who] - utility[who]), size
    if property_id == "group-dsic":
        members = (case.reports != case.types).any(axis=1)
        gain = (other - utility)[members]
        return (float(gain.max()) if gain.min() >= 0.0 else float(gain.min())), size
    if property_id == "monotonicity":
        sign = 1.0 if m.role == "buyer" else -1.0
        change = float(m.allocation(answer)[0, who] - m.allocation(out)[0, who])
        rise = float(case.reports[who, 0] - case.types[who, 0])
        return -sign * np.sign(rise) * change, 1.0
    assert property_id == "cyclic-monotonicity"
    there = types.copy()  # the other end of the cycle, true there
    there[0, who] = case.reports[who]
    kept = m.utility(there, answer)[0, who] + utility[who]
    return float(other[who] + m.utility(there, out)[0, who] - kept), size


def enough(mechanism: DirectMechanism, property_id: str, case: Planted) -> bool:
    """Tell whether the case breaks the property beyond any doubt."""
    found, size = violation(mechanism, property_id, case)
    return found > ABSOLUTE and found > RELATIVE * size


def span_of(mechanism: DirectMechanism) -> float:
    """Return the length of the longest interval of a number."""
    return float((mechanism.space.high - mechanism.space.low).max())


def corner_share(rng: Rng) -> float:
    """Volume of a corner: 1e-3 to 3e-2 of the types, log-uniform."""
    return float(10.0 ** rng.uniform(-3.0, -1.5))


def best_lie(
    mechanism: DirectMechanism, types: Floats, agent: int, rng: Rng, extra: Floats | None = None
) -> Planted | None:
    """Return the best lie of one agent over profiles; ``extra`` ``[P, R, k]``: rows to report beside random ones."""
    space = mechanism.space
    rows = rng.uniform(space.low[agent], space.high[agent], (len(types), REPORTS, space.k))
    rows = rows if extra is None else np.concatenate([rows, extra], axis=1)
    truth, lie = lies(mechanism, types, agent, rows)
    gain = lie[..., agent] - truth[:, None, agent]
    at, row = (int(x) for x in np.unravel_index(int(gain.argmax()), gain.shape))
    said = types[at].copy()
    said[agent] = rows[at, row]
    return Planted(types[at], said, agent)


def uniform(mechanism: DirectMechanism, rng: Rng, count: int = PROFILES) -> Floats:
    """Draw profiles uniformly."""
    space = mechanism.space
    return np.asarray(rng.uniform(space.low, space.high, (count, space.agents, space.k)))


def needle_if(
    mechanism: DirectMechanism, prop: str, kind: str, words: str, case: Planted | None, share: float
) -> Needle | None:
    """Return the needle if its case proves it, else None."""
    if case is None or not enough(mechanism, prop, case):
        return None
    return Needle(mechanism, prop, False, kind, words, case=case, share=share)


def one_of(rng: Rng, families: tuple[Family, ...], d: Domain | None = None) -> Sound:
    """Draw a rule of one of the families."""
    return families[int(rng.integers(len(families)))](rng, domain(rng) if d is None else d)
