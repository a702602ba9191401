"""The best lie about a cost that a search finds, over every client of every clearing, and how to tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from marketproof.promises import money
from mechanism.market.accounting import account
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import MarketMechanism
from mechanism.tolerance import MONEY, scale

MOST_CLIENTS = 200
"""Clients in a market above which no lie is searched for: the search clears the market many times per client."""


@dataclass(frozen=True)
class CostLie:
    """The lie about its own cost that pays a client most, everyone else truthful.

    ``gain`` >= 0 money (0: none found), ``where`` the index of the clearing in the batch, ``client`` who lies,
    ``truth`` and ``report`` its cost, ``utility_truthful`` and ``utility_lying`` its utility, ``deviations`` how many
    reports were tried (0: the market is too large to search).
    """

    gain: float
    where: tuple[int, ...]
    client: int
    truth: float
    report: float
    utility_truthful: float
    utility_lying: float
    deviations: int
    tolerance: float

    @property
    def pays(self) -> bool:
        """Whether the lie gains more than rounding."""
        return self.gain > self.tolerance

    def sentence(self, names: tuple[str, ...] | None = None) -> str:
        """Say what was found; ``names`` of the clients, else their numbers."""
        if self.deviations == 0:
            return f"No lie was searched for: the market has more than {MOST_CLIENTS} clients."
        if not self.pays:
            return f"No lie about a cost was found to pay ({self.deviations} reports tried)."
        who = f"client {self.client}" if names is None else names[self.client]
        return (
            f"A lie pays: {who}, whose cost is {money(self.truth)}, gains {money(self.gain)} by saying "
            f"{money(self.report)} (utility {money(self.utility_lying)} instead of {money(self.utility_truthful)}; "
            f"{self.deviations} reports tried)."
        )

    def as_json(self, names: tuple[str, ...]) -> dict[str, Any] | None:
        """Return the lie for a file; None where none was searched for."""
        if self.deviations == 0:
            return None
        return {
            "gain": self.gain,
            "client": names[self.client],
            "truth": self.truth,
            "report": self.report,
            "utility_truthful": self.utility_truthful,
            "utility_lying": self.utility_lying,
            "deviations": self.deviations,
            "sentence": self.sentence(names),
        }


def best_lie(mechanism: MarketMechanism, types: Types, market: Market) -> CostLie:
    """Search every client of every clearing of the batch for the report of its cost that pays it most.

    The utilities told are computed again from the report found, by clearing with it and accounting with the truth.
    """
    if types.clients > MOST_CLIENTS:
        return CostLie(0.0, (0,) * len(types.batch), 0, 0.0, 0.0, 0.0, 0.0, 0, 0.0)
    from proofs_checks.search.cost_lies import best_cost_lies

    found = best_cost_lies(mechanism, types, market)
    at = np.unravel_index(int(np.argmax(found.gain)), found.gain.shape)
    where, client = tuple(int(k) for k in at[:-1]), int(at[-1])
    one, single = pick(types, market, where)
    truth = one.truthful()
    cost = np.array(truth.cost)
    cost[client] = np.broadcast_to(found.report, found.gain.shape)[at]
    honest = account(one, mechanism.clear(truth, single), single.law)
    lying = account(one, mechanism.clear(truth.replace(cost=cost), single), single.law)
    before, after = float(honest.utility[client]), float(lying.utility[client])
    small = MONEY * scale(np.concatenate([honest.gain, honest.cost, honest.paid, lying.paid]))
    return CostLie(
        gain=max(0.0, after - before),
        where=where,
        client=client,
        truth=float(one.cost[client]),
        report=float(cost[client]),
        utility_truthful=before + 0.0,
        utility_lying=after + 0.0,
        deviations=int(found.deviations),
        tolerance=small,
    )


def pick(types: Types, market: Market, where: tuple[int, ...]) -> tuple[Types, Market]:
    """Return one clearing of a batch: its types and its market."""
    one = Types(types.size[where], types.cost[where], types.gain[where])
    d = market.differences
    batch = np.broadcast_shapes(types.batch, () if d is None else d.shape[:-2])
    single = None if d is None else np.broadcast_to(d, (*batch, *d.shape[-2:]))[where]
    return one, Market(single, market.lam, market.law)
