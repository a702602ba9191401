"""What a backend does, what every one of them calls to do it, and the plain one: one client after the other."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import torch

from learning.evaluation import ClassResults, EvaluateTask, evaluate_row
from learning.local import TrainTask, train_client
from learning.valuation.effective import LineTask, MixtureTask, judge_mixture, measure_lines
from learning.valuation.measuring import measure
from learning.valuation.sets import ValueTask
from learning.work import Work
from mechanism.space import Floats

Task = TrainTask | EvaluateTask | ValueTask | LineTask | MixtureTask
Result = float | ClassResults | tuple[float, ...]


class Backend(Protocol):
    """Runs tasks on its ``work`` and returns their results in the order of the tasks."""

    name: str
    work: Work

    @property
    def away(self) -> Mapping[int, str]:
        """Who has not done in this round what it was asked, by number, and what is said of it; "" if it was before."""
        ...

    @property
    def epsilon(self) -> Floats:
        """What clients say that their training has spent, float64 [m]; 0 where the trainer keeps their ledgers."""
        ...

    def begin(self, round_index: int) -> None:
        """Begin a round: everybody is there."""
        ...

    def memory(self) -> dict[str, Any]:
        """Return as plain values what outlives a round besides the state."""
        ...

    def recall(self, manifest: Mapping[str, Any]) -> None:
        """Take back what `memory` gave; `CheckpointError` if it is damaged."""
        ...

    def run(self, tasks: Sequence[Any]) -> list[Any]:
        """Return the result of each task; training tasks change the rows of ``work`` in place."""
        ...

    def close(self) -> None:
        """Let go of processes and memory; harmless when done twice."""
        ...


def perform(work: Work, task: Task) -> Result:
    """Do one task in this process; of training in several parts the loss is that of the first, if all are finite."""
    if isinstance(task, TrainTask):
        if task.key:
            from learning.privacy.training import train_client_privately

            loss = train_client_privately(work, task)
        else:
            loss = train_client(work, task)
        further = 0.0 if task.spec.then is None else perform(work, replace(task, spec=task.spec.then))
        return loss if isinstance(further, float) and math.isfinite(further) else further
    if isinstance(task, EvaluateTask):
        return evaluate_row(work, task)
    if isinstance(task, LineTask):
        return measure_lines(work, task)
    return judge_mixture(work, task) if isinstance(task, MixtureTask) else measure(work, task)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one torch thread inside, and put the caller's number back after.

    Sums over one and over two threads differ in their last bits; one everywhere makes all backends agree.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Ours:
    """What backends have in common whose work is done by this project's own processes: nobody is ever away."""

    away: Mapping[int, str] = MappingProxyType({})
    work: Work

    @property
    def epsilon(self) -> Floats:
        """The trainer keeps all ledgers."""
        return np.zeros(self.work.facts.plan.clients)

    def begin(self, round_index: int) -> None:
        """Nothing is to be done."""

    def memory(self) -> dict[str, Any]:
        """Nothing is remembered."""
        return {}

    def recall(self, manifest: Mapping[str, Any]) -> None:
        """Nothing was."""


class RowsBackend(Ours):
    """The plain loop that every other backend must agree with. On a CUDA device the whole work is moved there."""

    name = "rows"

    def __init__(self, work: Work, device: torch.device | None = None) -> None:
        self.work = work if device is None else work.to(device)

    def run(self, tasks: Sequence[Task]) -> list[Result]:
        """Return the result of each task, done in turn."""
        with one_thread():
            return [perform(self.work, task) for task in tasks]

    def close(self) -> None:
        """Nothing is held."""
