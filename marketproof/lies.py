"""The best lie about a cost, a gain or a size that is found over every client of every clearing, and how to tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from marketproof.promises import apart, money
from marketproof.settling import clear_and_settle
from mechanism.market.accounting import account
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import Clearing
from mechanism.tolerance import MONEY, scale

COORDINATES = ("cost", "gain", "size")
"""What a client can lie about."""

MOST_CLIENTS = 100
"""Clients in a market above which no lie is searched for: the search clears the market many times per client."""

MOST_PAIRS = 2e7
"""Pairs of importer and exporter that a search may settle per clearing audited; about a second. Decides how many of the
reports at which something changes are tried."""

_REPORTS_PER_POINT = 6


@dataclass(frozen=True)
class FoundLie:
    """The lie about one of its own numbers that pays a client most, everyone else truthful.

    ``gain`` >= 0 money (0: none found), ``where`` the index of the clearing in the batch, ``client`` who lies,
    ``truth`` and ``report`` its ``coordinate`` ("cost", "gain" or "size"), ``utility_truthful`` and ``utility_lying``
    its utility, ``deviations`` how many reports were tried (0: the market is too large to search), ``exact`` whether no
    report whatever is better, by the argument in `proofs_checks.search.cost_lies`.
    """

    gain: float
    where: tuple[int, ...]
    client: int
    truth: float
    report: float
    utility_truthful: float
    utility_lying: float
    deviations: int
    exact: bool
    tolerance: float
    coordinate: str = "cost"

    @property
    def pays(self) -> bool:
        """Whether the lie gains more than rounding."""
        return self.gain > self.tolerance

    def sentence(self, names: tuple[str, ...] | None = None, tried: int | None = None) -> str:
        """Say what was found; ``names`` of the clients, else their numbers; ``tried`` where more was searched."""
        tried = self.deviations if tried is None else tried
        if self.deviations == 0:
            return f"No lie was searched for: the market has more than {MOST_CLIENTS} clients."
        if not self.pays:
            sure = "no other report could do better" if self.exact else "a search, no proof"
            return f"No lie about a {self.coordinate} was found to pay ({tried} reports tried; {sure})."
        who = f"client {self.client}" if names is None else names[self.client]
        what = {"cost": "cost", "gain": "gain parameter", "size": "number of samples"}[self.coordinate]
        truth, said = apart(self.truth, self.report)
        before, after = apart(self.utility_truthful, self.utility_lying)
        return (
            f"A lie pays: {who}, whose {what} is {truth}, gains {money(self.gain)} by saying {said} "
            f"(utility {after} instead of {before}; {tried} reports tried)."
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
            "exact": self.exact,
            "sentence": self.sentence(names),
        }


def best_lie(mechanism: Clearing, types: Types, market: Market, coordinate: str = "cost") -> FoundLie:
    """Search every client of every clearing of the batch for the report of this number that pays it most.

    For costs every break point is tried; for gains and sizes a ladder of reports.

    The utilities told are computed again from the report found, by clearing with it and accounting with the truth.
    """
    if types.clients > MOST_CLIENTS:
        return FoundLie(0.0, (0,) * len(types.batch), 0, 0.0, 0.0, 0.0, 0.0, 0, False, 0.0, coordinate)
    from proofs_checks.search.cost_lies import best_cost_lies
    from proofs_checks.search.number_lies import best_number_lies

    points = max(1, int(MOST_PAIRS / (_REPORTS_PER_POINT * types.clients**3)))
    if coordinate == "cost":
        found = best_cost_lies(mechanism, types, market, limit=points)
    else:
        found = best_number_lies(mechanism, types, market, coordinate, limit=_REPORTS_PER_POINT * points)
    at = np.unravel_index(int(np.argmax(found.gain)), found.gain.shape)
    where, client = tuple(int(k) for k in at[:-1]), int(at[-1])
    one, single = pick(types, market, where)
    truth = one.truthful()
    said = np.array(getattr(truth, coordinate))
    said[client] = found.report[at]
    honest = account(one, clear_and_settle(mechanism, truth, one, single), single.law)
    lying = account(one, clear_and_settle(mechanism, truth.replace(**{coordinate: said}), one, single), single.law)
    before, after = float(honest.utility[client]), float(lying.utility[client])
    small = MONEY * scale(np.concatenate([honest.gain, honest.cost, honest.paid, lying.paid]))
    return FoundLie(
        gain=max(0.0, after - before),
        where=where,
        client=client,
        truth=float(getattr(one, coordinate)[client]),
        report=float(said[client]),
        utility_truthful=before + 0.0,
        utility_lying=after + 0.0,
        deviations=int(found.deviations),
        exact=bool(found.exact),
        tolerance=small,
        coordinate=coordinate,
    )


def pick(types: Types, market: Market, where: tuple[int, ...]) -> tuple[Types, Market]:
    """Return one clearing of a batch: its types and its market."""
    one = Types(types.size[where], types.cost[where], types.gain[where])
    d = market.differences
    batch = np.broadcast_shapes(types.batch, () if d is None else d.shape[:-2])
    single = None if d is None else np.broadcast_to(d, (*batch, *d.shape[-2:]))[where]
    return one, Market(single, market.lam, market.law)


def witness_of(mechanism: Clearing, lie: FoundLie, types: Types, market: Market) -> dict[str, Any]:
    """Return the lie as a witness that `marketproof replay` recomputes."""
    from proofs_checks.evidence import Deviation, observe

    one, single = pick(types, market, lie.where)
    return observe(mechanism, one, single, (Deviation(lie.client, lie.coordinate, lie.report),)).to_dict()
