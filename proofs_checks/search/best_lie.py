"""The lie that pays most in recorded clearings, of everybody or, in a large market, of a sample; and its words."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mechanism.market.accounting import MONEY, account, scale
from mechanism.market.clients import Market, Types
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import FEWEST, Flags, clear_and_settle, gatherings
from mechanism.wording import apart, near, number
from proofs_checks.search.lies import MOST_PAIRS, best_reports

EVERYBODY = 50
"""Clients in a market up to which everybody's lies are searched for; above, those of a sample."""

MOST_SAMPLED = 2_000
"""Clients in a market above which no lie is searched for."""

CLEARINGS, FEWEST_DRAWN = 2, 5
"""Clearings that are drawn for the sample, and clients in each: more where `_SAMPLED_PAIRS` allow."""

_SAMPLED_PAIRS = 5e4  # of importer and exporter, cleared for each report that is tried
_REPORTS_PER_POINT = 6
_TOLD = ("gain", "client", "truth", "report", "utility_truthful", "utility_lying", "deviations", "exact")


@dataclass(frozen=True)
class Lie:
    """The lie about one of its own numbers that pays a client most, everyone else truthful.

    ``gain`` >= 0 money (0: none found), ``where`` the index of the clearing in the batch, ``client`` who lies,
    ``truth`` and ``report`` its ``coordinate`` ("cost", "gain" or "size"), ``utility_truthful`` and ``utility_lying``
    its utility, ``deviations`` how many reports were tried (0: none, ``unsearched`` says why), ``exact`` whether no
    report whatever is better, by the argument in `proofs_checks.search.lies`. ``sampled``: whose lies were searched
    for, in a market too large to search everybody's.
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
    sampled: str = ""

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
            return f"No lie about a {self.coordinate} was found to pay ({tried} reports tried{self.sampled}; {sure})."
        who = f"client {self.client}" if names is None else names[self.client]
        what = {"cost": "cost", "gain": "gain parameter", "size": "number of samples"}[self.coordinate]
        truth, said = apart(self.truth, self.report)
        said = near(self.report, said)
        before, after = apart(self.utility_truthful, self.utility_lying)
        return (
            f"A lie pays: {who}, whose {what} is {truth}, gains {number(self.gain)} by saying {said} "
            f"(utility {after} instead of {before}; {tried} reports tried{self.sampled})."
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
        told = {name: getattr(self, name) for name in _TOLD} | {"client": names[self.client]}
        return told | {"sentence": self.sentence(names)}


def best_lie(
    mechanism: Clearing, types: Types, market: Market, coordinate: str = "cost", present: Flags | None = None
) -> Lie:
    """Search every client of every clearing of the batch for the report of this number that pays it most.

    For costs every break point is tried; for gains and sizes a ladder of reports. Where not all are ``present``
    [..., m], in the market of those who are. Of more than `EVERYBODY` a sample is searched, on the ladder.

    The utilities told are computed again from the report found, by clearing with it and accounting with the truth.
    """
    batch = np.broadcast_shapes(types.batch, market.batch)
    there = np.broadcast_to(True if present is None else present, (*batch, types.clients))
    most = int(there.sum(axis=-1).max(initial=0))
    if most > MOST_SAMPLED or most < FEWEST:
        many = f"the market has {most} clients, more than {MOST_SAMPLED}"
        why = many if most > MOST_SAMPLED else "no two clients ever met"
        return Lie(0.0, (0,) * len(batch), 0, 0.0, 0.0, 0.0, 0.0, 0, False, 0.0, coordinate, why)
    gain, report = np.full(there.shape, -np.inf), np.zeros(there.shape)
    deviations, exact, sampled = 0, True, ""
    rng = np.random.default_rng(0)
    large = np.flatnonzero(there.reshape(-1, types.clients).sum(axis=-1) > EVERYBODY)
    audited = rng.permutation(large)[:CLEARINGS]
    drawn = max(FEWEST_DRAWN, int(_SAMPLED_PAIRS / (most * most)))
    if len(large):
        clearings = f" in {len(audited)} of {len(large)} clearings" if len(large) > len(audited) else ""
        sampled = f", those of {drawn} of up to {most} clients drawn{clearings}"
    for group in gatherings(there, batch):
        k, who = len(group.there), None
        limit = max(1, int(MOST_PAIRS / (_REPORTS_PER_POINT * k**3)))
        if k > EVERYBODY:
            group = replace(group, rows=np.intersect1d(group.rows, audited))
            who = np.sort(rng.permutation(k)[:drawn])
            limit = max(2, int(MOST_PAIRS / (drawn * k * k)))
        elif coordinate != "cost":
            limit *= _REPORTS_PER_POINT
        if not len(group.rows):
            continue
        searched = group.there if who is None else group.there[who]
        found = best_reports(
            mechanism, group.clients(types), group.market(market), coordinate, limit=limit, clients=who
        )  # fmt: skip
        for whole, part in ((gain, found.gain), (report, found.report)):
            whole.reshape(-1, types.clients)[np.ix_(group.rows, searched)] = part
        deviations, exact = deviations + found.deviations, exact and found.exact and who is None
    at = np.unravel_index(int(np.argmax(gain)), gain.shape)
    where, client = tuple(int(k) for k in at[:-1]), int(at[-1])
    truth, said = float(getattr(types, coordinate)[at]), float(report[at])
    best = Lie(0.0, where, client, truth, said, 0.0, 0.0, deviations, exact, 0.0, coordinate, sampled=sampled)
    one, single, me = best.among(types, market, there)
    reports = one.truthful()
    lies = np.array(getattr(reports, coordinate))
    lies[me] = said
    honest = account(one, clear_and_settle(mechanism, reports, one, single), single)
    lying = account(one, clear_and_settle(mechanism, reports.replace(**{coordinate: lies}), one, single), single)
    before, after = float(honest.utility[me]), float(lying.utility[me])
    return replace(
        best,
        gain=max(0.0, after - before),
        utility_truthful=before + 0.0,
        utility_lying=after + 0.0,
        tolerance=MONEY * scale(np.concatenate([honest.gain, honest.cost, honest.paid, lying.paid])),
    )
