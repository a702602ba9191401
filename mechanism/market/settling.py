"""Clear the market of those who are there and, where a mechanism pays after measuring, settle it on the truth.

Who is absent does not exist for a mechanism: prices that depend on who is there (the cost of the next seller, pivots, a
pool) and money to and from a centre are those of the market that the present clients form among themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mechanism.market.accounting import CentralOutcome, Outcome, fixed_outcome, objective
from mechanism.market.allocation.selection import optimal_objective
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.rules.rule import Clearing

Flags = NDArray[np.bool_]
Clients = TypeVar("Clients", Reports, Types)

FEWEST = 2
"""Clients without whom there is no market."""


@runtime_checkable
class TwoStage(Protocol):
    """A market mechanism that pays only after the gains were measured."""

    def settle(self, outcome: Outcome, types: Types) -> CentralOutcome:
        """Return the outcome with the payments that follow from what was measured at the true types."""
        ...


def settled(mechanism: object, outcome: Outcome, types: Types) -> Outcome:
    """Return a mechanism's final outcome: what it cleared, and where it pays in two stages the second at true types."""
    return mechanism.settle(outcome, types) if isinstance(mechanism, TwoStage) else outcome


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
    mechanism: Clearing, reports: Reports, types: Types, market: Market, present: Flags | None = None
) -> Outcome:
    """Return the final outcome ``[..., m, m]``: decided on reports, paid as the mechanism's last stage says.

    With ``present`` [..., m] it is, in each clearing, that of the market of those who are there alone; the others trade
    nothing and no money goes to them or comes from them, from the centre neither. Where fewer than two are there,
    nobody trades.
    """
    if present is None or present.all():
        return settled(mechanism, mechanism.clear(reports, market), types)
    m = reports.clients
    batch = np.broadcast_shapes(reports.batch, types.batch, market.batch, present.shape[:-1])
    whole: Outcome | None = None
    for group in gatherings(present, batch):
        part = _settled(mechanism, group.clients(reports), group.clients(types), group.market(market))
        whole = _nothing(part, batch, m) if whole is None else whole
        _put(part, whole, group)
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


def _settled(mechanism: Clearing, reports: Reports, types: Types, market: Market) -> Outcome:
    return settled(mechanism, mechanism.clear(reports, market), types)


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
