"""The best *overstatement* of a cost: the exact best response, reports below the truth made the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mechanism.market.accounting import Outcome
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.rules.rule import Clearing
from mechanism.tolerance import MONEY
from proofs_checks.claims.claim import ClaimVerdict, Context
from proofs_checks.claims.sweeps import Array, Batch, searched, sweep
from proofs_checks.properties.property import Rng
from proofs_checks.search.lies import best_cost_lies


@dataclass(frozen=True, eq=False)
class Floored:
    """A mechanism that hears no cost below the truth: under it the best lie is the best overstatement.

    ``truth`` ``[m]``: the costs, the same in every market of the batch, so that each report is held to its own.
    """

    inner: Clearing
    truth: Array

    @property
    def id(self) -> str:
        """The mechanism's own."""
        return self.inner.id

    @property
    def allocation(self) -> str:
        """The mechanism's own: its break points are the same above the truth."""
        return self.inner.allocation

    @property
    def payment(self) -> str:
        """The mechanism's own."""
        return self.inner.payment

    def clear(self, reports: Reports, market: Market) -> Outcome:
        """Clear with every cost at least the true one."""
        return self.inner.clear(reports.replace(cost=np.maximum(reports.cost, self.truth)), market)


def overstating(mechanism: Clearing, context: Context, name: str) -> ClaimVerdict:
    """Say whether overstating a cost ever paid in random markets, by exact best responses where they are known."""
    exact: list[bool] = []
    tried = 0

    def same_costs(batch: Batch) -> Batch:
        types, market = batch
        return Types(types.size, np.broadcast_to(types.cost[0], types.cost.shape), types.gain), market

    def gains(types: Types, market: Market, rng: Rng) -> Array:
        nonlocal tried
        lies = best_cost_lies(Floored(mechanism, types.cost[0]), types, market)
        exact.append(lies.exact)
        tried += lies.deviations
        scale = np.maximum(1.0, np.maximum(np.abs(lies.utility_truthful), np.abs(lies.utility_lying)))
        return np.asarray(lies.gain / scale)

    seen = sweep(context, name, gains, prepare=same_costs)
    seen.tried = tried
    how = "exact best overstatement of every client" if all(exact) else "break points and a ladder of overstatements"
    return searched(seen, MONEY, "relative gain of the best overstatement", how)
