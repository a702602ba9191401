"""Which backend gets through a run sooner: one measured step decides."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

import torch

from learning.algorithms.algorithm import LocalSpec
from learning.backends.backend import one_thread
from learning.evaluation import EvaluateTask, evaluate_row
from learning.local import TrainTask, train_client
from learning.work import Work

START_SECONDS = 3.0
"""What starting workers costs before the first task is done: they import torch, on cores that could already work."""

ROUNDS = 10
"""Rounds over which starting workers must pay for itself; a trainer is not told how many there will be."""


@dataclass(frozen=True)
class Choice:
    """The backend taken, with how many worker processes, and why, in one sentence."""

    backend: str
    processes: int
    reason: str


def usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def round_seconds(work: Work, images: int) -> float:
    """Estimate the seconds that one round takes in this process, from a few steps and a few test images.

    ``images`` is the number of test images of one evaluation over all clients. A scratch copy of client 0 is used: the
    run's own state is not touched.
    """
    plan = work.facts.plan
    steps = min(4, plan.steps)
    scratch = Work(work.facts, work.tensors | {"rows": work.tensors["rows"][:1].clone()})
    sizes = [b - a for a, b in zip(work.facts.class_starts, work.facts.class_starts[1:], strict=False)]
    label = min(range(len(sizes)), key=lambda c: sizes[c])
    task = TrainTask(0, 1, LocalSpec(steps))
    test = EvaluateTask(0, (label,), sizes[label])
    with one_thread():
        train_client(scratch, task)  # the first steps also choose and compile kernels
        evaluate_row(scratch, test)
        begin = time.perf_counter()
        train_client(scratch, task)
        middle = time.perf_counter()
        evaluate_row(scratch, test)
        end = time.perf_counter()
    clients = len(work.facts.starts) - 1
    return clients * plan.steps * (middle - begin) / steps + images * (end - middle) / sizes[label]


def choose(work: Work, images: int, device: torch.device, cores: int | None = None) -> Choice:
    """Return rows on a device other than the CPU or on one core, else what is sooner over `ROUNDS` rounds."""
    cores = usable_cores() if cores is None else cores
    processes = min(cores, len(work.facts.starts) - 1)
    if device.type != "cpu":
        return Choice("rows", 1, f"rows: the work is on {device}")
    if processes < 2:
        return Choice("rows", 1, "rows: there is one core, or one client")
    seconds = round_seconds(work, images)
    saved = ROUNDS * seconds * (1 - 1 / processes)
    choice = Choice("pool", processes, "") if saved > START_SECONDS else Choice("rows", 1, "")
    return replace(
        choice,
        reason=f"{choice.backend}: {processes} processes would save {saved:.1f} s over {ROUNDS} rounds of an estimated "
        f"{seconds:.2f} s and cost {START_SECONDS:.1f} s to start",
    )
