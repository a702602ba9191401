"""One client's side of a run: it works on its own samples and answers with what the server may see.

What never leaves it: samples and how many it has of each class, its noise key, its privacy ledger, and the models that
nobody else needs (Ditto's personal one). What does: the number of its samples, its reports, the models that a method
exchanges, its accuracy and loss, losses of mixtures, the gradient at its probe where effective data is measured, and ε.

Where models are valued a client sees others' only in mixtures that the server made, no more than measuring takes. That
hides nothing from a client that runs other code: it knows its own part of a mixture of two and can subtract it. What it
says of its losses nobody can check.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from learning.algorithms import method_named
from learning.algorithms.algorithm import JUDGED, START
from learning.backends.backend import one_thread, perform
from learning.errors import LearningError, said
from learning.evaluation import evaluate_row, evaluation_tasks, personal
from learning.federation import keeping
from learning.federation.appetite import Appetite, most_bytes
from learning.federation.messages import (
    NOT_STARTED,
    SLACK,
    Arrays,
    Audit,
    Bill,
    Done,
    Hello,
    Message,
    Refused,
    Start,
    Work,
    decode,
    encode,
)
from learning.federation.share import Alone, OwnBench, Share, layout_digest, parts, private_slots, written_slots
from learning.local import TrainTask
from learning.plan import LearningPlan
from learning.privacy.accounting import default_delta
from learning.streams import stream
from learning.valuation.effective import TRIED, Blend, Line, LineTask, MixtureTask
from learning.valuation.measuring import mean_losses
from mechanism.errors import one_line

if TYPE_CHECKING:
    from learning.privacy.guard import Guard


class Client:
    """Answers the server's messages; whatever carries them calls `answer`, one request after the other.

    ``load`` makes the client's share of a run that begins, or raises `MarketProofError` if it will not take part.
    ``cost`` and ``gain`` are what it reports. ``keep``: a folder of its own, in which its ledger and private models
    outlive the process; None: nothing does. ``told`` is called with each bill, ``audited`` with each audit; ``refused``
    says what was last refused. A server gets no more out of it than a run takes: `learning.federation.appetite`.
    """

    def __init__(
        self,
        load: Callable[[Start], Share],
        cost: float = 0.0,
        gain: float = 0.0,
        keep: Path | None = None,
        told: Callable[[Bill], None] = lambda bill: None,
        audited: Callable[[Audit, Arrays], None] = lambda audit, rounds: None,
    ) -> None:
        self._load, self._cost, self._gain, self._keep = load, cost, gain, keep
        self._told, self._audited, self.refused = told, audited, ""
        self._start: Start | None = None
        self._guard: Guard | None = None
        self._memory = keeping.Memory()
        self._line: Generator[Any, Any, tuple[float, ...]] | None = None
        self._appetite = Appetite()

    @property
    def most(self) -> int:
        """How many bytes the next request may have."""
        if self._start is None:
            return SLACK
        return most_bytes(self._bench.network.layout.parameters) if self._share.tells else 2**40

    def answer(self, payload: bytes) -> bytes:
        """Return the reply to a request, both as `learning.federation.messages` writes them; never raises for it."""
        mark = ("" if self._start is None else self._start.run, 0, 0, 0)
        self.refused = ""
        try:
            if not payload and self._start is None:  # too long to be read; it says what its sender does not know yet
                raise LearningError(NOT_STARTED)
            message, arrays = decode(payload, self.most, Start, Work, Bill, Audit)
            if isinstance(message, Audit | Start):
                mark = (message.run, 0, 0, message.client)
                if isinstance(message, Start):
                    return encode(self._hello(message))
                self._audited(message, arrays)  # also of a run that was over before this process began
                return encode(Done(*mark))
            mark = (message.run, message.round, message.serial, message.client)
            start = self._start
            if start is None or (message.run, message.client) != (start.run, start.client):
                raise LearningError(NOT_STARTED)
            if self._share.tells:
                self._appetite.check(message, arrays, self._bench.network.layout.parameters, self._plan.rounds)
            if isinstance(message, Bill):
                self._told(message)
                return encode(Done(*mark))
            with one_thread():
                return encode(*self._do(message, arrays))
        except _Stop as stop:
            return encode(Refused(*mark, "its privacy budget is spent", stop.spent))
        except Exception as error:
            told = one_line(said(error, 400))
            self.refused = one_line(getattr(error, "here", told))
            return encode(Refused(*mark, told))

    def _hello(self, start: Start) -> Message:
        self._start = None  # whoever refuses a run does not go on with the one before it either
        plan = LearningPlan(**start.plan)
        self._method, self._plan = method_named(start.method), plan
        self._slots = private_slots(self._method, plan)
        self._share = self._load(start)
        memory = keeping.Memory() if self._keep is None else keeping.recalled(self._keep, start.run)
        if self._keep is not None:
            began = keeping.began(start, plan, self._bench)
            if memory.began not in ("", began):  # the same noise on other samples, or less of it, would undo privacy
                raise LearningError("this run began with other settings or samples; expected the same, or another run")
            memory.began = began
        self._start, self._guard, self._memory, self._line = start, None, memory, None
        if missing := self._slots - set(self._share.private):  # they begin as everybody's models do
            initial = torch.from_numpy(self._bench.network.initial(stream(start.seed, "initial")))
            self._share.private.update({slot: initial.clone() for slot in missing})
        for slot, row in self._memory.now.items():
            self._share.private[slot].copy_(row)
        bench, layout = self._bench, self._bench.network.layout
        return Hello(
            start.run,
            start.client,
            len(bench.tensors["train_y"]),
            len(bench.held_out(start.client)),
            layout.parameters,
            layout_digest(layout, bench.facts.plan),
            bench.facts.shape,
            bench.facts.classes,
            bench.facts.scale,
            bench.facts.shift,
            self._cost,
            self._gain,
        )

    @property
    def _bench(self) -> OwnBench:
        return self._share.bench

    def _do(self, work: Work, arrays: Arrays) -> tuple[Message, Arrays]:
        does: dict[str, Any] = {"train": self._train, "judge": self._judge}
        does |= {"value": self._value, "mix": self._mix, "line": self._measure}
        if work.task not in does:
            raise LearningError(f"there is no task {work.task!r}; expected one of {', '.join(does)}")
        values = self._plan.held_out or self._method.tries is not None
        if not {"value": values, "mix": self._method.measures, "line": self._method.measures}.get(work.task, True):
            raise LearningError(f"{self._method.name} does not ask what models are worth, as {work.task!r} does")
        bench = self._bench
        sent = {"" if name == "rows" else name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        models = sent.pop("models", torch.empty(0))
        bench.held = {slot: Alone(work.client, row) for slot, row in (self._share.private | sent).items()}
        done = Done(work.run, work.round, work.serial, work.client)
        done, back = does[work.task](work, done, models)
        if self._share.tells and self._guard is not None:
            done = replace(done, epsilon=self._guard.after(self._share.place)[0])
        bench.held = {}
        return done, {slot or "rows": row.numpy() for slot, row in back.items()}

    def _train(self, work: Work, done: Done, _: torch.Tensor) -> tuple[Done, dict[str, torch.Tensor]]:
        bench, share, memory = self._bench, self._share, self._memory
        plan = self._plan.of(len(bench.members(work.client)), work.client)
        spec = self._method.local_spec(plan, bool(work.terms["first"]))
        if work.round < memory.round:
            raise LearningError(f"round {work.round} is over; expected round {memory.round} or a later one")
        if work.round == memory.round:  # the server lost it and repeats it
            for slot, row in memory.before.items():
                share.private[slot].copy_(row)
        start = {slot: row.row for slot, row in bench.held.items()}
        mark = blake2b(bytes([bool(work.terms["first"])]), digest_size=16)
        for slot in sorted(start):
            mark.update(start[slot].numpy().data)
        digest = mark.hexdigest()
        again = work.round == memory.round and digest == memory.digest
        if START not in bench.held and "" in bench.held:
            bench.held[START] = Alone(work.client, bench.models("").row.clone())
        for part in parts(spec):
            if part.gradient:
                bench.held[part.gradient] = Alone(work.client, torch.zeros_like(bench.bench.row))
        task = TrainTask(work.client, work.round, spec)
        if self._plan.dp_epsilon:
            task = self._protected(task, float(work.terms["delta"]), again)
        memory.round, memory.digest = work.round, digest
        memory.before = {slot: row.clone() for slot, row in share.private.items()}
        memory.now = share.private
        self._remember()  # the ledger is written before anybody sees what the round made
        loss = perform(bench, task)
        made = {slot: bench.models(slot).row for slot in written_slots(spec, self._slots)}
        sound = all(bool(row.isfinite().all()) for row in (*made.values(), *share.private.values()))
        if not sound or not isinstance(loss, float) or not math.isfinite(loss):
            for slot, row in memory.before.items():
                share.private[slot].copy_(row)
            raise LearningError(f"training diverged in round {work.round}; take a smaller lr, lam or eta")
        self._remember()
        return replace(done, numbers=(loss,)), made

    def _protected(self, task: TrainTask, delta: float, again: bool) -> TrainTask:
        """Return the task with the client's key and noise, its steps written down; `_Stop` if the budget is spent."""
        share = self._share
        if share.guard is None:
            raise LearningError("training with privacy needs a noise key, and this client has none")
        if self._guard is None:
            size = len(self._bench.tensors["train_y"])
            if (share.tells or delta != self._plan.dp_delta) and delta > default_delta([size]):
                raise LearningError(f"the server asks for delta {delta:g}; expected at most {default_delta([size]):g}")
            self._guard = share.guard(delta)
            if self._keep is not None:
                self._guard.restore(self._memory.spent, self._memory.stopped)
        guard = self._guard
        before = share.place in guard.stopped
        if not again and not guard.admits(share.place):
            self._remember()
            raise _Stop(guard.after(share.place)[: 1 if before else 2])
        if not again:
            guard.record([share.place])
        return replace(task, key=guard.keys[share.place], noise=guard.noise[share.place])

    def _remember(self) -> None:
        if self._keep is not None and self._start is not None:
            if self._guard is not None:
                self._memory.spent, self._memory.stopped = self._guard.rows(), self._guard.stopped
            keeping.keep(self._keep, self._start.run, self._memory)

    def _judge(self, work: Work, done: Done, _: torch.Tensor) -> tuple[Done, dict[str, torch.Tensor]]:
        """Tell the personal accuracy and loss of the client's model in a slot.

        Of a model that all have in ``common`` all strata are tested, so that its figures do not depend on who asks.
        """
        bench, share, slot = self._bench, self._share, str(work.terms["slot"])
        common = bool(work.terms["common"])
        share.used[:] = [(slot, bench.models(slot).row)]
        needed = (share.class_sizes > 0) if common else (share.weights > 0)
        mark = blake2b(bench.models(slot).row.numpy().tobytes()).digest() if common else b""
        sums = bench.tested.get(mark) if common else None
        if sums is None:
            sums = np.zeros((2, len(share.weights)))
            for task in evaluation_tasks([work.client], needed[None], share.class_sizes, slot):
                result = evaluate_row(bench, task)
                sums += result.correct, result.loss
            bench.tested.clear()  # those in one process share it
            bench.tested.update({mark: sums} if common else {})
        correct, loss = sums / np.maximum(share.class_sizes, 1)
        told = [float(personal(share.weights[None], figure[None])[0]) for figure in (correct, loss)]
        return replace(done, numbers=tuple(told)), {}

    def _value(self, work: Work, done: Done, models: torch.Tensor) -> tuple[Done, dict[str, torch.Tensor]]:
        return replace(done, numbers=mean_losses(self._bench, work.client, int(work.terms["samples"]), models)), {}

    def _mix(self, work: Work, done: Done, models: torch.Tensor) -> tuple[Done, dict[str, torch.Tensor]]:
        rows, share, joint = int(work.terms["rows"]), float(work.terms["share"]), bool(work.terms["joint"])
        if not 1 <= rows <= self._plan.clients:
            raise LearningError(f"a mixture is of {rows} models; expected 1 to {self._plan.clients}")
        task = MixtureTask(work.client, (0,) * rows, (), share, joint)
        return replace(done, numbers=Line(self._bench, work.client, JUDGED).judged(task, models)), {}

    def _measure(self, work: Work, done: Done, models: torch.Tensor) -> tuple[Done, dict[str, torch.Tensor]]:
        """Begin to measure effective data, or go on with what was asked for: `learning.valuation.effective.Line`."""
        terms = work.terms
        try:
            if "sellers" in terms:
                task = LineTask(work.client, tuple(terms["sellers"]), frozenset(terms["known"]), work.round)
                self._line = Line(self._bench, work.client, TRIED).measured(task)
                gradient: Any = next(self._line)
                return done, {"gradient": gradient}
            if self._line is None:
                raise LearningError("nothing is being measured; expected sellers first")
            wants: list[Blend] = self._line.send(terms.get("slopes", models))
            return replace(done, wants=tuple(wants)), {}
        except StopIteration as end:
            self._line = None
            return replace(done, numbers=end.value), {}


class _Stop(Exception):
    """The privacy budget does not allow another round; ``spent`` as in `Refused`."""

    def __init__(self, spent: tuple[float, ...]) -> None:
        super().__init__()
        self.spent = spent
