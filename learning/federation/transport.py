"""How messages travel between a server and its clients: the narrow interface behind which a network stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Request:
    """What the server asks of client number ``client``: the bytes of a message, and how long a reply may be."""

    client: int
    payload: bytes
    most: int


@dataclass(frozen=True)
class Absence:
    """No reply came, and why in a few words, such as "no answer within 60 s": they go into the run's record.

    ``late``: whether the client was waited for until the deadline.
    """

    reason: str
    late: bool = field(default=False, compare=False)


class Transport(Protocol):
    """Carries requests to clients and their replies back.

    ``names``: the registered names of the clients by their numbers. ``run`` identifies the training of one method under
    one seed, the same again when it is gone on with, in up to 100 letters, digits, "_" and "-". ``within``: whether all
    clients live in this process, so that nothing is told to anybody. ``least``: of how many a run is at least when it
    begins.

    Whom a reply is from is the transport's word: the holder of the registered key of that name. A reply that is longer
    than the request's ``most`` is cut off, not stored, and becomes an absence; so does everything else that goes wrong
    with one client. A reply that comes after the deadline is dropped. Clients answer with `learning.federation.client`.
    """

    names: tuple[str, ...]
    run: str
    within: bool
    least: int

    def exchange(self, requests: Sequence[Request]) -> list[bytes | Absence]:
        """Send all requests at once; return each one's reply, or why there is none, in their order.

        Returns when all have answered, or at the transport's deadline. Two requests to one client are answered in
        their order.
        """
        ...

    def close(self) -> None:
        """Let go of connections and clients; harmless when done twice."""
        ...
