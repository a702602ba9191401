"""What a certificate proves of a clearing as a whole: its purchases, and what they cost by the rule of its payments."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.market.accounting import CentralOutcome, Outcome
from mechanism.market.allocation.optimality import Certificate, Proved, prove
from mechanism.market.allocation.purchases import Purchases
from mechanism.wording import number, plural

CRITICAL = ("clarke", "two-sided")
"""Payments that rest on critical values."""

CERTIFIED = (*CRITICAL, "marginal")
"""Payments that a certificate proves."""


@dataclass(frozen=True, eq=False)
class Checked:
    """What the check of a certified clearing found.

    ``gap`` ``[m]``: by how much each importer's purchase misses its optimum at most. ``off``: the largest distance
    between a price (two-sided: a client's sales) and what the rule asks for, as a share of its tolerance, at most.
    ``optimal``: how many purchases are optimal within their tolerance. ``failures``: what does not hold, in words.
    """

    mechanism: str
    payment: str
    clients: int
    imports: int
    gap: NDArray[np.float64]
    tolerance: NDArray[np.float64]
    off: float
    optimal: int
    failures: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether all that is claimed was proved."""
        return not self.failures

    @property
    def proved(self) -> bool:
        """Whether every purchase was proved optimal, every price right."""
        return self.holds and self.optimal == self.clients

    @property
    def sentence(self) -> str:
        """What was proved, in words."""
        if not self.holds:
            return f"The certificate does not prove the clearing: {self.failures[0]}."
        prices = {
            "clarke": f"{plural(self.imports, 'price equals', 'prices equal')} the seller's critical value",
            "marginal": f"{plural(self.imports, 'price equals', 'prices equal')} the marginal gain less the penalty",
            "two-sided": "what each client pays and is paid is its pivot",
        }[self.payment]
        if self.imports == 0 and self.payment != "two-sided":
            prices = "nobody pays anything"
        if self.optimal == self.clients:
            told = f"each of {self.clients} clients buys the best set" if self.clients > 1 else "buying nothing is best"
        else:
            worst = int(np.argmax(self.gap - self.tolerance))
            told = (
                f"{self.optimal} of {plural(self.clients, 'client')} buy the best set, the others miss it by at most "
                f"{number(float(self.gap[worst]))}"
            )
            told += ", and prices may be off by twice that" if self.payment in CRITICAL else ""
        within = number(float(self.tolerance.max()))
        return f"Proved by certificate, for these numbers and within {within}: {told}; {prices}."

    def as_json(self) -> dict[str, Any]:
        """Return what was found as plain data."""
        return {
            "holds": self.holds,
            "proved": self.proved,
            "optimal": self.optimal,
            "clients": self.clients,
            "imports": self.imports,
            "largest_gap": float(self.gap.max()) if np.isfinite(self.gap).all() else None,
            "tolerance": float(self.tolerance.max()),
            "sentence": self.sentence,
            "failures": list(self.failures),
        }


def check_clearing(
    purchases: Purchases, outcome: Outcome, certificate: Certificate, payment: str, mechanism: str,
    claimed: NDArray[np.float64] | None = None,
) -> Checked:  # fmt: skip
    """Check the certificate of one clearing, its purchases and what they cost; ``claimed`` ``[m]``: gaps admitted.

    `InvalidMarketError` if it is not shaped like a certificate of this clearing.
    """
    proved = prove(purchases, outcome.imports, certificate, critical=payment in CRITICAL)
    tolerance = proved.tolerance
    missed = np.maximum(tolerance, proved.gap)
    admitted = missed if claimed is None else np.maximum(tolerance, claimed)
    failures = [
        f"importer {i}: its purchase may miss the optimum by {proved.gap[i]:.3g}, more than {admitted[i]:.3g}"
        for i in np.flatnonzero(~(proved.gap <= admitted))
    ]
    # of what is proved: a gap that is claimed is a claim; marginal gains are of the set bought, best or not
    wrong = _shares(purchases, outcome, proved, payment, missed if payment in CRITICAL else tolerance)
    failures += [f"{what} misses what the rule asks for" for what, share in wrong if not share <= 1.0]
    return Checked(
        mechanism, payment, purchases.clients, int(outcome.imports.sum()), proved.gap, tolerance,
        max((share for _, share in wrong), default=0.0), int((proved.gap <= tolerance).sum()), tuple(failures),
    )  # fmt: skip


def _shares(
    purchases: Purchases, outcome: Outcome, proved: Proved, payment: str, missed: NDArray[np.float64]
) -> list[tuple[str, float]]:
    """Return each amount of money by name, and how far off it may be as a share of what is allowed."""
    imports, prices = outcome.imports, outcome.prices
    if payment not in CERTIFIED:
        return []
    allowed = 2.0 * missed
    told: list[tuple[str, float]] = []
    if payment == "two-sided":
        assert isinstance(outcome, CentralOutcome)
        room = (imports * allowed[:, None]).sum(axis=0) + proved.tolerance
        low, high = (np.nan_to_num(bound).sum(axis=0) for bound in (proved.low, proved.high))
        off = np.fmax(outcome.sales - low, high - outcome.sales)
        spent = (imports * purchases.price).sum(axis=1)
        told += [(f"what client {j} is paid", float(off[j] / room[j])) for j in range(len(room))]
        astray = np.abs(outcome.centre - (spent - outcome.sales)) / room
        told += [(f"what client {j} pays to the centre", float(astray[j])) for j in range(len(room))]
        spread = np.abs(prices)
    else:
        spread = proved.spread(prices) if payment == "clarke" else np.abs(prices - _marginal(purchases, imports))
        spread = np.where(imports, spread, np.abs(prices))
        told += [
            (f"what client {i} pays to the centre", float(abs(paid) / allowed[i]))
            for i, paid in enumerate(outcome.centre)
            if paid
        ]
    share = spread / allowed[:, None]
    return told + [
        (f"the price that importer {i} pays {j}", float(share[i, j])) for i, j in np.argwhere(imports | (spread > 0.0))
    ]


def _marginal(purchases: Purchases, imports: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return G_i(S) - G_i(S without j) - pen_ij for every import, ``[m, m]``, 0 elsewhere."""
    prices = np.zeros(imports.shape)
    i, j = np.nonzero(imports)
    held = imports[i]
    rest = held.copy()
    rest[np.arange(len(i)), j] = False
    with_it, without = (
        purchases.level(i, purchases.own[i] + (some * purchases.size[i]).sum(axis=1))[0] for some in (held, rest)
    )
    prices[i, j] = with_it - without - (purchases.price[i, j] - purchases.cost[j])
    return prices
