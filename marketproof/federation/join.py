"""A client of a federation: its data, its reports, and its own copy of every bill."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketproof.federation.keys import Identity
from mechanism.errors import InputError, one_line, shown
from mechanism.wording import number

if TYPE_CHECKING:
    from learning.federation.messages import Bill

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


@dataclass(frozen=True)
class Wishes:
    """In what a client takes part.

    ``epsilon``: runs that are private up to this only; None: any, and runs without privacy. ``rounds``: runs of up to
    so many. ``hours``: how long; None: as long as it takes.
    """

    epsilon: float | None = None
    rounds: int = 100_000
    hours: float | None = None


def join(
    door: Door,
    data: Path | None,
    cost: float,
    gain: float,
    tell: Tell = lambda line: None,
    wishes: Wishes = Wishes(),
) -> list[dict[str, Any]]:
    """Take part until the server says that it is over, or the time is; return the bills, in their order.

    ``data``: a file of samples, or the folder of a public data set of which this client takes its part; None: one that
    comes with the package. Ledger and private models are kept beside the key. `MarketProofError` in one line if the key
    is refused, the data cannot be read, or the server cannot be reached.
    """
    from learning.federation.client import Client
    from learning.federation.loading import own_file, own_part
    from marketproof.federation.serve import LINKS

    if door.link not in LINKS:
        raise InputError(f"there is no link {shown(door.link)}; expected one of {', '.join(LINKS)}")
    identity = Identity.at(door.key)
    limits = wishes.epsilon, wishes.rounds
    load = own_part(data, *limits) if data is None or data.is_dir() else own_file(data, *limits)
    bills: list[dict[str, Any]] = []
    refused = ""

    def told(bill: Bill) -> None:
        bills.append(asdict(bill))
        tell(said_of(bill))

    client = Client(load, cost, gain, keep=door.key.with_suffix(".memory"), told=told)

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
    with _ending(wishes.hours) as over:
        try:
            attend(door.host, door.port, door.certificate, identity, answer, door.patience, tell, lambda: client.most)
        except KeyboardInterrupt:
            if not over.is_set():
                raise
            tell(f"{number(wishes.hours or 0.0)} hours are over; this client takes part no longer")
    return bills


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


def said_of(bill: Bill) -> str:
    """Return a bill in a line, printable whatever names and sentences the server put into it."""

    def trades(lines: tuple[tuple[str, float], ...], verb: str) -> str:
        return ", ".join(f"{name} ({verb} {number(money)})" for name, money in lines) or "nobody"

    return one_line(
        f"round {bill.round}: you import from {trades(bill.paid, 'paid')}; from you import "
        f"{trades(bill.received, 'received')}; gain {number(bill.gain)}, cost {number(bill.cost)}, utility "
        f"{number(bill.utility)}; {'; '.join(bill.audit)}"
    )
