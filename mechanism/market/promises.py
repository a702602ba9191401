"""What a mechanism promised, measured on an outcome: nobody loses, the money adds up, the best graph was chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism.market.accounting import Accounts, CentralOutcome, Outcome, account
from mechanism.market.clients import Market, Types
from mechanism.tolerance import MONEY, scale
from mechanism.wording import number

SCOPE = (
    "Truthfulness is claimed for one clearing with the model differences given: the differences come from models that "
    "clients upload, and a report now changes later rounds; neither is covered by the theorem."
)
"""Said wherever truthfulness is claimed (theory.md, Scope)."""


@dataclass(frozen=True)
class Promises:
    """The worst case over every clearing and client, in money.

    ``client``, ``buyer``, ``seller``: lowest utility, as a whole and by role (individual rationality holds at >= 0);
    what a centre pays for sales counts for the seller.
    ``pays_in`` and ``keeps``: the most that a centre adds to the clients' payments in a clearing, and the most that it
    keeps of them; ``imbalance`` is the larger (0: the books balance). ``objective`` and ``optimal``: V_lambda of
    the reports, summed over clearings, and the largest possible; ``gap`` bounds optimal - objective from above.
    ``scale``: what `tolerance` is relative to.
    """

    client: float
    buyer: float
    seller: float
    pays_in: float
    keeps: float
    objective: float
    optimal: float
    gap: float
    scale: float

    @property
    def imbalance(self) -> float:
        """Largest sum of all payments in a clearing, either way."""
        return max(self.pays_in, self.keeps)

    @property
    def tolerance(self) -> float:
        """Money below which a difference is rounding."""
        return MONEY * self.scale


def measure(
    types: Types,
    outcome: Outcome,
    market: Market,
    objective: NDArray[np.float64],
    optimal: NDArray[np.float64],
    optimal_gap: NDArray[np.float64] | float = 0.0,
) -> tuple[Promises, Accounts]:
    """Measure the promises on a batch of clearings ``[...]`` of m clients, with the *true* types.

    ``objective``, ``optimal``, ``optimal_gap``: float64 ``[...]``, of the reports.
    """
    accounts = account(types, outcome, market.law)
    total = float(np.sum(objective))
    best = float(np.sum(optimal))
    m = types.clients
    parts = zip(outcome.payments.reshape(-1, m * m), outcome.centre.reshape(-1, m), strict=True)
    # Summed without rounding: net payments are antisymmetric, so that only money to a centre is left over.
    net = np.array([math.fsum([*paid, *central]) for paid, central in parts])
    sales = outcome.sales if isinstance(outcome, CentralOutcome) else np.zeros(())
    promises = Promises(
        client=float(accounts.utility.min()) + 0.0,
        buyer=float((accounts.buyer - sales).min()) + 0.0,
        seller=float((accounts.seller + sales).min()) + 0.0,
        pays_in=max(0.0, float(-net.min())),
        keeps=max(0.0, float(net.max())),
        objective=total + 0.0,
        optimal=best + 0.0,
        gap=max(0.0, best + float(np.sum(optimal_gap)) - total),
        scale=scale(np.concatenate([np.ravel(a) for a in (accounts.gain, accounts.cost, accounts.paid, optimal)])),
    )
    return promises, accounts


def sentences(promises: Promises, *, clearings: int = 1) -> list[str]:
    """Say in words what was measured, one sentence a promise."""
    each = "" if clearings == 1 else f" in all {clearings} clearings"
    small = promises.tolerance
    words: list[str] = []
    if promises.client >= -small:
        words.append(f"Nobody loses{each}: the lowest utility is {number(max(promises.client, 0.0))}.")
    else:
        words.append(f"Somebody loses: the lowest utility is {number(promises.client)}.")
    sides = [
        f"the {side} side goes down to {number(value)}"
        for side, value in (("buying", promises.buyer), ("selling", promises.seller))
        if value < -small
    ]
    if sides:
        words.append(f"Taken apart, an account may lose on one side: {' and '.join(sides)}.")
    if promises.imbalance <= small:
        words.append(f"Every payment is received{each}: the books balance.")
    else:
        words.append(f"The books miss balance: {_centre(promises, '' if clearings == 1 else 'up to ')}.")
    if promises.gap <= small:
        words.append(f"No other set of imports has a larger objective than {number(promises.objective)}{each}.")
    else:
        words.append(
            f"The objective is {number(promises.objective)}; the best set of imports has {number(promises.optimal)}, "
            f"which is {number(promises.gap)} more."
        )
    return words


def _centre(promises: Promises, most: str) -> str:
    """Say what the centre does in the clearings in which it does anything; ``most`` qualifies the amounts."""
    parts = [
        f"{verb} {most}{number(amount)}"
        for verb, amount in (("pays in", promises.pays_in), ("keeps", promises.keeps))
        if amount > promises.tolerance
    ]
    return f"the centre {' in one clearing and '.join(parts)}{' in another' if len(parts) == 2 else ''}"
