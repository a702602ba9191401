"""What a check of a property on given markets finds: the worst violation and where it is."""

from __future__ import annotations

import builtins
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism import MONEY
from mechanism.market.accounting import Accounts

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Check:
    """The worst case of a property over a batch of markets.

    ``violation``: money by which the property is missed in the worst market, relative to that market's scale (at most
    0: it holds with that much to spare). ``absolute``: the largest violation in money. ``where``: batch index of the
    worst case, then client(s). ``checked``: number of inequalities looked at.
    """

    property: str
    violation: float
    absolute: float
    where: tuple[int, ...]
    checked: int

    @builtins.property
    def holds(self) -> bool:
        """Whether no violation exceeds the tolerance for money (mechanism.tolerance)."""
        return self.violation <= MONEY

    def sentence(self) -> str:
        """One line for people."""
        if self.holds:
            return f"{self.property} holds in all {self.checked} cases (worst {self.absolute:.3g})"
        return f"{self.property} is missed by {self.absolute:.6g} at {list(self.where)}"


def scales(accounts: Accounts) -> Array:
    """Return each market's scale ``[...]``: max(1, largest gain, cost, payment of a client), money."""
    parts = (accounts.gain, accounts.cost, accounts.paid, accounts.received, np.abs(accounts.centre))
    return np.maximum(1.0, np.max([np.abs(p).max(axis=-1, initial=0.0) for p in parts], axis=0))


def worst(name: str, violation: Array, scale: Array) -> Check:
    """Return the check of violations ``[..., extra axes]`` in money, ``scale`` ``[...]`` one per market."""
    violation = np.asarray(violation)
    relative = violation / scale.reshape(scale.shape + (1,) * (violation.ndim - scale.ndim))
    if relative.size == 0:
        return Check(name, 0.0, 0.0, (), 0)
    where = tuple(int(k) for k in np.unravel_index(int(np.argmax(relative)), relative.shape))
    # + 0.0: never print -0
    return Check(name, float(relative[where]) + 0.0, float(violation.max()) + 0.0, where, int(relative.size))
