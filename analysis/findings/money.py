"""The money of one method and seed, summed over rounds: between clients, and what the centre keeps of it."""

from dataclasses import dataclass

import numpy as np

from analysis.findings.scores import harmful, known, slack
from analysis.page.export import Cell, Table
from analysis.run.records import Run, Trace
from mechanism.space import Floats
from mechanism.wording import typeset

CENTRE = "centre"
"""What tables and figures call the centre, where they call clients by their numbers."""


def paid_to_centre(trace: Trace, slack: float) -> Floats:
    """Return what every client paid the centre, money ``[seeds, rounds, m]``; below 0 where the centre paid it.

    It is what the accounts leave open: gain - cost - paid + received - utility. What is within ``slack`` of 0, which is
    rounding, is 0.
    """
    left = trace.gain - trace.cost - trace.paid + trace.received - trace.utility
    return np.where(np.abs(left) <= slack, 0.0, left)


@dataclass(frozen=True, eq=False)
class MoneyFlow:
    """Who pays whom under one method and seed, summed over rounds, money.

    ``gross`` ``[m, m]``: what importer i paid exporter j. ``centre`` ``[m]``: what i paid the centre, below 0 where the
    centre paid it (None: nobody). `net` is antisymmetric: what i paid j after netting. ``harmful``: attackers and
    free-riders. ``names`` of the clients, where they have some.
    """

    method: str
    seed: int
    gross: Floats
    centre: Floats | None = None
    harmful: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def net(self) -> Floats:
        """Net payments ``[n, n]``: gross minus its transpose; the centre is the last, n = m + 1, if money passes it."""
        between = self.gross - self.gross.T
        if not self.centred:
            return between
        centre = np.asarray(self.centre)
        return np.block([[between, centre[:, None]], [-centre[None, :], np.zeros((1, 1))]])

    @property
    def centred(self) -> bool:
        """Whether any money passes the centre."""
        return self.centre is not None and bool(np.any(self.centre))

    @property
    def labels(self) -> tuple[str, ...]:
        """What `net` is about: the clients' names or else numbers, and the centre if money passes it."""
        return (*(self.names or map(str, range(self.gross.shape[0]))), *([CENTRE] if self.centred else []))

    @property
    def cells(self) -> list[Cell]:
        """`labels` as they stand in tables: numbers are numbers."""
        clients = self.gross.shape[0]
        return [*(self.names or range(clients)), *self.labels[clients:]]

    @property
    def earned(self) -> Floats:
        """What each received less what it paid, as in `labels`; sums to 0."""
        return np.asarray(-self.net.sum(axis=1))

    @property
    def turnover(self) -> float:
        """All money that clients paid one another, gross."""
        return float(self.gross.sum())

    @property
    def collected(self) -> float:
        """What clients paid the centre in all, those that did."""
        return 0.0 if self.centre is None else float(self.centre[self.centre > 0].sum())

    @property
    def handed_out(self) -> float:
        """What the centre paid clients in all, those that it did."""
        return 0.0 if self.centre is None else float(-self.centre[self.centre < 0].sum())

    @property
    def kept(self) -> float:
        """What the centre collected less what it handed out; below 0 it added money from outside."""
        return 0.0 if self.centre is None else float(self.centre.sum())

    def arrows(self, limit: int) -> tuple[tuple[int, int, float], ...]:
        """Return the ``limit`` largest net payments (payer, receiver, amount > 0), largest first."""
        net = self.net
        payer, receiver = np.nonzero(net > 0)
        amounts = net[payer, receiver]
        order = np.argsort(-amounts, kind="stable")[:limit]
        return tuple((int(payer[k]), int(receiver[k]), float(amounts[k])) for k in order)


def money_flow(run: Run, method: str, seed: int | None = None) -> MoneyFlow:
    """Return the payments of one seed (default: the first; clients of different seeds hold different data)."""
    seed = run.seeds[0] if seed is None else seed
    entries = run.ledger[known(run, method)]
    chosen = entries.seed == run.seeds.index(seed)
    gross = np.zeros((run.clients, run.clients))
    np.add.at(gross, (entries.importer[chosen], entries.exporter[chosen]), entries.payment[chosen])
    centre = paid_to_centre(run.traces[method], slack(run, method))[run.seeds.index(seed)].sum(axis=0)
    return MoneyFlow(method, seed, gross, centre, harmful(run, method, seed), tuple(run.summary.names))


def flow_table(flow: MoneyFlow) -> Table:
    """Return the money that each client paid, received and kept over the run; the centre too, if money passes it.

    What passes the centre has a column of its own: net = received - paid - to the centre.
    """
    paid, received = flow.gross.sum(axis=1), flow.gross.sum(axis=0)
    rows: list[tuple[Cell, ...]]
    rows = [
        (flow.cells[k], float(paid[k]), float(received[k]), float(flow.earned[k])) for k in range(flow.gross.shape[0])
    ]
    heads: tuple[str, ...] = ("client", "paid", "received", "net")
    if flow.centre is not None and flow.centred:
        heads = ("client", "paid", "received", "to the centre", "net")
        rows = [(*row[:3], float(given), row[3]) for row, given in zip(rows, flow.centre, strict=True)]
        rows.append((CENTRE, flow.handed_out, flow.collected, None, flow.kept))
    return Table(f"Money under {flow.method}, seed {flow.seed}", heads, tuple(rows))


def payments_table(flow: MoneyFlow) -> Table:
    """Return the payments between every two: gross, and net of what is paid back; a row per pair.

    Where money passes the centre, it is one of them; what it is paid is known net only.
    """
    net, clients = flow.net, flow.gross.shape[0]
    every = range(len(flow.labels))
    name = flow.cells

    def gross(i: int, j: int) -> float:
        return float(flow.gross[i, j] if max(i, j) < clients else max(net[i, j], 0.0))

    rows = tuple((name[i], name[j], gross(i, j), float(net[i, j])) for i in every for j in every if i != j)
    return Table(f"Payments under {flow.method}, seed {flow.seed}", ("payer", "receiver", "paid", "net"), rows)


def kept_or_added(kept: float) -> str:
    """Return what the centre does with money that is left or missing, in words."""
    if kept == 0.0:
        return "keeps nothing"
    return f"keeps {typeset(kept)}" if kept > 0 else f"adds {typeset(-kept)} from outside"


def through_centre(flow: MoneyFlow) -> str:
    """Return what clients pay the centre and are paid by it, and what it keeps or adds; nothing if no money passes."""
    if not flow.centred:
        return ""
    said = f"clients pay the centre {typeset(flow.collected)} money and are paid {typeset(flow.handed_out)} by it"
    return f"{said}, which {kept_or_added(flow.kept)}"
