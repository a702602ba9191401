"""Finite grids, exhausted: every profile of types, and all that a property asks of it, on a declared grid.

Whole numbers are covered whole; of real numbers the grid's points, and nothing is said of those between. Numbers that
stand still are named. Where all that a rule answers is a dyadic number with few enough bits, float arithmetic is exact
and the tolerance is 0.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import DirectMechanism, Space
from mechanism.market.accounting import MONEY
from mechanism.wording import count, listed
from proofs_checks.evidence.comparisons import movable
from proofs_checks.evidence.enumeration import effort, looks, problem
from proofs_checks.evidence.outcome_table import OutcomeTable
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.evidence.witness import Witness
from proofs_checks.evidence_errors import OutOfTime
from proofs_checks.properties.expectation import Expected
from proofs_checks.properties.monotone import Monotone
from proofs_checks.properties.property import Check, Property
from proofs_checks.properties.rational import OfOutcomes
from proofs_checks.properties.registry import properties
from proofs_checks.properties.truthful import GroupTruthful, Truthful
from proofs_checks.search import sampling
from proofs_checks.search.cases import Cases, answer, utilities
from proofs_checks.search.grids import Grid, GridError, grid_over, sizes
from proofs_checks.search.searching import Search

Bools = NDArray[np.bool_]

MOST_PROFILES = 1 << 18
"""Profiles of the largest grid that is chosen for a verdict; one that is given may be larger (`grids`)."""

_OF_UTILITIES = (Truthful, GroupTruthful, Monotone, OfOutcomes)
"""What compares single utilities, payments or allocations: as exact as these are."""

_LEAST_POWER, _MOST_POWER = 2, 10
_SHARE = 0.5  # of the time: what a grid may take by the pace of a sample
_BESIDE, _MOST_BESIDE = 0.25, 2.0  # share of the time, and seconds at most, in which all else is searched
_MEASURED = 0.02  # seconds after which a pace is known well enough


@dataclass(frozen=True)
class Exhausted:
    """The verdict: ``holds`` on every profile of the grid within ``tolerance`` (0 and ``exact``: no rounding at all).

    ``worst``: the largest violation seen; where the property fails, ``case`` breaks it by more than that case is
    allowed (P = R = 1).
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
    whole: bool = False

    def words(self) -> str:
        """Return the verdict in a sentence."""
        how = "exactly" if self.exact else f"within {self.tolerance:.3g} of the amounts (floats)"
        checked = f"{self.profiles} profiles" + (f", {self.deviations} deviations" if self.deviations else "")
        verdict = "holds" if self.holds else "fails"
        rest = "these are all types" if self.whole else "nothing is said of types off the grid"
        return f"{self.property} {verdict} {how} on the {self.grid}: {checked}; {rest}"


def exhaust(
    mechanism: DirectMechanism, grid: Grid, asked: Property | str, tick: Callable[[], None] = lambda: None
) -> Exhausted:
    """Check a property on every profile, and all deviations, of a grid; ``tick`` is called all along and may raise.

    ``dsic`` compares U_i(θ_i, r_-i) with every U_i(r_i, r_-i), the others' true types being what they report; an agent
    of ``group-dsic`` deviates with any others. ``bic`` takes the grid's chances. Public numbers are never misreported.
    `GridError` if the grid does not fit the mechanism or the property cannot be exhausted on it.
    """
    prop = properties([asked])[0] if isinstance(asked, str) else asked
    grid.check(mechanism.space)
    if (reason := prop.missing(mechanism) or problem(prop, mechanism, grid)) is not None:
        raise GridError(reason)
    table = OutcomeTable(mechanism, grid, tick)
    worst, failing = -math.inf, None
    for amount, suspects in looks(prop, table):
        worst = max(worst, amount)
        if amount <= (MONEY if failing is None else failing.violation):  # every case is allowed MONEY at least
            continue
        failing = _first_failing(prop, mechanism, suspects, tick) or failing
    exact = isinstance(prop, _OF_UTILITIES) and table.arithmetic() and not 0.0 < worst <= MONEY
    deviations = grid.deviations if isinstance(prop, Truthful) else 0
    return Exhausted(
        prop.name, failing is None, worst, 0.0 if exact else MONEY, exact, grid.profiles, deviations, grid.words(),
        None if failing is None else failing.case, whole(mechanism.space, grid),
    )  # fmt: skip


def _first_failing(prop: Property, mechanism: Any, suspects: Any, tick: Callable[[], None]) -> Check | None:
    for cases in suspects:
        tick()
        if not (check := prop.check(mechanism, cases)).holds:
            return check
    return None


def whole(space: Space, grid: Grid) -> bool:
    """Tell whether the grid holds every type of the space."""
    varying = space.low < space.high
    return not (varying & ~space.integer).any() and list(grid.counts) == sizes(space, varying, 1)


