"""A client of a federation: its data, its reports, and its own copy of every bill."""

from __future__ import annotations

import json
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketproof.federation.bills import COLUMNS, FEW, some
from marketproof.federation.keys import Identity
from marketproof.federation.own_model import write_own
from mechanism.errors import InputError, one_line, shown
from mechanism.market.accounting import MONEY
from mechanism.wording import number, plural

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from learning.federation.loading import Wishes
    from learning.federation.messages import Audit, Bill, Start
    from learning.federation.share import Share

_ROOM = 2**28
"""Bytes of bills and audits that a client keeps at most."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Door:
    """How a client reaches its server: address, the server's certificate, its own key, the link, and its patience."""

    host: str
    port: int
    certificate: Path
    key: Path
    link: str = "https"
    patience: float = 600.0


def join(
    door: Door,
    data: Path | None,
    cost: float,
    gain: float,
    tell: Tell = lambda line: None,
    wishes: Wishes | None = None,
    hours: float | None = None,
    models: Path | None = None,
) -> Papers:
    """Take part until the server says that it is over, or the time is; return what was told of one's own account.

    ``data``: samples of one's own (`own_file`), or the folder of a public data set of which this client takes its part;
    None: one that comes with the package. ``hours``: how long at most; None: as long as it takes. ``models``:
    folder for the model that this client uses, written after each round of a training. Ledger and private models are
    kept beside the key. `MarketProofError` in one line if the key is refused, the data cannot be
    read, or the server cannot be reached.
    """
    from learning.federation.client import Client
    from learning.federation.loading import Wishes, own_file, own_part
    from marketproof.federation.serve import LINKS

    if door.link not in LINKS:
        raise InputError(f"there is no link {shown(door.link)}; expected one of {', '.join(LINKS)}")
    identity = Identity.at(door.key)
    wanted = wishes or Wishes()
    load = own_part(wishes=wanted) if data is None else own_file(data, wanted)
    papers, refused = Papers(tell), ""
    keep = door.key.with_suffix(".memory")
    now: dict[str, Share] = {}

    def begun(start: Start) -> Share:
        now.clear()
        now[start.run] = share = load(start)
        tell(beginning_of(start))
        return share

    def billed(bill: Bill) -> None:
        papers.bill(bill)
        if models is not None and bill.run in now:
            write_own(models, bill.run, now[bill.run])

    client = Client(begun, cost, gain, keep=keep, told=billed, audited=papers.audit)

    def answer(payload: bytes, most: int) -> bytes:
        nonlocal refused
        reply = client.answer(payload)
        if client.refused and refused != client.refused:
            tell(f"not done: {client.refused}")
        refused = client.refused
        return reply

    if door.link == "flower":
        from marketproof.federation.flower_link import attend
    else:
        from marketproof.federation.https_client import attend
    with _ending(hours) as over:
        try:
            attend(door.host, door.port, door.certificate, identity, answer, door.patience, tell, lambda: client.most)
        except KeyboardInterrupt:
            if not over.is_set():
                raise
            tell(f"{number(hours or 0.0)} hours are over; this client takes part no longer")
    return papers


class Papers:
    """Bills and audits of a client in their order, as plain values; ``tell`` says of each what is in it."""

    def __init__(self, tell: Tell) -> None:
        self.bills: list[dict[str, Any]] = []
        self.audits: list[dict[str, Any]] = []
        self._tell, self._room = tell, _ROOM

    def bill(self, bill: Bill) -> None:
        """Keep a bill. `InputError` if there is no room for more."""
        self._keep(self.bills, asdict(bill))
        self._tell(said_of(bill))

    def audit(self, audit: Audit, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep an audit, held against the bills of its run; `MessageError` if its rounds are none."""
        from learning.federation.messages import expect

        rounds = audit.told.get("rounds")
        expect(arrays, {"rounds": (rounds if isinstance(rounds, int) else -1, len(COLUMNS))}, "float64")
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in arrays["rounds"].tolist()]
        added = all(_close(r["utility"], r["gain"] - r["cost"] - r["paid"] + r["received"] - r["centre"]) for r in rows)
        mine = [bill for bill in self.bills if bill["run"] == audit.run and 1 <= bill["round"] <= len(rows)]
        agree = all(_agrees(bill, rows[bill["round"] - 1]) for bill in mine)
        words = [
            f"Its rounds {'add up' if added else 'do NOT add up'}: gain - cost - paid + received - centre = utility.",
            f"It {'agrees' if agree else 'does NOT agree'} with the {plural(len(mine), 'bill')} that you got.",
        ]
        numbered = [{"round": k + 1, **row} for k, row in enumerate(rows)]
        checked = {"adds_up": added, "bills": len(mine), "agrees_with_bills": agree, "words": words}
        self._keep(self.audits, {"name": audit.name, **audit.told, "rounds": numbered, "checked_here": checked})
        said = audit.told.get("words")
        lines = [str(line) for line in said] if isinstance(said, list) else []
        method = audit.told.get("method")
        self._tell(one_line(f"audit of {method}, seed {audit.told.get('seed')}: {' '.join([*lines, *words])}"))

    def _keep(self, papers: list[dict[str, Any]], paper: dict[str, Any]) -> None:
        self._room -= len(json.dumps(paper))
        if self._room < 0:
            raise InputError(f"the server's bills and audits are more than {_ROOM // 2**20} MiB; no more are kept")
        papers.append(paper)


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=MONEY, abs_tol=MONEY)


def _agrees(bill: Mapping[str, Any], row: Mapping[str, float]) -> bool:
    """Say whether a bill is of the same money as a round of an audit."""
    paid, received = (sum(money for _, money in bill[name]) for name in ("paid", "received"))
    same = all(_close(bill[name], row[name]) for name in ("centre", "gain", "cost", "utility"))
    return same and _close(paid, row["paid"]) and _close(received, row["received"])


@contextmanager
def _ending(hours: float | None) -> Iterator[threading.Event]:
    """Interrupt this process, as Ctrl-C does, when so many hours are over; the event says that they are."""
    over = threading.Event()

    def end() -> None:
        over.set()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.0 if hours is None else 3600.0 * hours, end)
    timer.daemon = True
    if hours is not None:
        timer.start()
    try:
        yield over
    finally:
        timer.cancel()


def beginning_of(start: Start) -> str:
    """Return in a line what a run is that the client takes part in, and how it reads the client's data."""
    agreed = start.plan.get("agreed") or {}
    names = [f"{shown(str(column[0]))} as {', '.join(map(str, column[1:]))}" for column in agreed.get("columns", ())]
    reads = [f"of your table it reads {shown(str(agreed['target']))} and {'; '.join(names)}"] if names else []
    private = start.plan.get("dp_epsilon")
    budget = f"privacy budget {number(private)}" if private else "without privacy"
    told = (
        f"{start.method}, seed {start.seed}: {start.plan.get('rounds')} rounds among {start.clients} clients, {budget}"
    )
    return one_line("; ".join([told, *reads]))[:2000]


def said_of(bill: Bill) -> str:
    """Return a bill in a line, printable whatever names and sentences the server put into it."""

    def trades(lines: tuple[tuple[str, float], ...], verb: str) -> str:
        return some([f"{name} ({verb} {number(money)})" for name, money in lines[:FEW]], len(lines)) or "nobody"

    return one_line(
        f"round {bill.round}: you import from {trades(bill.paid, 'paid')}; from you import "
        f"{trades(bill.received, 'received')}; gain {number(bill.gain)}, cost {number(bill.cost)}, utility "
        f"{number(bill.utility)}; {'; '.join(bill.audit)}"
    )
