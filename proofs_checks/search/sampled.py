"""Randomised rules: what a report comes to on average over the rule's own draws, and how sure that is.

A rule is asked in calls, each with fresh randomness and every report in several rows; calls are independent, rows of
one call need not be. Where the randomness comes from `numpy.random`, `random`, or a generator that the mechanism keeps
as ``rng``, call k of the truth and call k of the lie draw the same numbers.
"""

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from mechanism.direct import Floats, Space
from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import MONEY
from proofs_checks.properties.monotone import Monotone
from proofs_checks.properties.property import Property
from proofs_checks.properties.rational import Balanced, Rational
from proofs_checks.properties.truthful import Truthful
from proofs_checks.search.cases import Cases, answer, part, payments, utilities

MOST_CALLS, MOST_ROWS = 1 << 16, 256


@dataclass(frozen=True, eq=False)
class Averaged:
    """A randomised mechanism as one whose utilities, payments and allocations are means over ``calls`` times ``rows``.

    ``values`` are checked against `amounts`: bounds rest on them.
    """

    mechanism: Any
    calls: int
    rows: int
    seed: int

    def __post_init__(self) -> None:
        if not (1 <= self.calls <= MOST_CALLS and 1 <= self.rows <= MOST_ROWS and self.seed >= 0):
            raise ValueError(f"expected 1 to {MOST_CALLS} calls of 1 to {MOST_ROWS} rows and a seed >= 0")

    @property
    def space(self) -> Space:
        """As the rule's."""
        space: Space = self.mechanism.space
        return space

    def __getattr__(self, name: str) -> Any:
        return getattr(self.mechanism, name)

    @property
    def words(self) -> str:
        """What a sentence about it begins with."""
        return f"on average over {self.calls * self.rows} samples (seed {self.seed}), "

    def outcome(self, reports: Floats) -> list[Any]:
        """Ask all calls, each for ``reports`` ``[P, n, k]`` in ``rows`` rows."""
        repeated = np.repeat(reports, self.rows, axis=0)
        with _kept(self.mechanism):
            found = []
            for call in range(self.calls):
                _seeded(self.mechanism, self.seed + call)
                found.append(answer(self.mechanism, repeated))
        return found

    def each(self, name: str, types: Floats, outcome: list[Any]) -> Floats:
        """Return utility, payment or allocation by call, ``[calls, P, n]``: means over the rows of a call."""
        repeated = np.repeat(types, self.rows, axis=0)
        low, high = amounts(self.mechanism)
        found = np.empty((len(outcome), *types.shape[:-1]))
        for call, one in enumerate(outcome):
            if name == "utility":
                values = utilities(self.mechanism, repeated, one)
            elif name == "payment":
                values = payments(self.mechanism, repeated, one)
            else:
                values = part(self.mechanism, "allocation", repeated, one)
            if values.min() < low - MONEY or values.max() > high + MONEY:
                worst = values.min() if values.min() < low else values.max()
                raise InvalidMechanismError(
                    f"{name} {worst:g} lies outside [{low:g}, {high:g}], on which the bounds rest; say what one agent "
                    "gains, pays or gets at least and at most: amounts=(low, high) of single_parameter, or on the "
                    "mechanism"
                )
            found[call] = values.reshape(len(types), self.rows, -1).mean(axis=1)
        return found

    def utility(self, types: Floats, outcome: list[Any]) -> Floats:
        """Return mean utility ``[P, n]``."""
        return np.asarray(self.each("utility", types, outcome).mean(axis=0))

    def payments(self, outcome: list[Any]) -> Floats:
        """Return mean payments ``[P, n]``."""
        found = [np.asarray(self.mechanism.payments(one), dtype=np.float64) for one in outcome]
        return np.asarray(np.mean(found, axis=0).reshape(-1, self.rows, self.space.agents).mean(axis=1))

    def allocation(self, outcome: list[Any]) -> Floats:
        """Return mean allocations ``[P, n]``."""
        found = [np.asarray(self.mechanism.allocation(one), dtype=np.float64) for one in outcome]
        return np.asarray(np.mean(found, axis=0).reshape(-1, self.rows, self.space.agents).mean(axis=1))


