"""Clear the market of those who are there, settle it on the truth, and measure what the mechanism promised.

Who is absent does not exist for a mechanism: prices that depend on who is there (the cost of the next seller, pivots, a
pool) and money to and from a centre are those of the market that the present clients form among themselves.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mechanism.market.accounting import (
    MONEY,
    Accounts,
    CentralOutcome,
    Outcome,
    account,
    fixed_outcome,
    objective,
    scale,
)
from mechanism.market.allocation.selection import optimal_objective
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.rules.rule import Clearing
from mechanism.space import Floats
from mechanism.wording import number

Flags = NDArray[np.bool_]
Clients = TypeVar("Clients", Reports, Types)

FEWEST = 2
"""Clients without whom there is no market."""


@runtime_checkable
class TwoStage(Protocol):
    """A market mechanism that pays only after the gains were measured."""

    def settle(self, outcome: Outcome, types: Types, measured: Floats | None = None) -> CentralOutcome:
        """Return the outcome with the payments that follow from what was ``measured``: gains ``[..., m]``, money.

        None: from what the gain law says at the true types.
        """
        ...


def settled(mechanism: object, outcome: Outcome, types: Types, measured: Floats | None = None) -> Outcome:
    """Return a mechanism's final outcome: what it cleared, or where it pays in two stages what follows from both.

    ``measured``: gains ``[..., m]``, money, as measured after the models were combined; None: by law, at true types.
    """
    return mechanism.settle(outcome, types, measured) if isinstance(mechanism, TwoStage) else outcome


@dataclass(frozen=True, eq=False)
class Gathering:
    """Clearings of a batch in which the same clients are there.

    ``rows`` [r]: their numbers in the batch, flattened; ``there`` [k]: the clients, rising; ``batch``: its axes.
    """

    rows: NDArray[np.intp]
    there: NDArray[np.intp]
    batch: tuple[int, ...]

    def clients(self, everybody: Clients) -> Clients:
        """Return the present ones in these clearings, ``[r, k]``, of clients ``[..., m]``."""
        return everybody.flat(self.batch).at(self.rows).take(self.there)

    def market(self, market: Market) -> Market:
        """Return the market that they form among themselves, of differences ``[..., m, m]``."""
        return market.flat(self.batch).at(self.rows).take(self.there)


def gatherings(present: Flags, batch: tuple[int, ...]) -> Iterator[Gathering]:
    """Yield the clearings of a batch by who is ``present`` [..., m], where enough are there for a market."""
    m = present.shape[-1]
    batch = np.broadcast_shapes(batch, present.shape[:-1])
    patterns, which = np.unique(np.broadcast_to(present, (*batch, m)).reshape(-1, m), axis=0, return_inverse=True)
    for k, pattern in enumerate(patterns):
        if pattern.sum() >= FEWEST:
            yield Gathering(np.flatnonzero(which.reshape(-1) == k), np.flatnonzero(pattern), batch)


def clear_and_settle(
    mechanism: Clearing,
    reports: Reports,
    types: Types,
    market: Market,
    present: Flags | None = None,
    measured: Floats | Callable[[Flags], Floats] | None = None,
) -> Outcome:
    """Return the final outcome ``[..., m, m]``: decided on reports, paid as the mechanism's last stage says.

    With ``present`` [..., m] it is, in each clearing, that of the market of those who are there alone; the others trade
    nothing and no money goes to them or comes from them, from the centre neither. Where fewer than two are there,
    nobody trades.

    ``measured``: gains ``[..., m]``, money, on which two-stage mechanisms settle, or what measures them once it is
    given the imports ``[..., m, m]`` of all; None: what the gain law says at the true types.
    """
    everybody = present is None or present.all()
    if everybody and not callable(measured):
        return settled(mechanism, mechanism.clear(reports, market), types, measured)
    m = reports.clients
    batch = np.broadcast_shapes(reports.batch, types.batch, market.batch, () if present is None else present.shape[:-1])
    there = np.broadcast_to(True if present is None else present, (*batch, m))
    parts = [
        (group, mechanism.clear(group.clients(reports), group.market(market))) for group in gatherings(there, batch)
    ]
    if callable(measured):
        imports = np.zeros((*batch, m, m), dtype=np.bool_)
        for group, part in parts:
            imports.reshape(-1, m, m)[np.ix_(group.rows, group.there, group.there)] = part.imports
        measured = measured(imports)
    gain = None if measured is None else np.broadcast_to(measured, (*batch, m)).reshape(-1, m)
    whole: Outcome | None = None
    for group, part in parts:
        own = None if gain is None else gain[np.ix_(group.rows, group.there)]
        final = settled(mechanism, part, group.clients(types), own)
        whole = _nothing(final, batch, m) if whole is None else whole
        _put(final, whole, group)
    return fixed_outcome(np.zeros((*batch, m, m), dtype=np.bool_)) if whole is None else whole


def objectives(
    reports: Reports, imports: NDArray[np.bool_], market: Market, present: Flags
) -> tuple[float, float, float]:
    """Return of one clearing [m] what `objective` the imports reach, the best among the present, and its gap; money."""
    if present.sum() < FEWEST:
        return 0.0, 0.0, 0.0
    here, among = reports.take(present), market.take(present)
    optimal, gap = optimal_objective(here, among)
    return float(objective(here, imports[np.ix_(present, present)], among)), float(optimal), float(gap)


def _arrays(outcome: Outcome) -> dict[str, NDArray[Any]]:
    """Return an outcome's arrays by name: ``[..., m, m]``, or ``[..., m]`` with an axis less than the imports."""
    told = {one.name: getattr(outcome, one.name) for one in fields(outcome)}
    return {name: array for name, array in told.items() if isinstance(array, np.ndarray)}


