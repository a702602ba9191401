"""The smallest story that still tells it: fewer agents, short decimals, most of the violation kept."""

import time
from dataclasses import replace

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.errors import MarketProofError
from proofs_checks.properties.property import Property, Rng
from proofs_checks.properties.split_merge import resized
from proofs_checks.properties.symmetry import relabelled
from proofs_checks.search.cases import Cases
from proofs_checks.search.pacing import FAST, Clock, Pace
from proofs_checks.search.searching import CLIMBERS, climb

DIGITS = (1, 2, 3)
"""Significant digits that are tried, fewest first."""

_KEEP, _ROOM = 0.2, 10.0


def shrink(
    mechanism: DirectMechanism, prop: Property, case: Cases, rng: Rng, seconds: float = 2.0, pace: Pace = FAST
) -> tuple[DirectMechanism, Cases]:
    """Return a smaller case of the same violation, and the mechanism for as many agents as it has left.

    First the violation is enlarged by climbing, then agents that play no part are left out, then every number becomes
    as short as it can while a fifth of the violation stays (or, where that leaves long numbers, ten tolerances).
    Deterministic in ``rng`` unless the time runs out.
    """
    deadline = time.perf_counter() + seconds
    clock, early = Clock(deadline, pace), Clock(deadline - 0.7 * seconds, pace)
    if not clock.fits(calls=8):
        return mechanism, case
    height = float(prop.violation(mechanism, case).max())
    for _ in range(6):
        if prop.costly or not early.fits(rows=6 * CLIMBERS):
            break
        higher, height, _ = climb(mechanism, prop, case, rng, rounds=3)
        if height <= prop.tolerance(prop.numbers(mechanism, higher)):
            break
        case = higher
    mechanism, case = _fewer(mechanism, prop, case, clock)
    height = float(prop.violation(mechanism, case).max())
    least = _ROOM * prop.tolerance(prop.numbers(mechanism, case))
    for need in dict.fromkeys((max(_KEEP * height, least), min(least, 0.5 * height))):
        case = _shorter(mechanism, prop, case, need, clock)
        if longest(case) <= DIGITS[-1]:
            break
    told = _without_idle(mechanism, prop, case) if clock.fits(calls=12) else case
    return (mechanism, case) if told is case else _fewer(mechanism, prop, told, clock)


def _without_idle(mechanism: DirectMechanism, prop: Property, case: Cases) -> Cases:
    """Take those from the deviators who report the truth and whom the violation does not need."""
    if case.deviators is None or case.after is None or case.after.shape[1] > 1 or case.deviators.sum() < 2:
        return case
    idle = case.deviators[0] & (case.after[0, 0] == case.before[0]).all(axis=-1)
    for member in np.flatnonzero(idle):
        who = case.deviators.copy()
        who[0, member] = False
        fewer = replace(case, deviators=who)
        if who.any() and prop.violation(mechanism, fewer).max() > prop.tolerance(prop.numbers(mechanism, fewer)):
            case = fewer
            assert case.deviators is not None
    return case


def _fewer(mechanism: DirectMechanism, prop: Property, case: Cases, clock: Clock) -> tuple[DirectMechanism, Cases]:
    agent = case.types.shape[1] - 1
    while agent >= 0 and case.types.shape[1] > 2 and clock.fits(calls=4):
        smaller = resized(mechanism, case.types.shape[1] - 1)
        shorter = None if smaller is None else without(mechanism, case, agent)
        if smaller is not None and shorter is not None and prop.missing(smaller) is None:
            try:
                fits = _inside(smaller, shorter)
                found = float(prop.violation(smaller, shorter).max()) if fits else -np.inf
                enough = found > 0 and found > _ROOM * prop.tolerance(prop.numbers(smaller, shorter))
            except (MarketProofError, IndexError, ValueError):
                enough = False
            if enough:
                mechanism, case = smaller, shorter
        agent -= 1
    return mechanism, case


def _inside(mechanism: DirectMechanism, case: Cases) -> bool:
    space = mechanism.space
    if case.types.shape[1:] != (space.agents, space.k):
        return False
    return all(bool(((a >= space.low) & (a <= space.high)).all()) for a in _arrays(case))


def without(mechanism: DirectMechanism, case: Cases, agent: int) -> Cases | None:
    """Return the case without an agent that is not part of the story, or None if it is."""
    n = case.types.shape[1]
    if n < 2 or (case.deviators is not None and case.deviators[0, agent]):
        return None
    stay = np.delete(np.arange(n), agent)
    extra = []
    for name, array in case.extra:
        if name in ("agent", "pair"):
            if (array == agent).any():
                return None
            array = array - (array > agent)
        elif name == "order":
            kept = array[0][array[0] != agent]
            array = (kept - (kept > agent))[None]
            if (array[0] == np.arange(n - 1)).all():
                return None
        extra.append((name, array))

    def part(profiles: Floats) -> Floats:
        flat = profiles.reshape(-1, *profiles.shape[-2:])
        return relabelled(mechanism, flat, stay).reshape(*profiles.shape[:-2], n - 1, -1)

    return Cases(
        part(case.types),
        part(case.before),
        None if case.after is None else part(case.after),
        None if case.deviators is None else case.deviators[:, stay],
        tuple(extra),
    )


