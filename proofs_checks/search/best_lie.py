"""The best lie about a cost, a gain or a size that is found over every client of every clearing, and how to tell it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from mechanism.market.accounting import MONEY, account, scale
from mechanism.market.clients import Market, Types
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import FEWEST, Flags, clear_and_settle, gatherings
from mechanism.wording import apart, near, number
from proofs_checks.search.lies import BestReports, best_cost_lies, best_number_lies

COORDINATES: tuple[Literal["cost", "gain", "size"], ...] = ("cost", "gain", "size")
"""What a client can lie about."""

MOST_CLIENTS = 100
"""Clients in a market above which no lie is searched for: the search clears the market many times per client."""

MOST_PAIRS = 2e7
"""Pairs of importer and exporter that a search may settle per clearing audited; about a second. Decides how many of the
reports at which something changes are tried."""

_REPORTS_PER_POINT = 6


@dataclass(frozen=True)
class Lie:
    """The lie about one of its own numbers that pays a client most, everyone else truthful.

    ``gain`` >= 0 money (0: none found), ``where`` the index of the clearing in the batch, ``client`` who lies,
    ``truth`` and ``report`` its ``coordinate`` ("cost", "gain" or "size"), ``utility_truthful`` and ``utility_lying``
    its utility, ``deviations`` how many reports were tried (0: none, ``unsearched`` says why), ``exact`` whether no
    report whatever is better, by the argument in `proofs_checks.search.lies`.
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

    def among(self, types: Types, market: Market, present: Flags | None = None) -> tuple[Types, Market, int]:
        """Return the market ``[m]`` that it was told in, of those ``present`` [..., m], and the place of who told it.

        ``types``, ``market``: the batch that was searched.
        """
        batch = np.broadcast_shapes(types.batch, market.batch)
        row = int(np.ravel_multi_index(self.where, batch)) if batch else 0
        one, single = types.flat(batch).at(row), market.flat(batch).at(row)
        if present is None:
            return one, single, self.client
        here = present[self.where]
        return one.take(here), single.take(here), int(here[: self.client].sum())

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
) -> Lie:
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
        return Lie(0.0, (0,) * len(batch), 0, 0.0, 0.0, 0.0, 0.0, 0, False, 0.0, coordinate, why)
    gain, report = np.full(there.shape, -np.inf), np.zeros(there.shape)
    deviations, exact = 0, True
    for group in gatherings(there, batch):
        found = _search(mechanism, group.clients(types), group.market(market), coordinate)
        for whole, part in ((gain, found.gain), (report, found.report)):
            whole.reshape(-1, types.clients)[np.ix_(group.rows, group.there)] = part
        deviations, exact = deviations + found.deviations, exact and found.exact
    at = np.unravel_index(int(np.argmax(gain)), gain.shape)
    where, client = tuple(int(k) for k in at[:-1]), int(at[-1])
    truth, said = float(getattr(types, coordinate)[at]), float(report[at])
    best = Lie(0.0, where, client, truth, said, 0.0, 0.0, deviations, exact, 0.0, coordinate)
    one, single, me = best.among(types, market, there)
    reports = one.truthful()
    lies = np.array(getattr(reports, coordinate))
    lies[me] = said
    honest = account(one, clear_and_settle(mechanism, reports, one, single), single.law)
    lying = account(one, clear_and_settle(mechanism, reports.replace(**{coordinate: lies}), one, single), single.law)
    before, after = float(honest.utility[me]), float(lying.utility[me])
    return replace(
        best,
        gain=max(0.0, after - before),
        utility_truthful=before + 0.0,
        utility_lying=after + 0.0,
        tolerance=MONEY * scale(np.concatenate([honest.gain, honest.cost, honest.paid, lying.paid])),
    )


def _search(mechanism: Clearing, types: Types, market: Market, coordinate: str) -> BestReports:
    points = max(1, int(MOST_PAIRS / (_REPORTS_PER_POINT * types.clients**3)))
    if coordinate == "cost":
        return best_cost_lies(mechanism, types, market, limit=points)
    return best_number_lies(mechanism, types, market, coordinate, limit=_REPORTS_PER_POINT * points)
