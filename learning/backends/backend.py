"""What a backend does, and what every one of them calls to do it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import torch

from learning.evaluation import ClassResults, EvaluateTask, evaluate_row
from learning.local import TrainTask, train_client
from learning.privacy.training import train_client_privately
from learning.valuation.measuring import measure
from learning.valuation.sets import ValueTask
from learning.work import Work

Task = TrainTask | EvaluateTask | ValueTask
Result = float | ClassResults | tuple[float, ...]


class Backend(Protocol):
    """Runs tasks on its ``work`` and returns their results in the order of the tasks."""

    name: str
    work: Work

    def run(self, tasks: Sequence[Any]) -> list[Any]:
        """Return the result of each task; training tasks change the rows of ``work`` in place."""
        ...

    def close(self) -> None:
        """Let go of processes and memory; harmless when done twice."""
        ...


def perform(work: Work, task: Task) -> Result:
    """Do one task in this process; of training in several parts the loss is that of the first, if all are finite."""
    if isinstance(task, TrainTask):
        loss = (train_client_privately if task.key else train_client)(work, task)
        further = 0.0 if task.spec.then is None else perform(work, replace(task, spec=task.spec.then))
        return loss if isinstance(further, float) and math.isfinite(further) else further
    return measure(work, task) if isinstance(task, ValueTask) else evaluate_row(work, task)


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
