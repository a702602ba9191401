"""The server's side of a conversation: questions to clients, answers that are checked, and who is away and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from learning.federation.messages import (
    NOT_STARTED,
    Arrays,
    Bill,
    Done,
    MessageError,
    Refused,
    Work,
    bytes_of,
    decode,
    encode,
    expect,
)
from learning.federation.reception import Late, Reception, absent, called
from learning.federation.transport import Absence, Request
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


class Asker:
    """Asks clients over a transport; who does not answer, or answers wrongly, is `away` until the round ends.

    ``away``: of each of these what is said of it, "" where that was said before; ``stopped``: whose budget is spent.
    ``epsilon`` float64 [m]: what clients last said that they have spent of their ``budget``.

    Who was waited for in vain twice or more in a row is not asked in the next 1, 3, 7, … rounds: in R rounds a client
    that is there and says nothing costs no more than some log2(R) deadlines.
    """

    def __init__(self, reception: Reception, budget: float) -> None:
        self.reception, self.transport, self.budget = reception, reception.transport, budget
        self.away: dict[int, str] = {}
        self.stopped: set[int] = set()
        self.epsilon = np.zeros(len(self.transport.names))
        self.round = self._serial = 0
        self._lates: dict[int, int] = {}
        self._resting: dict[int, int] = {}
        self._said: dict[int, str] = {}

    def begin(self, round_index: int) -> None:
        """Begin a round: who was away is asked again, and who never said what it is, that first."""
        self.round, self.stopped = round_index, set()
        self._lates = {client: count for client, count in self._lates.items() if client in self.away}
        resting = {client: "" for client, until in self._resting.items() if round_index < until}
        self.away = resting if len(resting) < len(self.epsilon) else {}
        for client, error in self.reception.greet(sorted(self.reception.unmet - set(self.away))).items():
            self._leave(client, "what it is", error)
            if self._said.get(client) == str(error):
                self.away[client] = ""
            self._said[client] = str(error)

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
            for at, message, reply in zip(part, messages, self._exchange(requests), strict=True):
                try:
                    answers[at] = self._read(reply, message, questions[at])
                except MessageError as error:
                    self.leave(questions[at], error)
        return answers

    def _exchange(self, requests: Sequence[Request]) -> list[bytes | Absence]:
        """Return replies; a client that was started anew since the run began is told of it, and asked again."""
        replies = self.transport.exchange(requests)
        lost = [at for at, reply in enumerate(replies) if _is_new(reply)]
        if lost:
            failed = self.reception.greet([requests[at].client for at in lost])
            told = [at for at in lost if requests[at].client not in failed]
            again = dict(zip(told, self.transport.exchange([requests[at] for at in told]), strict=True))
            for at in lost:
                error = failed.get(requests[at].client)
                replies[at] = again[at] if error is None else Absence(str(error), late=isinstance(error, Late))
        return replies

    def _message(self, question: Question) -> Work | Bill:
        self._serial += 1
        mark: tuple[str, int, int, int] = (self.transport.run, self.round, self._serial, question.client)
        return Bill(*mark, **question.terms) if question.task == "bill" else Work(*mark, question.task, question.terms)

    def _read(self, reply: bytes | Absence, asked: Work | Bill, question: Question) -> tuple[Done, Arrays]:
        if isinstance(reply, Absence):
            raise absent(reply)
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
        self._leave(client, ASKED[question.task], error)

    def _leave(self, client: int, asked: str, error: MessageError) -> None:
        if isinstance(error, Late):
            self._lates[client] = self._lates.get(client, 0) + 1
            self._resting[client] = self.round + 2 ** (self._lates[client] - 1)
        name = called(client, self.transport.names)
        self.away[client] = f"client {name} is away in round {self.round}, asked {asked}: {error}"


def _is_new(reply: bytes | Absence) -> bool:
    """Say whether a reply is that of a client which does not know of the run."""
    try:
        refused, _ = (None, None) if isinstance(reply, Absence) else decode(reply, bytes_of({}), Refused)
    except MessageError:
        return False
    return refused is not None and refused.reason == NOT_STARTED


class _Spent(MessageError):
    """A client's privacy budget is spent; ``spent`` as in `Refused`."""

    def __init__(self, spent: tuple[float, ...]) -> None:
        super().__init__("its privacy budget is spent")
        self.spent = spent
