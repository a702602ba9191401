"""Mechanisms that are wrong by a little: the checkers must see it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mechanism import Market, Outcome, Reports, market_mechanism


@dataclass(frozen=True)
class Mutant:
    """`ipfl-exact` with its outcome changed; it names the allocation rule, so that break points are tried."""

    change: Callable[[Outcome, Reports], Outcome]
    id: str = "mutant"
    allocation: str = "exact"
    payment: str = "mutated"

    def clear(self, reports: Reports, market: Market) -> Outcome:
        return self.change(market_mechanism("ipfl-exact").clear(reports, market), reports)


def below_cost(outcome: Outcome, reports: Reports) -> Outcome:
    """Sellers get 1e-6 less than their cost."""
    return replace(outcome, prices=outcome.imports * (reports.cost[..., None, :] - 1e-6))


def buyers_pay_all(outcome: Outcome, reports: Reports) -> Outcome:
    """Each import costs 1e-6 more than all that it brings."""
    own = reports.size
    total = own + (outcome.imports * own[..., None, :]).sum(axis=-1)
    gain = np.sqrt(reports.gain / own) - np.sqrt(reports.gain / total)
    count = outcome.imports.sum(axis=-1)
    each = np.where(count > 0, (gain + 1e-6) / np.maximum(count, 1), 0.0)
    return replace(outcome, prices=outcome.imports * each[..., None])


def follows_report(outcome: Outcome, reports: Reports) -> Outcome:
    """The price rises by 1e-6 per unit of reported cost: overstating pays a little."""
    return replace(outcome, prices=outcome.prices + outcome.imports * 1e-6 * reports.cost[..., None, :])


def falls_with_report(outcome: Outcome, reports: Reports) -> Outcome:
    """The price falls by 1e-6 per unit of reported cost: understating pays a little."""
    return replace(outcome, prices=outcome.prices - outcome.imports * 1e-6 * reports.cost[..., None, :])


def leaks(outcome: Outcome, reports: Reports) -> Outcome:
    """A millionth goes to a centre that is said not to exist."""
    centre = outcome.centre.copy()
    centre[..., 0] = 1e-6
    return replace(outcome, centre=centre)


def forgets_one(outcome: Outcome, reports: Reports) -> Outcome:
    """The first import of each importer is left out."""
    first = np.cumsum(outcome.imports, axis=-1) == 1
    keep = outcome.imports & ~first
    return replace(outcome, imports=keep, prices=outcome.prices * keep)


def favours_the_first(outcome: Outcome, reports: Reports) -> Outcome:
    """Client 0 is paid 1e-6 more a model."""
    prices = outcome.prices.copy()
    prices[..., :, 0] += 1e-6 * outcome.imports[..., :, 0]
    return replace(outcome, prices=prices)
