"""Assigning objects without money: agents value objects, each gets at most one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats, Space

OBJECTS = "as many objects as agents, each gets one; private values in [0, 1], no payments"
"""The domain in words."""

Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ObjectAssignment:
    """Every agent reports its value of each object; ``assign(values)`` returns who gets which.

    Private ``object 0``, ``object 1``, … in [0, 1], as many objects as agents unless said; U_i = the true value of its
    object, 0 without one. Only the order of the reports counts: an agent prefers the object with the higher value,
    equal ones by the lowest index, and an object of value 0 to none. An outcome is the index of each agent's object,
    ``[batch, agents]``, -1 for none.
    """

    name: str
    assign: Callable[[Floats], Integers]
    agents: int = 3
    objects: int = 3
    family: Callable[[int], ObjectAssignment] | None = None
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        names = tuple(f"object {k}" for k in range(self.objects))
        object.__setattr__(self, "space", Space(self.agents, names, np.zeros(1), np.ones(1), called="agent"))

    def outcome(self, reports: Floats) -> Integers:
        """Assign on ``[batch, agents, objects]``."""
        return self.assign(reports)

    def utility(self, types: Floats, outcome: Integers) -> Floats:
        """Return the value of the object that each agent holds ``[batch, agents]``."""
        held = np.take_along_axis(types, np.maximum(outcome, 0)[..., None], axis=-1)[..., 0]
        return np.where(outcome >= 0, held, 0.0)

    def payments(self, outcome: Integers) -> Floats:
        """Nobody pays: 0 ``[batch, agents]``."""
        return np.zeros(outcome.shape)

    def consequences(self, outcome: Integers) -> Floats:
        """Return the index of each agent's object ``[batch, agents, 1]``."""
        return outcome[..., None].astype(float)

    def welfare(self, types: Floats, outcome: Integers) -> Floats:
        """Total value ``[batch]``."""
        return np.asarray(self.utility(types, outcome).sum(axis=-1))

    def optimal_welfare(self, types: Floats) -> Floats:
        """Return the best total value of any assignment ``[batch]``."""
        return best_matching(types)

    def resized(self, agents: int) -> ObjectAssignment:
        """Return the same objects for another number of agents."""
        return self.family(agents) if self.family else ObjectAssignment(self.name, self.assign, agents, self.objects)


def preferences(values: Floats) -> Integers:
    """Return each agent's objects from best to worst ``[..., agents, objects]``, equal ones by the lowest index."""
    return np.argsort(-values, axis=-1, kind="stable")


def best_matching(values: Floats) -> Floats:
    """Return the largest total value ``[...]`` of giving each agent at most one of the objects.

    Dynamic programme: best[T] = most that the agents so far can have from objects T, one agent after the other.
    """
    objects = values.shape[-1]
    best = [np.zeros(values.shape[:-2]) for _ in range(2**objects)]
    for i in range(values.shape[-2]):
        best = [
            np.max(
                [best[held]]
                + [best[held & ~(1 << k)] + values[..., i, k] for k in range(objects) if held >> k & 1],
                axis=0,
            )
            for held in range(2**objects)
        ]  # fmt: skip
    return np.asarray(best[-1])
