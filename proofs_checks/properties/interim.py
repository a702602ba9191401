"""Small expected gains, found from one lie that pays: beside the walls where the liar's utility jumps.

A lie that pays against few reports of the others gains little on average, and a random search does not see it. But
where it pays, the liar's utility often jumps somewhere along its own report, the others as in that case. A type just on
one side of such a wall that reports just the other side loses next to nothing elsewhere where the rule is truthful, so
that what is left of the expectation is the jump. These pairs are few, and many draws can be spent on each.
"""

import math
import time
from dataclasses import replace

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.market.accounting import MONEY
from proofs_checks.properties.expectation import MOST_DRAWS, BayesTruthful, Estimate
from proofs_checks.search.cases import Cases, answer, utilities

_SCANNED, _CLOSER = 257, 40
_WALLS = 6
_HALVINGS = 50
_BESIDE = (1e-3, 1e-4, 1e-5)
"""Distances of type and report from a wall, of the way that the report can go."""

_STAGES = (1 << 15, 1 << 18)
"""Draws after which a pair is dropped that all draws would not confirm, two standard errors in its favour."""


def interim_lie(
    mechanism: DirectMechanism, prop: BayesTruthful, hint: Cases, seed: int, seconds: float = math.inf
) -> tuple[Cases | None, int]:
    """Return a case with an expected gain beyond sampling error, or None; and how many pairs were asked.

    ``hint``: a case in which one agent gains by its report. All pairs see the same draws of the others; the one that
    promises most is drawn anew, and its bound allows for having been chosen among all of them. ``seconds``: what would
    not be finished within is left out; without it the result does not depend on the machine's speed.
    """
    until = time.perf_counter() + seconds
    pairs, each = _pairs(
        mechanism, hint
    )  # the fastest pace that was seen: a machine that is busy for a moment is not slow
    rng = np.random.default_rng([seed, 4])
    kept = pairs
    for draws in _STAGES:
        told: list[tuple[float, int, Estimate]] = []
        key = float(rng.integers(1 << 31))
        for place, case in enumerate(kept):
            started = time.perf_counter()
            if started + 2 * draws * each > until:
                break
            found = prop.estimate(mechanism, _drawn(case, key, draws))
            each = min(each, (time.perf_counter() - started) / (2 * draws))
            most = found.at_least(MOST_DRAWS, len(pairs)) + 2.0 * math.sqrt(found.variance / max(1, found.draws))
            if most > MONEY:
                told.append((-found.mean, place, found))
        told.sort(key=lambda one: one[:2])
        kept = [kept[place] for _, place, _ in told]
    if not told:
        return None, len(pairs)
    best = told[0][2]
    enough = (d for d in (1 << 20, 1 << 21) if best.at_least(d, len(pairs)) > 0.5 * best.mean)
    draws = next(enough, MOST_DRAWS)
    case = _drawn(kept[0], float(rng.integers(1 << 31)), draws)
    if time.perf_counter() + 3 * 2 * draws * each > until:  # here, and twice for the witness
        return None, len(pairs)
    sure = prop.estimate(mechanism, case)
    return (case if sure.at_least(pairs=len(pairs)) > MONEY * max(1.0, sure.mean) else None), len(pairs)


def _drawn(case: Cases, key: float, draws: int) -> Cases:
    return replace(case, extra=(("draws", np.array([[key, float(draws)]])),))


def _pairs(mechanism: DirectMechanism, hint: Cases) -> tuple[list[Cases], float]:
    """Return the truths and lies beside each wall and the hint's own, and the seconds that an outcome took at least."""
    space, agent = mechanism.space, int(hint.deviator[0])
    low, high = space.low[agent], space.high[agent]
    truth, lie = hint.types[0, agent], hint.reported[0, 0, agent]
    way = lie - truth
    moved = way != 0.0
    ends = np.stack([low - truth, high - truth])[:, moved] / way[moved]
    first, last = float(ends.min(axis=0).max()), float(ends.max(axis=0).min())

    def rows(at: Floats) -> Floats:
        own = np.clip(truth + at[:, None] * way, low, high)
        return np.clip(np.where(space.integer, np.rint(own), own), low, high)

    each = math.inf

    def utility(at: Floats) -> Floats:
        nonlocal each
        started = time.perf_counter()
        reports = np.repeat(hint.before, len(at), axis=0)
        reports[:, agent] = rows(at)
        types = np.repeat(hint.types, len(at), axis=0)
        told = utilities(mechanism, types, answer(mechanism, reports))[:, agent]
        each = min(each, (time.perf_counter() - started) / len(at))
        return told

    near = (last - first) * 0.5 ** np.arange(1.0, _CLOSER)
    at = np.concatenate([np.linspace(first, last, _SCANNED), [0.0, 1.0], -near, near, 1.0 - near, 1.0 + near])
    at = np.unique(np.clip(at, first, last))
    found = utility(at)
    jumps = np.argsort(-np.abs(np.diff(found)), kind="stable")[: 2 * _WALLS]
    left, right, before, after = at[jumps], at[jumps + 1], found[jumps], found[jumps + 1]
    for _ in range(_HALVINGS):
        middle = 0.5 * (left + right)
        there = utility(middle)
        lower = np.abs(there - before) >= np.abs(after - there)
        left, right = np.where(lower, left, middle), np.where(lower, middle, right)
        before, after = np.where(lower, before, there), np.where(lower, there, after)
    walls = np.flatnonzero(np.abs(after - before) > MONEY * np.maximum(1.0, np.abs(before)))[:_WALLS]
    sides = [(0.0, 1.0)]
    for w in walls:
        for distance in _BESIDE:
            away = distance * (last - first)
            sides += [(left[w] - away, right[w] + away), (right[w] + away, left[w] - away)]
    own = np.unique(rows(np.array(sides).ravel()).reshape(len(sides), 2, -1), axis=0)
    types = np.where(space.private, space.low, hint.types)  # private numbers of others are drawn: no part here
    pairs = []
    for one, other in own[(own[:, 0] != own[:, 1]).any(axis=1)]:
        types[0, agent] = one
        reports = types.copy()
        reports[0, agent] = other
        pairs.append(Cases(types.copy(), types.copy(), reports[:, None], hint.deviators))
    return pairs, each