def exhausted_verdict(
    mechanism: DirectMechanism, prop: Property, seconds: float, say: Callable[..., Verdict], given: Grid | None = None
) -> Verdict | str:
    """Return the verdict on the finest grid that there is time for, or on the one given; else why there is none."""
    deadline = time.perf_counter() + seconds
    if (reason := problem(prop, mechanism)) is not None:
        return reason
    grid = given or finest(mechanism, prop, seconds)
    if isinstance(grid, str):
        return grid

    def tick() -> None:
        if time.perf_counter() > deadline:
            raise OutOfTime

    try:
        result = exhaust(mechanism, grid, prop, tick)
    except GridError as error:
        return str(error)
    except OutOfTime:
        if time.perf_counter() <= deadline:
            raise  # somebody else's limit
        return f"the {grid.words()} was not finished within {seconds:.1f} s; give it a larger budget"
    if result.case is not None:
        evidence, _, _ = said_of(prop, mechanism, result, grid, given=given is not None)
        return say(Grade.REFUTED, False, evidence, witness=Witness.of(mechanism, prop, result.case))
    besides = None
    if given is None and not result.whole:
        search = Search(mechanism, prop)
        search.run(min(deadline, time.perf_counter() + min(_BESIDE * seconds, _MOST_BESIDE)))
        if search.found is not None:
            return f"it holds on the {grid.words()} and fails off it"
        besides = search.tried
    evidence, statement, words = said_of(prop, mechanism, result, grid, given=given is not None, besides=besides)
    return replace(say(Grade.EXHAUSTED, True, evidence, bound=words), statement=statement)


def said_of(
    prop: Property, mechanism: DirectMechanism, result: Exhausted, grid: Grid, *, given: bool,
    besides: int | None = None,
) -> tuple[dict[str, Any], str, str]:  # fmt: skip
    """Return evidence, statement and bound of a verdict; ``besides``: how many cases off the grid were tried."""
    fixed = [] if given else fixed_in(mechanism.space, grid)
    evidence = {
        "method": "grid", "grid": result.grid, "profiles": result.profiles,
        "tried": result.deviations or result.profiles, "whole": result.whole, "fixed": fixed,
        "exact": result.exact, "tolerance": result.tolerance, "worst": result.worst,
    }  # fmt: skip
    statement = f"{prop.statement} [{prop.formula}]"
    words = f"{result.words()} that was given" if given else result.words()
    if besides is not None:
        evidence["besides"] = besides
        words += f"; {count(besides)} tried besides, none found"
    if fixed:
        only = f"only with {listed(fixed)} fixed at the middle of {'its' if len(fixed) == 1 else 'their'} bounds"
        statement, words = f"{statement}, {only}", f"{words}; {only}"
    return evidence, statement, words


def fixed_in(space: Space, grid: Grid) -> list[str]:
    """Return the names of numbers that could vary and do not."""
    varying = space.low < space.high
    still = np.stack([(rows == rows[:1]).all(axis=0) for rows in grid.types])
    return [name for c, name in enumerate(space.names) if (varying & still)[:, c].any()]


def finest(mechanism: DirectMechanism, prop: Property, seconds: float = math.inf) -> Grid | str:
    """Return the finest grid that can be gone through, or why there is none.

    All whole numbers, and 2^k + 1 points, 5 at least, of each real one; `MOST_PROFILES` profiles at most, and so many
    that they take half of the time by the pace of a sample. Where not all numbers can move, public ones stand at the
    middle of their bounds, then all that the property does not move.
    """
    space = mechanism.space
    if isinstance(prop, Expected) and ((space.low < space.high) & space.private & ~space.integer).any():
        return "the prior is continuous; give finitely many types (--types FILE) to sum over"
    asking, accounting = _pace(mechanism, seconds)
    cost, profiles = math.inf, math.inf
    for moving in _moving(mechanism, prop):
        best = None
        for points in _points(space, moving):
            counts = sizes(space, moving, points)
            if math.prod(counts) > MOST_PROFILES:
                profiles = math.prod(counts)
                break
            outcomes, accounts = effort(prop, tuple(counts), mechanism)
            cost = outcomes * asking + accounts * accounting
            if cost > _SHARE * seconds:
                break
            best = points
        if best is not None:
            return grid_over(space, moving, best)
    if cost < math.inf:
        return f"the smallest grid would take about {cost:.2g} s of the {seconds:.2g} s; give it a larger budget"
    return f"the smallest grid has {count(int(profiles))} profiles, more than {MOST_PROFILES}"


def grid_named(mechanism: DirectMechanism, prop: Property, words: object, fixed: object) -> Grid | None:
    """Return the grid that `finest` may have taken, by its words and the numbers that stand still in it."""
    space = mechanism.space
    for moving in _moving(mechanism, prop):
        for points in _points(space, moving):
            if math.prod(sizes(space, moving, points)) > MOST_PROFILES:
                break
            grid = grid_over(space, moving, points)
            if grid.words() == words and fixed_in(space, grid) == fixed:
                return grid
    return None


def _moving(mechanism: DirectMechanism, prop: Property) -> tuple[Bools, Bools, Bools]:
    space = mechanism.space
    varying = space.low < space.high
    return varying, varying & space.private, movable(prop, mechanism) & varying


def _points(space: Space, moving: Bools) -> list[int]:
    powers = range(_LEAST_POWER, _MOST_POWER + 1) if (moving & ~space.integer).any() else (0,)
    return [2**power + 1 for power in powers]


def _pace(mechanism: DirectMechanism, seconds: float) -> tuple[float, float]:
    """Return seconds per profile for asking the rule and for accounting, measured on a sample that grows."""
    rng, size = np.random.default_rng(0), 4
    while True:
        profiles = sampling.uniform(mechanism.space, rng, size)
        answer(mechanism, profiles)  # what is compiled on first use is not counted
        started = time.perf_counter()
        outcome = answer(mechanism, profiles)
        asked = time.perf_counter()
        utilities(mechanism, profiles, outcome)
        ended = time.perf_counter()
        if ended - started > min(_MEASURED, 0.02 * seconds) or size >= 4096:
            return (asked - started) / size, (ended - asked) / size
        size *= 8
