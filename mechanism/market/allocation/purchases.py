"""What importers may buy and what it is worth, rounded outwards: see `mechanism.market.allocation.optimality`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import InvalidMarketError
from mechanism.market.accounting import MONEY
from mechanism.market.clients import Market, Reports
from mechanism.market.gains import GainLaw, PowerGain, TableGain
from mechanism.space import Floats

Ints = NDArray[np.int64]

FUZZ: float = 2.0**-46
"""Share of its size within which a computed power, or an interpolated value, is taken to be right."""

ROUNDING: float = 2.0**-52
"""The distance of 1 from the next number."""


@dataclass(frozen=True, eq=False)
class Purchases:
    """What every importer may buy: the numbers that a certificate is about.

    ``own`` ``[m]`` samples, ``gain`` ``[m]`` the law's K; ``size`` and ``price`` ``[m, m]``, row importer, column
    seller: samples that the model brings, and cost plus penalty, money. Diagonals are not read.
    """

    own: Floats
    gain: Floats
    size: Floats
    price: Floats
    cost: Floats
    law: GainLaw

    @classmethod
    def of(cls, reports: Reports, market: Market) -> Purchases:
        """Return the purchases of one market ``[m]`` as reported.

        `InvalidMarketError` if there is a batch of markets, or the law is neither a power nor a table.
        """
        if reports.batch or market.batch:
            raise InvalidMarketError("a certificate is for one clearing; take one of the batch")
        if not isinstance(market.law, PowerGain | TableGain):
            raise InvalidMarketError(
                f"no certificate for the gain law {market.law.name!r}; expected a power or a table"
            )
        m = reports.clients
        size = np.broadcast_to(market.counted(reports.size), (m, m))
        price = reports.cost[None, :] + market.penalties(reports.size)
        return cls(reports.size, reports.gain, size, price, reports.cost, market.law)

    @property
    def clients(self) -> int:
        """Number of clients m."""
        return len(self.own)

    def level(self, importer: Ints, total: Floats) -> tuple[Floats, Floats]:
        """Return L at ``total`` samples for each importer, money <= 0, and how far rounding may have moved it."""
        gain = self.gain[importer]
        if isinstance(self.law, PowerGain):
            value = self.law.value(gain, np.inf, total)
            return value, FUZZ * -value
        return self.law.value(gain, self.law.kernel_form()[2][-1], total), FUZZ * self._heights(importer)

    def conjugate(self, importer: Ints, slope: Floats) -> Floats:
        """Return no less than C(μ) = sup of L(x) - μx for each importer and slope μ."""
        gain = self.gain[importer]
        if isinstance(self.law, PowerGain):
            e = self.law.exponent
            base = gain * slope / e
            return np.where(base < np.inf, -(1.0 - 2 * FUZZ) * (1.0 + e) * base ** (e / (1.0 + e)), np.inf)
        knots = np.maximum(self.law.kernel_form()[2][None, :], self.own[importer, None])
        points = np.concatenate([self.own[importer, None], knots], axis=1)
        level, fuzz = self.level(importer[:, None], points)
        across = slope[:, None] * points
        return np.asarray((level - across + fuzz + FUZZ * across).max(axis=1))

    def _heights(self, importer: Ints) -> Floats:
        """Return the largest magnitude that interpolation in the table meets, money."""
        _, _, x, y = self.law.kernel_form()
        first = (y[1] - y[0]) / (x[1] - x[0]) * x[0]
        return np.asarray(self.gain[importer] * (2 * np.abs(y).max() + first))

    @property
    def tolerance(self) -> Floats:
        """ε_i ``[m]``, money."""
        return np.asarray(MONEY * np.maximum(1.0, -self.level(np.arange(self.clients), self.own)[0]))

    def attained(self, importer: Ints, chosen: NDArray[np.bool_]) -> Floats:
        """Return a number below J of each set ``chosen`` ``[k, m]`` of each importer ``[k]``."""
        data = self.own[importer] + (chosen * self.size[importer]).sum(axis=1)
        spent = (chosen * self.price[importer]).sum(axis=1)
        error = (self.clients + 2) * ROUNDING
        level, fuzz = self.level(importer, data * (1.0 - error))
        return down(level - fuzz - spent * (1.0 + error), level, spent)


def up(value: Floats, *parts: Floats) -> Floats:
    """Return a number above what ``value`` is rounded from, a sum of a few numbers as large as ``parts``."""
    return np.asarray(value + 4 * ROUNDING * sum(np.abs(part) for part in (value, *parts)))


def down(value: Floats, *parts: Floats) -> Floats:
    """Return a number below what ``value`` is rounded from, as `up`."""
    return -up(-value, *parts)
