"""What a run recorded, as arrays: a method's trace, its ledger, and one clearing. `records` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mechanism import Market, Types
from mechanism.market.gains import GainLaw, SqrtGain

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

HARMFUL = ("attacker", "free-rider")
"""Roles whose own accuracy and utility nobody averages."""


@dataclass(frozen=True, eq=False)
class Trace:
    """What happened to every client in every round under one method; each ``[seeds, rounds, m]``.

    ``accuracy`` in [0, 1], ``loss`` of the test set (may be infinite where training diverged), then money: ``gain``,
    ``cost``, ``paid``, ``received`` (gross), ``utility``; ``imports`` and ``exports`` count models. ``present``: who
    took part (all, where a run did not record it). ``roles`` ``[seeds, m]`` in words ("honest" likewise).
    """

    accuracy: Real
    loss: Real
    gain: Real
    cost: Real
    paid: Real
    received: Real
    utility: Real
    imports: Whole
    exports: Whole
    present: NDArray[np.bool_]
    roles: NDArray[np.str_]

    @property
    def benign(self) -> NDArray[np.bool_]:
        """Who counts in accuracy and utility, as in the paper: all but attackers and free-riders, ``[seeds, m]``."""
        return ~np.isin(self.roles, HARMFUL)


@dataclass(frozen=True, eq=False)
class Ledger:
    """One entry per import under one method, arrays ``[n]``: ``seed`` an index, ``round`` from 1, then money."""

    seed: Whole
    round: Whole
    importer: Whole
    exporter: Whole
    payment: Real
    cost: Real
    difference: Real
    penalty: Real


@dataclass(frozen=True, eq=False)
class MarketRound:
    """One recorded clearing: true types and reports ``[m]``, differences, imports and prices ``[m, m]``, ``lam``.

    ``present`` ``[m]``: who took part (all, where the run did not record it). ``law``: the public gain law, measured or
    the paper's.
    """

    lam: float
    differences: Real
    size: Real
    cost: Real
    gain: Real
    reported_size: Real
    reported_cost: Real
    reported_gain: Real
    imports: NDArray[np.bool_]
    prices: Real
    present: NDArray[np.bool_]
    law: GainLaw = field(default_factory=SqrtGain)

    @property
    def types(self) -> Types:
        """True types ``[m]``."""
        return Types(self.size, self.cost, self.gain)

    @property
    def market(self) -> Market:
        """What is public: differences, λ and the gain law."""
        return Market(self.differences, self.lam, self.law)