def _shorter(mechanism: DirectMechanism, prop: Property, case: Cases, need: float, clock: Clock) -> Cases:
    for digits in DIGITS:
        if not clock.fits(calls=6):
            return case
        rounded = _tried(mechanism, prop, case, [_all_rounded(mechanism, case, digits)], need)
        if rounded is not None:
            case = rounded
            break
    for _ in range(3):
        before = case
        for variable in _variables(case):
            value = variable[1]
            options = [v for v in _simpler(mechanism, variable) if _cost(v) < _cost(value)]
            candidates = [_with(case, variable, v) for v in sorted(options, key=_cost)]
            if not clock.fits(calls=4, rows=2 * len(candidates)):
                return case
            better = _tried(mechanism, prop, case, candidates, need)
            case = case if better is None else better
        if case is before:
            break
    return case


Variable = tuple[int, float, int | None]
"""A number of the case wherever it occurs: column, value, and agent (None: every agent that has it)."""


def _arrays(case: Cases) -> list[Floats]:
    """Return the arrays of the case that hold reports or types, axes ``[..., k]``."""
    return [case.types, case.before, *([] if case.after is None else [case.after])]


def _names(case: Cases) -> list[Floats]:
    return [array for name, array in case.extra if name in ("first", "second")]


def _variables(case: Cases) -> list[Variable]:
    """Return every number: shared among agents first, then each alone."""
    found: list[Variable] = []
    for column in range(case.types.shape[-1]):
        values = np.concatenate([a[..., column].ravel() for a in _arrays(case)])
        unique, counts = np.unique(values, return_counts=True)
        shared = [float(v) for v, c in zip(unique, counts, strict=True) if c > len(_arrays(case))]
        found += [(column, v, None) for v in shared]
        for agent in range(case.types.shape[1]):
            own = {float(v) for a in _arrays(case) for v in a[..., agent, column].ravel()}
            found += [(column, v, agent) for v in sorted(own)]
        found += [(column, float(v), None) for a in _names(case) for v in a[..., column].ravel()]
    return found


def _with(case: Cases, variable: Variable, value: float) -> Cases:
    column, old, agent = variable
    changed = []
    for array in _arrays(case):
        copy = array.copy()
        part = copy[..., column] if agent is None else copy[..., agent, column]
        part[part == old] = value
        changed.append(copy)
    extra = []
    for name, array in case.extra:
        if name in ("first", "second") and agent is None:
            array = array.copy()
            array[..., column][array[..., column] == old] = value
        extra.append((name, array))
    return Cases(changed[0], changed[1], changed[2] if len(changed) > 2 else None, case.deviators, tuple(extra))


def _simpler(mechanism: DirectMechanism, variable: Variable) -> list[float]:
    column, value, agent = variable
    space = mechanism.space
    rows = range(space.agents) if agent is None else [agent]
    low, high = max(space.low[a, column] for a in rows), min(space.high[a, column] for a in rows)
    options = {0.0, 1.0, float(low), float(high)}
    for digits in DIGITS:
        options |= set(_rounded(value, digits))
    inside = [v for v in options if low <= v <= high]
    return [v for v in inside if not space.integer[column] or v == round(v)]


def _rounded(value: float, digits: int) -> tuple[float, float, float]:
    """Round to significant digits: to the nearest, down and up."""
    if value == 0.0:
        return (0.0, 0.0, 0.0)
    place = digits - 1 - int(np.floor(np.log10(abs(value))))
    unit = 10.0 ** (-place)
    steps = (round(value / unit), np.floor(value / unit), np.ceil(value / unit))
    return tuple(round(float(s) * unit, max(0, place)) for s in steps)  # type: ignore[return-value]


def _all_rounded(mechanism: DirectMechanism, case: Cases, digits: int) -> Cases:
    space = mechanism.space

    def rounded(array: Floats) -> Floats:
        flat = np.array([_rounded(v, digits)[0] for v in array.ravel()]).reshape(array.shape)
        return np.clip(np.where(space.integer, array, flat), space.low, space.high)

    return case.with_arrays(
        rounded(case.types), rounded(case.before), None if case.after is None else rounded(case.after)
    )


def _tried(
    mechanism: DirectMechanism, prop: Property, case: Cases, candidates: list[Cases], need: float
) -> Cases | None:
    """Return the first candidate that still breaks the property by ``need``."""
    if not candidates:
        return None

    def stack(parts: list[Floats | None]) -> Floats | None:
        return None if parts[0] is None else np.concatenate([p for p in parts if p is not None])

    count = len(candidates)
    types, before, after = (stack([getattr(c, name) for c in candidates]) for name in ("types", "before", "after"))
    assert types is not None
    assert before is not None
    extra = tuple((name, np.concatenate([dict(c.extra)[name] for c in candidates])) for name, _ in case.extra)
    together = Cases(
        types, before, after, None if case.deviators is None else np.repeat(case.deviators, count, axis=0), extra
    )
    found = prop.violation(mechanism, together).max(axis=1)
    for position in np.flatnonzero(found >= need):
        chosen = candidates[int(position)]
        if prop.violation(mechanism, chosen).max() > prop.tolerance(prop.numbers(mechanism, chosen)):
            return chosen
    return None


def _cost(value: float) -> tuple[int, int]:
    """Order numbers by how long they are to say."""
    if value == 0.0:
        return (0, 0)
    digits = f"{abs(value):.15g}"
    significant = digits.split("e")[0].replace(".", "").strip("0")
    return (len(significant), len(digits))


def longest(case: Cases) -> int:
    """Return the most significant digits among the numbers of a case."""
    return max(_cost(float(v))[0] for array in _arrays(case) + _names(case) for v in array.ravel())