def amounts(mechanism: Any) -> tuple[float, float]:
    """Return bounds of what one agent gains, pays or gets in one draw: declared, else ± the largest private number."""
    declared = getattr(mechanism, "amounts", None)
    if declared is not None:
        low, high = (float(x) for x in declared)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InvalidMechanismError(f"amounts are {declared}; expected finite numbers (low, high)")
        return low, high
    space = mechanism.space
    largest = max(1.0, float(np.abs(np.stack([space.low, space.high]))[:, space.private].max(initial=0.0)))
    return -largest, largest


@contextmanager
def _kept(mechanism: Any) -> Iterator[None]:
    """Give the generators back as they were."""
    own = getattr(mechanism, "rng", None)
    state = own.bit_generator.state if isinstance(own, np.random.Generator) else None
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002 - what users' rules draw from
    try:
        yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
        if own is not None and state is not None:
            own.bit_generator.state = state


def _seeded(mechanism: Any, seed: int) -> None:
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)
    own = getattr(mechanism, "rng", None)
    if isinstance(own, np.random.Generator):
        own.bit_generator.state = type(own.bit_generator)(seed).state


def problem(prop: Property, mechanism: Any) -> str | None:
    """Say why the property is not estimated for randomised rules, or None."""
    whole = isinstance(prop, Rational) and prop.part is None
    if whole or isinstance(prop, Truthful | Balanced | Monotone):
        return None
    return f"{prop.name} is not estimated for randomised rules; dsic, expost, ir, balance and monotonicity are"


def estimate(prop: Any, averaged: Averaged, case: Cases, doubt: float) -> tuple[float, float]:
    """Return the mean violation of one case and the radius beyond which it errs with chance ``doubt`` at most.

    The smaller of Hoeffding's radius, R sqrt(log(1/δ) / 2N), and the empirical Bernstein one (Maurer and Pontil 2009),
    each at half the doubt; N calls, R the range of one call's value by `amounts`.
    """
    low, high = amounts(averaged.mechanism)
    before = averaged.outcome(case.before)
    if isinstance(prop, Truthful | Monotone):
        who = int(case.deviator[0])
        name = "allocation" if isinstance(prop, Monotone) else "utility"
        after = averaged.outcome(case.reported[:, 0])
        values = (averaged.each(name, case.types, after) - averaged.each(name, case.types, before))[:, 0, who]
        reach = 2.0 * (high - low)
        if isinstance(prop, Monotone):
            own = averaged.space.index(averaged.own)
            rise = case.reported[0, 0, who, own] - case.before[0, who, own]
            values = -np.sign(rise) * values * (1.0 if averaged.role == "buyer" else -1.0)
    elif isinstance(prop, Rational):
        values = -averaged.each("utility", case.types, before)[:, 0]
        values = values[:, int(values.mean(axis=0).argmax())]
        doubt, reach = doubt / averaged.space.agents, high - low  # one agent of n, chosen by what is seen
    else:
        total = averaged.each("payment", case.types, before)[:, 0].sum(axis=1)
        values = -total if prop.weak or total.mean() < 0 else total
        doubt, reach = doubt / 2.0, averaged.space.agents * (high - low)  # one sign of two
    count, log = len(values), math.log(4.0 / doubt)
    hoeffding = reach * math.sqrt(math.log(2.0 / doubt) / (2.0 * count))
    spread = float(values.var(ddof=1)) if count > 1 else math.inf
    bernstein = math.sqrt(2.0 * spread * log / count) + 7.0 * reach * log / (3.0 * max(1, count - 1))
    return float(values.mean()), min(hoeffding, bernstein)
