"""What needles are made of: linear utilities over several numbers, peaks, and a rule with the properties it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mechanism import DirectMechanism, Space
from mechanism.direct import Floats

Rng = np.random.Generator
Bundles = Callable[[Floats], tuple[Floats, Floats]]
"""Reports ``[batch, n, k]`` to (units of each coordinate ``[batch, n, k]``, payment ``[batch, n]``)."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """What each agent gets of each coordinate ``[batch, n, k]`` and pays ``[batch, n]``."""

    got: Floats
    payment: Floats


@dataclass(frozen=True, eq=False)
class Linear:
    """Agents with k numbers each, worth per unit of k things: utility = sum_c type_c · got_c - payment."""

    rule: Bundles
    agents: int
    k: int
    low: float
    high: float
    name: str
    optimum: Callable[[Floats], Floats] | None = None
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        names = tuple(f"worth_{c}" for c in range(self.k))
        space = Space(self.agents, names, np.asarray(self.low), np.asarray(self.high))
        object.__setattr__(self, "space", space)

    def outcome(self, reports: Floats) -> Bundle:
        """Apply the rule."""
        return Bundle(*self.rule(reports))

    def utility(self, types: Floats, outcome: Bundle) -> Floats:
        """Worth of what one gets, less the payment."""
        return np.asarray((types * outcome.got).sum(axis=-1) - outcome.payment)

    def payments(self, outcome: Bundle) -> Floats:
        """Payments to the centre."""
        return outcome.payment

    def welfare(self, types: Floats, outcome: Bundle) -> Floats:
        """Total worth ``[batch]``."""
        return np.asarray((types * outcome.got).sum(axis=(-1, -2)))

    def optimal_welfare(self, types: Floats) -> Floats:
        """Return the declared optimum."""
        assert self.optimum is not None
        return self.optimum(types)


@dataclass(frozen=True, eq=False)
class Peaks(Linear):
    """One place for all, ``got`` the same for everybody: utility = -|place - peak|, and no staying out."""

    voluntary = False

    def utility(self, types: Floats, outcome: Bundle) -> Floats:
        """Minus the distance, less the payment."""
        return np.asarray(-np.abs(types - outcome.got).sum(axis=-1) - outcome.payment)


@dataclass(frozen=True, eq=False)
class Sound:
    """A rule, the properties that it has by construction, and why. ``landmark``: a number at which it is special."""

    mechanism: DirectMechanism
    holds: tuple[str, ...]
    words: str
    landmark: Floats | None = None


@dataclass(frozen=True)
class Domain:
    """Agents and the interval of their numbers."""

    agents: int
    low: float
    high: float

    @property
    def span(self) -> float:
        """Length of the interval."""
        return self.high - self.low

    def at(self, share: Any) -> Any:
        """Return the number at a share of the interval, computed as lattices are: low + span · share."""
        return self.low + self.span * share


def domain(rng: Rng, agents: tuple[int, int] = (2, 5), powers: tuple[float, float] = (-3.0, 6.0)) -> Domain:
    """Draw how many agents there are and a scale 10^powers; half of the intervals begin at 0."""
    high = float(np.round(10.0 ** rng.uniform(*powers), 6))
    low = 0.0 if rng.random() < 0.5 else float(np.round(high * rng.uniform(0.0, 0.5), 6))
    return Domain(int(rng.integers(agents[0], agents[1] + 1)), low, high)


def others(bids: Floats, i: int, kind: str) -> Floats:
    """Return max, min or mean of the others ``[batch]``, in which the own bid plays no part, not even by rounding."""
    rest = np.delete(bids, i, axis=1)
    if kind == "mean":
        return np.asarray(rest.mean(axis=1))
    return np.asarray(rest.max(axis=1) if kind == "max" else rest.min(axis=1))
