"""Exhaustive verdicts: every profile and report of a grid as fine as can be gone through."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from mechanism.direct import DirectMechanism
from proofs_checks.evidence.exhaustive import Exhausted, exhaust
from proofs_checks.evidence.grids import Grid, even_grid
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.evidence.witness import Witness
from proofs_checks.properties.monotone import Monotone
from proofs_checks.properties.property import Property
from proofs_checks.properties.rational import Balanced, Rational
from proofs_checks.properties.truthful import Truthful
from proofs_checks.search import sampling
from proofs_checks.search.cases import Cases, answer, utilities
from proofs_checks.search.lines import linear

MOST_PROFILES = 1 << 18

_SAMPLE = 1024


def exhausted_verdict(
    mechanism: DirectMechanism, prop: Property, seconds: float, told: Callable[..., Verdict]
) -> Verdict:
    """Return the verdict on an even grid of 2^k + 1 points per number, as fine as time and `MOST_PROFILES` allow."""
    question = _question(prop)
    if question is None:
        return told(Grade.UNKNOWN, None, {"reason": f"{prop.name} cannot be exhausted on a grid"})
    names = [prop.coordinate] if isinstance(prop, Truthful) and prop.coordinate else None
    if isinstance(prop, Monotone):
        names = [mechanism.own]  # type: ignore[attr-defined]
    grid = finest(mechanism, names, seconds)
    if grid is None:
        return told(
            Grade.UNKNOWN, None, {"reason": f"even two points per number are more than {MOST_PROFILES} profiles"}
        )
    result = exhaust(mechanism, grid, question)
    evidence = {
        "method": "grid", "grid": result.grid, "profiles": result.profiles,
        "tried": result.deviations or result.profiles,
        "exact": result.exact, "tolerance": float(result.tolerance), "worst": float(result.worst),
    }  # fmt: skip
    if result.holds:
        return told(Grade.EXHAUSTED, True, evidence, bound=result.words())
    return told(Grade.REFUTED, False, evidence, witness=_witness(mechanism, prop, result))


def _question(prop: Property) -> str | None:
    if isinstance(prop, Truthful):
        return "dsic"
    if isinstance(prop, Rational):
        return "ir" if prop.part is None else None
    return prop.id if isinstance(prop, Balanced | Monotone) else None


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


def _witness(mechanism: DirectMechanism, prop: Property, result: Exhausted) -> Witness:
    found = result.witness
    assert found is not None
    before = np.array([list(row) for row in found.profile], dtype=np.float64)[None]
    after = before[:, None].copy()
    before[0, found.agent] = found.truth
    who = np.zeros((1, before.shape[1]), dtype=np.bool_)
    who[0, found.agent] = True
    moved = isinstance(prop, Truthful | Monotone)
    case = Cases(before, before.copy(), after if moved else None, who if moved else None)
    return Witness.of(mechanism, prop, case)
