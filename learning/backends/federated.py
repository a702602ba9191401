"""Clients with their own samples, asked in messages: a backend on whatever carries these.

The server's side of `learning.federation`. Who does not answer, or answers wrongly, is away for the rest of the round:
it keeps its row, and why is said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from learning.algorithms.algorithm import PROBE, START, Algorithm
from learning.backends.backend import one_thread
from learning.errors import CheckpointError, LearningError, NobodyTrainedError
from learning.federation.asked_exam import AskedExam, JudgeTask
from learning.federation.asking import Asker, Question
from learning.federation.messages import Hello, MessageError
from learning.federation.reception import Reception
from learning.federation.share import private_slots, read_slots, written_slots
from learning.local import TrainTask
from learning.privacy.accounting import default_delta
from learning.valuation.effective import (
    COMMON,
    GRID,
    LARGEST,
    MOST,
    Blend,
    LineTask,
    MixtureTask,
    blended,
    mixtures,
    slopes,
)
from learning.valuation.measuring import averages
from learning.valuation.sets import ValueTask
from learning.work import LARGEST_LOSS
from learning.work import Work as Models
from mechanism.space import Floats


class FederatedBackend:
    """Sends every task to the client whose it is. ``work`` holds the models and no samples.

    ``reception`` has met the clients. ``delta``: the δ at which clients count their ε, where they train with privacy; a
    client that comes later and has more samples than those at the beginning, at one that suits its own.
    ``sizes`` int64 [m]: samples of each client, as it says; 1 of who has not said it yet.
    """

    name = "federated"

    def __init__(self, work: Models, reception: Reception, method: Algorithm, delta: float = 0.0) -> None:
        transport, clients = reception.transport, work.facts.plan.clients
        if method.tries is not None and not transport.within:
            raise LearningError(
                f"{method.name} lets clients try the models of others that they have not bought; in a federation take "
                "another method, such as ipfl or pfedgraph"
            )
        self.work, self._method, self._delta = work, method, delta
        self._private = private_slots(method, work.facts.plan)
        self._asker = Asker(reception, work.facts.plan.dp_epsilon)
        self.exam = AskedExam(np.zeros((2, clients)), self._private)
        self.sizes = np.ones(clients, dtype=np.int64)
        self._know()

    def _know(self) -> None:
        """Learn from the book of greetings who holds how much; numbers only, and no memory for the samples."""
        told = [(1, 0) if hello is None else (hello.samples, hello.held) for hello in self.greetings]
        self.sizes[:], held = [samples for samples, _ in told], tuple(out for _, out in told)
        if not self._asker.transport.within:
            starts = tuple(np.concatenate([[0], np.cumsum(self.sizes)]).tolist())
            self.work.facts = replace(self.work.facts, starts=starts, held=held if any(held) else ())
            self.work.tensors["members"] = torch.zeros(1, dtype=torch.int64).expand(starts[-1])

    @property
    def greetings(self) -> list[Hello | None]:
        """What each client said of itself when it began, None of who has not."""
        return self._asker.reception.book

    @property
    def away(self) -> dict[int, str]:
        """Who is away in the round, and what is said of it."""
        return self._asker.away

    @property
    def epsilon(self) -> Floats:
        """What clients last said that their training has spent, float64 [m]."""
        return self._asker.epsilon

    def memory(self) -> dict[str, Any]:
        """Return what clients said last of their models and their privacy."""
        if self._asker.transport.within:  # they are asked again, and nothing else than the plain loop's is saved
            return {}
        told = {"told": self.exam.told.tolist(), "epsilon": self.epsilon.tolist(), "delta": self._delta}
        return told | {"greetings": self._asker.reception.memory()}

    def recall(self, manifest: Mapping[str, Any]) -> None:
        """Take back what `memory` gave, if it was told: a run may have begun where work was done here."""
        try:
            for name, array in (("told", self.exam.told), ("epsilon", self.epsilon)):
                array[...] = np.asarray_chkfinite(manifest.get(name, array), dtype=np.float64).reshape(array.shape)
            self._delta = float(manifest.get("delta", self._delta))
            self._asker.reception.recall(manifest.get("greetings", self._asker.reception.memory()))
            self._know()
        except (ValueError, TypeError):
            raise CheckpointError("the saved state does not say what clients told last: it is damaged") from None

    def begin(self, round_index: int) -> None:
        """Begin a round, with who has come since the last. `NobodyTrainedError` if nobody is there."""
        self._asker.begin(round_index)
        self._know()
        if len(self.away) == len(self.sizes):
            raise NobodyTrainedError(f"nobody trained: {max(self.away.values())}; the run can be gone on with")

    def close(self) -> None:
        """Let go of the clients."""
        self._asker.transport.close()

    def run(self, tasks: Sequence[Any]) -> list[Any]:
        """Return the results of tasks, all of one kind; of who is away, what means that nothing was found."""
        does: dict[type, Callable[[Sequence[Any]], list[Any]]] = {
            TrainTask: self._train,
            JudgeTask: self._judge,
            ValueTask: self._value,
            MixtureTask: self._mix,
            LineTask: self._measure,
        }
        with one_thread():
            return does[type(tasks[0])](tasks) if tasks else []

    def bill(self, bills: Mapping[int, dict[str, Any]]) -> None:
        """Send clients what their bills say (`learning.federation.messages.Bill`); who does not take it is away."""
        self._asker.ask([Question(client, "bill", told) for client, told in bills.items()])

    def _delta_of(self, client: int) -> float:
        given = self.work.facts.plan.dp_delta or not self._delta
        return self._delta if given else min(self._delta, default_delta([int(self.sizes[client])]))

    def _row(self, slot: str, client: int) -> Any:
        return self.work.models(slot)[client].numpy()

    def _train(self, tasks: Sequence[TrainTask]) -> list[float]:
        """Return the clients' losses, 0 of who is away, and write what they made."""
        plan, width = self.work.facts.plan, self.work.network.layout.parameters
        questions = []
        for task in tasks:
            later = (
                self._method.local_spec(plan.of(len(self.work.members(task.client)), task.client), False) == task.spec
            )
            sent = {slot or "rows": self._row(slot, task.client) for slot in read_slots(task.spec, self._private)}
            back = {slot or "rows": (width,) for slot in written_slots(task.spec, self._private)}
            terms = {"first": not later, "delta": self._delta_of(task.client)}
            questions.append(Question(task.client, "train", terms, sent, back, 1))
        losses = [0.0] * len(tasks)
        answers = self._asker.ask(questions)
        for k, (question, answer) in enumerate(zip(questions, answers, strict=True)):
            if answer is None:
                continue
            (losses[k],) = answer[0].numbers
            if (
                abs(losses[k]) > LARGEST_LOSS and not plan.conduct
            ):  # what attackers do to others is the trainer's to see
                self._asker.leave(question, MessageError(f"training diverged, its loss is {losses[k]:.4g}"))
                losses[k] = 0.0
                continue
            for name, made in answer[1].items():
                np.copyto(self._row("" if name == "rows" else name, question.client), made)
        if answers and not self._asker.stopped and all(question.client in self.away for question in questions):
            raise NobodyTrainedError(f"nobody trained: {self.away[questions[0].client]}; the run can be gone on with")
        return losses

    def _judge(self, tasks: Sequence[JudgeTask]) -> list[tuple[float, ...] | None]:
        """Return each client's accuracy and loss, None of who is away."""
        questions = []
        for task in tasks:
            sent = {} if task.slot in self._private else {task.slot or "rows": self._row(task.slot, task.client)}
            questions.append(Question(task.client, "judge", {"slot": task.slot, "common": task.common}, sent, {}, 2))
        found: list[tuple[float, ...] | None] = []
        for question, answer in zip(questions, self._asker.ask(questions), strict=True):
            told = None if answer is None else answer[0].numbers
            if told is not None and not (0.0 <= told[0] <= 1.0 and abs(told[1]) <= _LARGEST):
                self._asker.leave(question, MessageError(f"its accuracy is {told[0]:g} and its loss {told[1]:g}"))
                told = None
            found.append(told)
        return found

    def _value(self, tasks: Sequence[ValueTask]) -> list[tuple[float, ...]]:
        """Return the losses of averages, made here: of who is away as if none changed anything, or not tried."""
        questions = []
        for task in tasks:
            models = np.stack([row.numpy().copy() for row in averages(self.work, task)])
            terms = {"samples": task.samples}
            questions.append(Question(task.client, "value", terms, {"models": models}, {}, len(models)))
        found: list[tuple[float, ...]] = []
        for task, question, answer in zip(tasks, questions, self._asker.ask(questions), strict=True):
            if answer is not None and max(map(abs, answer[0].numbers)) > _LARGEST:
                self._asker.leave(question, MessageError(f"a loss is above {_LARGEST:g}"))
                answer = None
            nothing = (np.nan if task.first == START else 0.0,) * len(task.mixtures)
            found.append(nothing if answer is None else answer[0].numbers)
        return found

    def _mix(self, tasks: Sequence[MixtureTask]) -> list[tuple[float, ...]]:
        """Return how mixtures do; of who is away that they do harm."""
        questions = []
        for task in tasks:
            models = np.stack([row.numpy() for row in mixtures(self.work, task)])
            terms = {"rows": len(task.rows), "share": task.share, "joint": task.joint}
            sent = {PROBE: self._row(PROBE, task.client), "models": models}
            questions.append(Question(task.client, "mix", terms, sent, {}, len(_HARM)))
        found: list[tuple[float, ...]] = []
        for question, answer in zip(questions, self._asker.ask(questions), strict=True):
            told = _HARM if answer is None else answer[0].numbers
            if not 0.0 <= told[2] < 1.0 or max(map(abs, told[3:])) > _LARGEST:
                said = f"its best share is {told[2]:g}; expected one below 1, and losses up to {_LARGEST:g}"
                self._asker.leave(question, MessageError(said))
                told = _HARM
            found.append(told)
        return found

    def _measure(self, tasks: Sequence[LineTask]) -> list[tuple[float, ...]]:
        """Return what clients measure on their lines, all in step; of who is away that nothing is worth anything."""
        width = self.work.network.layout.parameters
        found = [(0.0,) * len(task.sellers) + (-1.0,) * len(task.sellers) + (math.nan,) for task in tasks]
        asked = {
            k: Question(
                task.client,
                "line",
                {"sellers": list(task.sellers), "known": sorted(task.known)},
                {PROBE: self._row(PROBE, task.client)},
                {"gradient": (width,)},
            )
            for k, task in enumerate(tasks)
        }
        allowed: dict[int, set[int]] = {}
        for stage in range(_STAGES):
            answers = dict(zip(asked, self._asker.ask(list(asked.values())), strict=True))
            asked = {}
            for k, answer in answers.items():
                task = tasks[k]
                if answer is None:
                    continue
                done, arrays = answer
                if stage == 0:
                    gradient = torch.from_numpy(arrays["gradient"].copy())
                    towards = [s if math.isfinite(s) else 0.0 for s in slopes(self.work, task, gradient)]  # overflown
                    falling = sorted((slope, j) for slope, j in zip(towards, task.sellers, strict=True) if slope < 0)
                    allowed[k] = {j for _, j in falling[:MOST]}
                    asked[k] = Question(task.client, "line", {"slopes": towards}, wants=True)
                    continue
                question = Question(task.client, "line", {})
                if done.wants and stage + 1 < _STAGES and _may(done.wants, allowed[k]):
                    models = np.stack([blended(self.work, task, blend).numpy() for blend in done.wants])
                    asked[k] = Question(task.client, "line", {}, {"models": models}, wants=True)
                elif done.wants or len(done.numbers) != len(found[k]):
                    self._asker.leave(question, MessageError("it asks for mixtures that measuring does not need"))
                elif not all(0.0 <= alpha <= LARGEST for alpha in done.numbers[: len(task.sellers)]):
                    self._asker.leave(question, MessageError(f"a model's share is above {LARGEST} or below 0"))
                elif abs(done.numbers[-1]) > _LARGEST:
                    self._asker.leave(question, MessageError(f"its probe's gap is beyond {_LARGEST:g}"))
                else:
                    found[k] = done.numbers
        return found


_HARM = (-1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""How a mixture does of which nothing is known: it raises the loss."""

_LARGEST = 1e9
"""Nats: a loss beyond it is told by nobody who measures."""

_STAGES = 5
"""Requests to a client that measures: a gradient, its slopes, then mixtures of three kinds."""


def _may(wants: Sequence[Blend], sellers: set[int]) -> bool:
    """Say whether a client may have these mixtures: of sellers towards whom its loss falls most, at the set shares."""
    kinds = ("", "shuffled", "flipped")
    each = all(
        share in GRID and how in kinds and (j in sellers or (j == COMMON and not how)) for j, share, how in wants
    )
    return each and len(set(wants)) == len(wants)
