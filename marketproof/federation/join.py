"""A client of a federation: its data, its reports, and its own copy of every bill."""

from __future__ import annotations

from collections.abc import Callable
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


def join(
    door: Door,
    data: Path | None,
    cost: float,
    gain: float,
    tell: Tell = lambda line: None,
    budget: float | None = None,
) -> list[dict[str, Any]]:
    """Take part until the server says that it is over; return the bills, in their order.

    ``data``: a file of samples, or the folder of a public data set of which this client takes its part; None: one that
    comes with the package. Ledger and private models are kept beside the key. ``budget``: the largest ε of a run that
    is taken part in; None: any, and runs without privacy. `MarketProofError` in one line if the key is refused, the
    data cannot be read, or the server cannot be reached.
    """
    from learning.federation.client import Client
    from learning.federation.loading import own_file, own_part
    from marketproof.federation.serve import LINKS

    if door.link not in LINKS:
        raise InputError(f"there is no link {shown(door.link)}; expected one of {', '.join(LINKS)}")
    identity = Identity.at(door.key)
    load = own_part(data, budget) if data is None or data.is_dir() else own_file(data, budget)
    bills: list[dict[str, Any]] = []

    def told(bill: Bill) -> None:
        bills.append(asdict(bill))
        tell(said_of(bill))

    client = Client(load, cost, gain, keep=door.key.with_suffix(".memory"), told=told)
    if door.link == "flower":
        from marketproof.federation.flower_link import attend
    else:
        from marketproof.federation.https_client import attend
    attend(
        door.host, door.port, door.certificate, identity, lambda payload, most: client.answer(payload), door.patience,
        tell,
    )  # fmt: skip
    return bills


def said_of(bill: Bill) -> str:
    """Return a bill in a line, printable whatever names and sentences the server put into it."""

    def trades(lines: tuple[tuple[str, float], ...], verb: str) -> str:
        return ", ".join(f"{name} ({verb} {number(money)})" for name, money in lines) or "nobody"

    return one_line(
        f"round {bill.round}: you import from {trades(bill.paid, 'paid')}; from you import "
        f"{trades(bill.received, 'received')}; gain {number(bill.gain)}, cost {number(bill.cost)}, utility "
        f"{number(bill.utility)}; {'; '.join(bill.audit)}"
    )
