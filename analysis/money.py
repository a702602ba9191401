"""Who pays whom, and what the centre keeps: the money of one method and seed, summed over rounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.run.recorded import Trace

Real = NDArray[np.float64]

CENTRE = "centre"
"""What tables and figures call the centre, where they call clients by their numbers."""


def paid_to_centre(trace: Trace, slack: float) -> Real:
    """Return what every client paid the centre, money ``[seeds, rounds, m]``; below 0 where the centre paid it.

    It is what the accounts leave open: gain - cost - paid + received - utility. What is within ``slack`` of 0, which is
    rounding, is 0.
    """
    left = trace.gain - trace.cost - trace.paid + trace.received - trace.utility
    return np.where(np.abs(left) <= slack, 0.0, left)


@dataclass(frozen=True, eq=False)
class MoneyFlow:
    """Who pays whom under one method and seed, summed over rounds, money.

    ``gross`` ``[m, m]``: what importer i paid exporter j. ``centre`` ``[m]``: what i paid the centre, below 0 where the
    centre paid it (None: nobody). `net` is antisymmetric: what i paid j after netting.
    """

    method: str
    seed: int
    gross: Real
    centre: Real | None = None

    @property
    def net(self) -> Real:
        """Net payments ``[n, n]``: gross minus its transpose; the centre is the last, n = m + 1, if money passes it."""
        between = self.gross - self.gross.T
        if not self.centred:
            return between
        centre = np.asarray(self.centre)
        return np.block([[between, centre[:, None]], [-centre[None, :], np.zeros((1, 1))]])

    @property
    def centred(self) -> bool:
        """Whether any money passes the centre."""
        return self.centre is not None and bool(np.any(self.centre))

    @property
    def labels(self) -> tuple[str, ...]:
        """What `net` is about: the clients' numbers, and the centre if money passes it."""
        return (*map(str, range(self.gross.shape[0])), *([CENTRE] if self.centred else []))

    @property
    def earned(self) -> Real:
        """What each received less what it paid, as in `labels`; sums to 0."""
        return np.asarray(-self.net.sum(axis=1))

    @property
    def turnover(self) -> float:
        """All money that clients paid one another, gross."""
        return float(self.gross.sum())

    @property
    def collected(self) -> float:
        """What clients paid the centre in all, those that did."""
        return 0.0 if self.centre is None else float(self.centre[self.centre > 0].sum())

    @property
    def handed_out(self) -> float:
        """What the centre paid clients in all, those that it did."""
        return 0.0 if self.centre is None else float(-self.centre[self.centre < 0].sum())

    @property
    def kept(self) -> float:
        """What the centre collected less what it handed out; below 0 it added money from outside."""
        return 0.0 if self.centre is None else float(self.centre.sum())

    def arrows(self, limit: int) -> tuple[tuple[int, int, float], ...]:
        """Return the ``limit`` largest net payments (payer, receiver, amount > 0), largest first."""
        net = self.net
        payer, receiver = np.nonzero(net > 0)
        amounts = net[payer, receiver]
        order = np.argsort(-amounts, kind="stable")[:limit]
        return tuple((int(payer[k]), int(receiver[k]), float(amounts[k])) for k in order)
