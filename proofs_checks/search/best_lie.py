"""The best lie about a cost, a gain or a size that is found over every client of every clearing, and how to tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mechanism.market.accounting import account
from mechanism.market.clients import Market, Types
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import FEWEST, Flags, clear_and_settle, gatherings
from mechanism.tolerance import MONEY, scale
from mechanism.wording import apart, near, number
from proofs_checks.search.cost_lies import best_cost_lies
from proofs_checks.search.number_lies import best_number_lies
from proofs_checks.search.reports import Lies

COORDINATES: tuple[Literal["cost", "gain", "size"], ...] = ("cost", "gain", "size")
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
    its utility, ``deviations`` how many reports were tried (0: none, ``unsearched`` says why), ``exact`` whether no
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
    unsearched: str = ""

    @property
    def pays(self) -> bool:
        """Whether the lie gains more than rounding."""
        return self.gain > self.tolerance

    def sentence(self, names: tuple[str, ...] | None = None, tried: int | None = None) -> str:
        """Say what was found; ``names`` of the clients, else their numbers; ``tried`` where more was searched."""
        tried = self.deviations if tried is None else tried
        if self.deviations == 0:
            return f"No lie was searched for: {self.unsearched}."
        if not self.pays:
            sure = "no other report could do better" if self.exact else "a search, no proof"
            return f"No lie about a {self.coordinate} was found to pay ({tried} reports tried; {sure})."
        who = f"client {self.client}" if names is None else names[self.client]
        what = {"cost": "cost", "gain": "gain parameter", "size": "number of samples"}[self.coordinate]
        truth, said = apart(self.truth, self.report)
        said = near(self.report, said)
        before, after = apart(self.utility_truthful, self.utility_lying)
        return (
            f"A lie pays: {who}, whose {what} is {truth}, gains {number(self.gain)} by saying {said} "
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


def best_lie(
    mechanism: Clearing, types: Types, market: Market, coordinate: str = "cost", present: Flags | None = None
) -> FoundLie:
    """Search every client of every clearing of the batch for the report of this number that pays it most.

    For costs every break point is tried; for gains and sizes a ladder of reports. Where not all are ``present``
    [..., m], in the market of those who are.

    The utilities told are computed again from the report found, by clearing with it and accounting with the truth.
    """
    batch = np.broadcast_shapes(types.batch, market.batch)
    there = np.broadcast_to(True if present is None else present, (*batch, types.clients))
    most = int(there.sum(axis=-1).max(initial=0))
    if most > MOST_CLIENTS or most < FEWEST:
        why = f"the market has more than {MOST_CLIENTS} clients" if most > MOST_CLIENTS else "no two clients ever met"
        return FoundLie(0.0, (0,) * len(batch), 0, 0.0, 0.0, 0.0, 0.0, 0, False, 0.0, coordinate, why)
    gain, report = np.full(there.shape, -np.inf), np.zeros(there.shape)
    deviations, exact = 0, True
    for group in gatherings(there, batch):
        found = _search(mechanism, group.clients(types), group.market(market), coordinate)
        for whole, part in ((gain, found.gain), (report, found.report)):
            whole.reshape(-1, types.clients)[np.ix_(group.rows, group.there)] = part
        deviations, exact = deviations + found.deviations, exact and found.exact
    at = np.unravel_index(int(np.argmax(gain)), gain.shape)
    where, client = tuple(int(k) for k in at[:-1]), int(at[-1])
    one, single = pick(types, market, where, there)
    me = _place(there, where, client)
    truth = one.truthful()
    said = np.array(getattr(truth, coordinate))
    said[me] = report[at]
    honest = account(one, clear_and_settle(mechanism, truth, one, single), single.law)
    lying = account(one, clear_and_settle(mechanism, truth.replace(**{coordinate: said}), one, single), single.law)
    before, after = float(honest.utility[me]), float(lying.utility[me])
    small = MONEY * scale(np.concatenate([honest.gain, honest.cost, honest.paid, lying.paid]))
    return FoundLie(
        gain=max(0.0, after - before),
        where=where,
        client=client,
        truth=float(getattr(one, coordinate)[me]),
        report=float(said[me]),
        utility_truthful=before + 0.0,
        utility_lying=after + 0.0,
        deviations=deviations,
        exact=exact,
        tolerance=small,
        coordinate=coordinate,
    )


def _search(mechanism: Clearing, types: Types, market: Market, coordinate: str) -> Lies:
    points = max(1, int(MOST_PAIRS / (_REPORTS_PER_POINT * types.clients**3)))
    if coordinate == "cost":
        return best_cost_lies(mechanism, types, market, limit=points)
    return best_number_lies(mechanism, types, market, coordinate, limit=_REPORTS_PER_POINT * points)


def pick(types: Types, market: Market, where: tuple[int, ...], present: Flags | None = None) -> tuple[Types, Market]:
    """Return one clearing of a batch, among those who are ``present`` [..., m]: its types and its market."""
    one = Types(types.size[where], types.cost[where], types.gain[where])
    d = market.differences
    batch = np.broadcast_shapes(types.batch, market.batch)
    single = Market(None if d is None else np.broadcast_to(d, (*batch, *d.shape[-2:]))[where], market.lam, market.law)
    if present is None or present[where].all():
        return one, single
    return one.take(present[where]), single.take(present[where])


def _place(present: Flags, where: tuple[int, ...], client: int) -> int:
    """Return the number of a client among those who are there."""
    return int(present[where][:client].sum())


def witness_of(
    mechanism: Clearing, lie: FoundLie, types: Types, market: Market, present: Flags | None = None
) -> dict[str, Any]:
    """Return the lie as a witness that `marketproof replay` recomputes; its clients are those who were ``present``."""
    from proofs_checks.evidence.witness import Witness

    one, single = pick(types, market, lie.where, present)
    client = lie.client if present is None else _place(present, lie.where, lie.client)
    return Witness.of_lie(mechanism, one, single, client, lie.coordinate, lie.report).to_dict()
