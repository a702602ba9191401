"""Which backend gets through a run sooner: a few measured steps decide."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from learning.algorithms.algorithm import LocalSpec
from learning.backends.backend import one_thread
from learning.backends.shared import SHARES
from learning.backends.stacked import budget_of, chunk_of, stackable, train_stacked
from learning.evaluation import EvaluateTask, evaluate_row
from learning.local import TrainTask, train_client
from learning.work import Work

START_SECONDS = 3.0
"""What starting workers costs before the first task is done: they import torch, on cores that could already work."""

ROUNDS = 10
"""Rounds over which starting workers must pay for itself; a trainer is not told how many there will be."""

_TRIED = 16  # clients stacked in the trial


@dataclass(frozen=True)
class Choice:
    """The backend taken, with how many worker processes, and why, in one sentence."""

    backend: str
    processes: int
    reason: str


@dataclass(frozen=True)
class Seconds:
    """What one client's step takes, and the test of one image, in this process and one client after the other."""

    step: float
    image: float


def usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _scratch(work: Work, clients: int, device: torch.device) -> Work:
    """Return the data with copies of the first clients' models, on ``device``: a run's own state is not touched."""
    tensors = {name: tensor for name, tensor in work.tensors.items() if not name.startswith("slot/")}
    return Work(work.facts, tensors | {"rows": work.tensors["rows"][:clients].clone()}).to(device)


def _timed(action: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of an action's second run: the first also chooses and compiles kernels."""
    seconds = 0.0
    for _ in range(2):
        begin = time.perf_counter()
        action()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds = time.perf_counter() - begin
    return seconds


def plain_seconds(work: Work, device: torch.device) -> Seconds:
    """Time a few steps of client 0 and the test of a few images, as the plain loop does them."""
    steps = min(4, work.facts.plan.steps)
    scratch = _scratch(work, 1, device)
    sizes = [b - a for a, b in zip(work.facts.class_starts, work.facts.class_starts[1:], strict=False)]
    label = min((c for c in range(len(sizes)) if sizes[c]), key=lambda c: sizes[c])
    task, test = TrainTask(0, 1, LocalSpec(steps)), EvaluateTask(0, (label,), sizes[label])
    with one_thread():
        training = _timed(lambda: train_client(scratch, task), device)
        return Seconds(training / steps, _timed(lambda: evaluate_row(scratch, test), device) / sizes[label])


def stacked_seconds(work: Work, device: torch.device) -> float:
    """Time two steps of up to 16 clients stacked; return the seconds for one client's step."""
    clients, steps = min(_TRIED, len(work.facts.starts) - 1), min(2, work.facts.plan.steps)
    scratch = _scratch(work, clients, device)
    clients = min(clients, chunk_of(scratch, budget_of(device)))
    tasks = [TrainTask(client, 1, LocalSpec(steps)) for client in range(clients)]
    with one_thread():
        return _timed(lambda: train_stacked(scratch, tasks), device) / (clients * steps)


def choose(work: Work, images: int, device: torch.device, cores: int | None = None) -> Choice:
    """Return the backend that is soonest over `ROUNDS` rounds, for ``images`` tested in each.

    On CUDA that is rows or stacked, whose step is shorter. On the CPU rows, or pool if several processes save more
    than they cost to start: both give the same bits, so that what a run computes does not hang on what its machine was
    busy with. Stacking gives others, and is taken there only where it is asked for.
    """
    cores = usable_cores() if cores is None else cores
    clients = len(work.facts.starts) - 1
    processes = min(cores, clients) if SHARES else 1
    if device.type == "cuda":
        stacks = clients > 1 and stackable(work)
        return _on_cuda(work, device) if stacks else Choice("rows", 1, "rows: stacking is not for this training")
    if device.type != "cpu":
        return Choice("rows", 1, f"rows: the work is on {device}")
    if processes < 2:
        return Choice("rows", 1, f"rows: there is one {'core' if SHARES else 'process'}, or one client")
    one = plain_seconds(work, device)
    testing = images * one.image
    rows = ROUNDS * (clients * work.facts.plan.steps * one.step + testing)
    seconds = {"rows": rows, "pool": rows / processes + START_SECONDS}
    best = min(seconds, key=lambda name: seconds[name])
    each = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
    reason = (
        f"{best}: estimated for {ROUNDS} rounds: {each} ({processes} processes, with {START_SECONDS:.0f} s to start)"
    )
    return Choice(best, processes if best == "pool" else 1, reason)


def _on_cuda(work: Work, device: torch.device) -> Choice:
    alone, together = plain_seconds(work, device).step, stacked_seconds(work, device)
    name = "stacked" if together < alone else "rows"
    return Choice(name, 1, f"{name}: a client's step takes {1e3 * alone:.2f} ms alone, {1e3 * together:.2f} ms stacked")
