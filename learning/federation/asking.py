"""The server's side of a conversation: questions to clients, answers that are checked, and who is away and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from learning.errors import LearningError
from learning.federation.messages import (
    Arrays,
    Bill,
    Done,
    Hello,
    MessageError,
    Refused,
    Start,
    Work,
    bytes_of,
    decode,
    encode,
    expect,
)
from learning.federation.share import layout_digest
from learning.federation.transport import Absence, Request, Transport
from learning.models.network import Layout
from learning.plan import LearningPlan
from learning.privacy.guard import stop_notice
from mechanism.errors import one_line, shown

Shapes = Mapping[str, tuple[int, ...]]
ASKED = {
    "train": "to train",
    "judge": "to test its model",
    "value": "what averages are worth to it",
    "mix": "how a mixture does",
    "line": "what models are worth to it",
    "bill": "to take its bill",
}
"""What a client was asked, in words."""


@dataclass(frozen=True, eq=False)
class Question:
    """One request to a client, and how many numbers and which arrays its answer has; ``numbers`` None: any.

    ``wants``: whether it may answer that it needs mixtures first.
    """

    client: int
    task: str
    terms: dict[str, Any]
    arrays: Arrays = field(default_factory=dict)
    shapes: Shapes = field(default_factory=dict)
    numbers: int | None = None
    wants: bool = False


def greet(transport: Transport, method: str, plan: LearningPlan, seed: int) -> list[Hello]:
    """Tell all clients that a run begins; return what they say of themselves.

    `LearningError` in one line if one does not answer, or has samples or a model of another shape than the first.
    """
    names = transport.names
    if len(names) != plan.clients:
        raise LearningError(f"{len(names)} clients are known; expected {plan.clients}, as the run is configured")
    told = {name: value for name, value in plan.to_dict().items() if name != "own"}  # the table is the server's
    starts = [Start(transport.run, k, len(names), name, method, seed, told) for k, name in enumerate(names)]
    replies = transport.exchange([Request(start.client, encode(start), bytes_of({})) for start in starts])
    found: list[Hello] = []
    for start, reply in zip(starts, replies, strict=True):
        try:
            if isinstance(reply, Absence):
                raise MessageError(reply.reason)
            hello, _ = decode(reply, bytes_of({}), Hello, Refused)
            if isinstance(hello, Refused):
                raise MessageError(one_line(hello.reason))
            if (hello.run, hello.client) != (start.run, start.client):
                raise MessageError("its answer is of another run or client")
            if hello.held >= hello.samples and hello.samples > 1:
                raise MessageError(f"it holds out {hello.held} of {hello.samples} samples")
            for name in ("layout", "parameters", "shape", "classes", "scale", "shift") if found else ():
                mine, first = getattr(hello, name), getattr(found[0], name)
                if mine != first:
                    raise MessageError(f"its {name} is {shown(mine)}; expected {shown(first)}, as the first client has")
        except MessageError as error:
            raise LearningError(f"client {called(start.client, names)} takes no part: {error}") from None
        found.append(hello)
    return found


def called(client: int, names: Sequence[str]) -> str:
    """Return a client's number, with its name where that is another."""
    return str(client) if names[client] == str(client) else f"{client} ({one_line(names[client])})"


def fits(hello: Hello, layout: Layout) -> None:
    """Raise `LearningError` unless clients train the model that the server knows."""
    if (hello.parameters, hello.layout) != (layout.parameters, layout_digest(layout)):
        raise LearningError(
            f"clients train a model of {hello.parameters} parameters, the server knows one of {layout.parameters}; "
            "run the same version with the same settings everywhere"
        )


class Asker:
    """Asks clients over a transport; who does not answer, or answers wrongly, is `away` until the round ends.

    ``away``: of each of these what is said of it, "" where that was said before; ``stopped``: whose budget is spent.
    ``epsilon`` float64 [m]: what clients last said that they have spent of their ``budget``.
    """

    def __init__(self, transport: Transport, budget: float) -> None:
        self.transport, self.budget = transport, budget
        self.away: dict[int, str] = {}
        self.stopped: set[int] = set()
        self.epsilon = np.zeros(len(transport.names))
        self.round = self._serial = 0

    def begin(self, round_index: int) -> None:
        """Begin a round: who was away is asked again."""
        self.round, self.away, self.stopped = round_index, {}, set()

    def ask(self, questions: Sequence[Question]) -> list[tuple[Done, Arrays] | None]:
        """Return each answer; None of who is away, or has to be for what it answers."""
        answers: list[tuple[Done, Arrays] | None] = [None] * len(questions)
        here = [at for at, question in enumerate(questions) if question.client not in self.away]
        together = 1 if self.transport.within else max(1, len(here))  # in one process nothing is gained by waiting
        for begin in range(0, len(here), together):
            part = here[begin : begin + together]
            messages = [self._message(questions[at]) for at in part]
            requests = [
                Request(message.client, encode(message, questions[at].arrays), bytes_of(questions[at].shapes))
                for at, message in zip(part, messages, strict=True)
            ]
            for at, message, reply in zip(part, messages, self.transport.exchange(requests), strict=True):
                try:
                    answers[at] = self._read(reply, message, questions[at])
                except MessageError as error:
                    self.leave(questions[at], error)
        return answers

    def _message(self, question: Question) -> Work | Bill:
        self._serial += 1
        mark: tuple[str, int, int, int] = (self.transport.run, self.round, self._serial, question.client)
        return Bill(*mark, **question.terms) if question.task == "bill" else Work(*mark, question.task, question.terms)

    def _read(self, reply: bytes | Absence, asked: Work | Bill, question: Question) -> tuple[Done, Arrays]:
        if isinstance(reply, Absence):
            raise MessageError(one_line(reply.reason)[:200])
        found, arrays = decode(reply, bytes_of(question.shapes), Done, Refused)
        for name in ("run", "client", "round", "serial"):
            theirs, ours = getattr(found, name), getattr(asked, name)
            if theirs != ours:
                raise MessageError(f"its answer is for {name} {shown(theirs)}; expected {shown(ours)}")
        if isinstance(found, Refused):
            raise _Spent(found.spent) if found.spent and self.budget else MessageError(one_line(found.reason))
        if found.wants and not question.wants:
            raise MessageError("it asks for mixtures where none are given")
        expect(arrays, question.shapes)
        if question.numbers is not None and len(found.numbers) != question.numbers:
            raise MessageError(f"its answer has {len(found.numbers)} numbers; expected {question.numbers}")
        self.epsilon[found.client] = max(self.epsilon[found.client], found.epsilon)
        return found, arrays

    def leave(self, question: Question, error: MessageError) -> None:
        """Let the client of a question be away for the rest of the round, for what went wrong."""
        client = question.client
        if isinstance(error, _Spent):
            self.stopped.add(client)
            now, *then = error.spent  # `then` is told once
            self.away[client] = stop_notice(client, self.round, now, then[0], self.budget) if then else ""
            return
        name, asked = called(client, self.transport.names), ASKED[question.task]
        self.away[client] = f"client {name} is away in round {self.round}, asked {asked}: {error}"


class _Spent(MessageError):
    """A client's privacy budget is spent; ``spent`` as in `Refused`."""

    def __init__(self, spent: tuple[float, ...]) -> None:
        super().__init__("its privacy budget is spent")
        self.spent = spent