def _nothing(part: Outcome, batch: tuple[int, ...], m: int) -> Outcome:
    """Return an outcome of the part's kind for m clients of whom none trades."""
    return replace(
        part,
        **{
            name: np.zeros((*batch, m, m) if array.ndim == part.imports.ndim else (*batch, m), array.dtype)
            for name, array in _arrays(part).items()
        },
    )


def _put(part: Outcome, whole: Outcome, group: Gathering) -> None:
    """Write the outcome of a gathering to where its clients stand in the whole one."""
    for name, array in _arrays(part).items():
        target = getattr(whole, name)
        if array.ndim == part.imports.ndim:
            flat = target.reshape(-1, *target.shape[-2:])
            flat[np.ix_(group.rows, group.there, group.there)] = array
        else:
            target.reshape(-1, target.shape[-1])[np.ix_(group.rows, group.there)] = array


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
    objective: Floats,
    optimal: Floats,
    optimal_gap: Floats | float = 0.0,
    measured: Floats | None = None,
) -> tuple[Promises, Accounts]:
    """Measure the promises on a batch of clearings ``[...]`` of m clients, with the *true* types.

    ``objective``, ``optimal``, ``optimal_gap``: float64 ``[...]``, of the reports. ``measured`` ``[..., m]``: gains,
    where they were measured and not taken from the law.
    """
    accounts = account(types, outcome, market, measured)
    m = types.clients
    parts = zip(outcome.payments.reshape(-1, m * m), outcome.centre.reshape(-1, m), strict=True)
    # Summed without rounding: net payments are antisymmetric, so that only money to a centre is left over.
    net = np.array([math.fsum([*paid, *central]) for paid, central in parts])
    sales = outcome.sales if isinstance(outcome, CentralOutcome) else np.zeros(())
    return promised(accounts, net, objective, optimal, optimal_gap, sales), accounts


def promised(
    accounts: Accounts,
    net: Floats,
    objective: Floats | float,
    optimal: Floats | float,
    optimal_gap: Floats | float = 0.0,
    sales: Floats | float = 0.0,
) -> Promises:
    """Return the promises that accounts ``[..., m]`` show.

    ``net``: what clients pay less what they receive in each clearing. ``sales`` ``[..., m]``: what the centre paid for
    sales. The rest as `measure` has them.
    """
    total, best = float(np.sum(objective)), float(np.sum(optimal))
    return Promises(
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
