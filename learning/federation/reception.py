"""The beginning of a conversation: what clients say of themselves, who comes later, and who came back as another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from learning.errors import LearningError
from learning.federation.messages import Hello, MessageError, Refused, Start, bytes_of, decode, encode
from learning.federation.share import layout_digest
from learning.federation.transport import Absence, Request, Transport
from learning.models.network import Layout
from learning.plan import LearningPlan
from mechanism.errors import one_line, shown

KIND = ("layout", "parameters", "shape", "classes", "scale", "shift")
"""What all clients of a run have in common."""


class TooFew(LearningError):
    """Fewer clients than a market needs said what they are, and the same."""


class Late(MessageError):
    """No answer came before the deadline, though somebody was there: to wait for it was dear."""


class Reception:
    """Who of the clients is known, by what it said of itself.

    ``book`` [m]: the greeting of each, None of who never gave one that fits. It is that with which the client began,
    whatever it says later. ``unmet``: whose process has not said what is in the book; it is asked before it works.
    """

    def __init__(self, transport: Transport, method: str, plan: LearningPlan, seed: int) -> None:
        names = transport.names
        if len(names) != plan.clients:
            raise LearningError(f"{len(names)} clients are known; expected {plan.clients}, as the run is configured")
        told = {name: value for name, value in plan.to_dict().items() if name != "own"}  # the table is the server's
        self.transport, self._plan = transport, plan
        self._starts = [Start(transport.run, k, len(names), name, method, seed, told) for k, name in enumerate(names)]
        self.book: list[Hello | None] = [None] * len(names)
        self.unmet = set(range(len(names)))
        self.kind: dict[str, Any] = {}

    def meet(self) -> Hello:
        """Greet all for the first time; return the greeting of one of them. `TooFew` if not enough agree.

        What is common to all is what most of them have, of as many what the first of them has: nobody can end a run by
        what it says of itself.
        """
        everybody = range(len(self.book))
        heard = self._hear(everybody)
        kinds = [_kind(found) for found in heard.values() if isinstance(found, Hello)]
        self.kind = max(kinds, key=kinds.count, default={})
        failed = self._admit(heard)
        least = self.transport.least
        met = [hello for hello in self.book if hello is not None]
        if len(met) < least:
            names = self.transport.names
            why = "; ".join(
                f"client {called(k, names)} takes no part: {error}" for k, error in list(failed.items())[:3]
            )
            raise TooFew(f"{len(met)} of {len(names)} clients take part; expected {least} at least: {one_line(why)}")
        return met[0]

    def greet(self, clients: Sequence[int]) -> dict[int, MessageError]:
        """Tell clients that the run has begun; return what is wrong with those who may still not take part."""
        return self._admit(self._hear(clients)) if clients else {}

    def _hear(self, clients: Iterable[int]) -> dict[int, Hello | MessageError]:
        asked = [self._starts[k] for k in clients]
        replies = self.transport.exchange([Request(start.client, encode(start), bytes_of({})) for start in asked])
        return {start.client: self._read(start, reply) for start, reply in zip(asked, replies, strict=True)}

    def _read(self, start: Start, reply: bytes | Absence) -> Hello | MessageError:
        try:
            if isinstance(reply, Absence):
                raise absent(reply)
            hello, _ = decode(reply, bytes_of({}), Hello, Refused)
            if isinstance(hello, Refused):
                raise MessageError(one_line(hello.reason))
            if (hello.run, hello.client) != (start.run, start.client):
                raise MessageError("its answer is of another run or client")
            if hello.held >= hello.samples and hello.samples > 1:
                raise MessageError(f"it holds out {hello.held} of {hello.samples} samples")
            self._plan.of(hello.samples)  # steps beyond all bounds are refused now, and not in a round
        except LearningError as error:
            return error if isinstance(error, MessageError) else MessageError(one_line(error))
        return hello

    def _admit(self, heard: Mapping[int, Hello | MessageError]) -> dict[int, MessageError]:
        failed: dict[int, MessageError] = {}
        for k, found in heard.items():
            if isinstance(found, MessageError):
                failed[k] = found
                continue
            mine, before = _kind(found), self.book[k]
            odd = next((name for name in KIND if mine[name] != self.kind[name]), "")
            if odd:
                expected = f"expected {shown(self.kind[odd])}, as most clients have"
                failed[k] = MessageError(f"its {odd} is {shown(mine[odd])}; {expected}")
            elif before not in (None, found):
                failed[k] = MessageError("it came back with other data or reports than it began with")
            else:
                self.book[k] = found
                self.unmet.discard(k)
        self.unmet |= set(failed)
        return failed

    def fits(self, layout: Layout) -> None:
        """Raise `LearningError` unless clients train the model that the server knows."""
        theirs = self.kind["parameters"], self.kind["layout"]
        if theirs != (layout.parameters, layout_digest(layout, self._plan)):
            raise LearningError(
                f"clients train a model of {theirs[0]} parameters, the server knows one of {layout.parameters}; run "
                "the same version with the same settings everywhere"
            )

    def memory(self) -> list[Any]:
        """Return the book as plain values."""
        return [None if hello is None else asdict(hello) for hello in self.book]

    def recall(self, told: Sequence[Any]) -> None:
        """Take back what `memory` gave: it stands, and who says something else by now is met no more.

        `ValueError` if it is no such thing.
        """
        book = [None if hello is None else _adapter().validate_python(hello, strict=False) for hello in told]
        if len(book) != len(self.book):
            raise ValueError("it is of another number of clients")
        self.unmet |= {k for k, hello in enumerate(book) if hello not in (None, self.book[k])}
        self.book = [now if hello is None else hello for hello, now in zip(book, self.book, strict=True)]


def absent(absence: Absence) -> MessageError:
    """Return an absence as what is said of it."""
    return (Late if absence.late else MessageError)(one_line(absence.reason)[:200])


def called(client: int, names: Sequence[str]) -> str:
    """Return a client's number, with its name where that is another."""
    return str(client) if names[client] == str(client) else f"{client} ({one_line(names[client])})"


def _kind(hello: Hello) -> dict[str, Any]:
    return {name: getattr(hello, name) for name in KIND}


@cache
def _adapter() -> TypeAdapter[Hello]:
    return TypeAdapter(Hello)
