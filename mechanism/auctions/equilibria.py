"""Equilibria in strategies report = s(type) that the textbooks know, for the declared domains and uniform priors.

All of incomplete information: types are private, independent, and uniform on [0, 1].
"""

from __future__ import annotations

import numpy as np

from mechanism.direct import Floats
from mechanism.entry import KnownEquilibrium


def _shaded(types: Floats, agents: int, agent: int) -> Floats:
    return np.asarray((agents - 1) / agents * types)


def _all_paid(types: Floats, agents: int, agent: int) -> Floats:
    return np.asarray((agents - 1) / agents * types**agents)


def _linear_pair(types: Floats, agents: int, agent: int) -> Floats:
    if agent == 0:
        return np.where(types >= 0.25, 2 / 3 * types + 1 / 12, np.nan)
    return np.where(types <= 0.75, 2 / 3 * types + 1 / 4, np.nan)


FIRST_PRICE = KnownEquilibrium(
    _shaded,
    lambda n: f"every bidder reports (n-1)/n of its value, {n - 1}/{n} of it with n = {n}",
    "Vickrey 1961; Krishna, Auction Theory, 2.3",
)
"""The bid is the expected highest value of the others, given that it is lower: (n-1)/n v."""

ALL_PAY = KnownEquilibrium(
    _all_paid,
    lambda n: f"every bidder reports (n-1)/n times its value to the power n, {n - 1}/{n} v^{n} with n = {n}",
    "Krishna, Auction Theory, 3.2",
)
"""The bid is what a second-price auction would cost in expectation: ∫_0^v y dy^(n-1) = (n-1)/n vⁿ."""

LINEAR_PAIR = KnownEquilibrium(
    _linear_pair,
    lambda n: (
        "the linear one of many: a buyer of value v from 1/4 on reports 2/3 v + 1/12, "
        "a seller of cost c up to 3/4 reports 2/3 c + 1/4, all others do not trade"
    ),
    "Chatterjee, Samuelson 1983",
    only=2,
)
"""One buyer and one seller, k = 1/2. Reports of types that never trade are free: not a number."""
