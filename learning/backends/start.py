"""From the names of a backend and a device to a backend that is ready to run."""

import re

import torch

from learning.backends.auto import Choice, choose, usable_cores
from learning.backends.backend import Backend, RowsBackend
from learning.backends.pool import PoolBackend
from learning.backends.shared import SHARES
from learning.backends.stacked import StackedBackend, stackable
from learning.errors import LearningError, said
from learning.work import Work

ON_CPU = ("pool", "federated")
"""Backends that use no other device."""


def start(
    work: Work, backend: str, device: torch.device, images: int, processes: int | None = None
) -> tuple[Choice, Backend]:
    """Return the backend called ``backend`` on ``device`` with the choice that it is, or that `auto` made of it.

    ``images``: how many test images one round looks at; ``processes``: how many workers a pool has, by default as many
    as there are cores or clients. A pool moves the tensors out of ``work``. Work that cannot be stacked is done by the
    plain loop, whose numbers these are, and the choice says so.
    """
    if backend == "auto":
        choice = choose(work, images, device, processes)
    elif backend == "pool" and not SHARES:
        raise LearningError("backend 'pool' shares memory among processes as Unix does; take backend rows or auto here")
    elif backend == "stacked" and not stackable(work):
        why = "training with privacy" if work.facts.plan.dp_epsilon else f"network {work.network.name}"
        choice = Choice("rows", 1, f"rows: stacked was asked for, but {why} cannot be stacked")
    else:
        clients = len(work.facts.starts) - 1
        count = (processes or min(usable_cores(), clients)) if backend == "pool" else 1
        choice = Choice(backend, count, f"{backend}: asked for")
    if choice.backend == "pool":
        return choice, PoolBackend(work, choice.processes)
    if choice.backend == "stacked":
        return choice, StackedBackend(work, device)
    return choice, RowsBackend(work, device)


def device_named(name: str, backend: str) -> torch.device:
    """Return the device called ``name``; "auto" is CUDA where there is one and the backend can use it.

    `LearningError` if it is not there, or has no float64, in which differences and test results are summed (MPS).
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() and backend not in ON_CPU else "cpu")
    kind, colon, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (colon and not (kind == "cuda" and re.fullmatch("[0-9]{1,3}", number))):
        raise LearningError(f"there is no device {name!r}; expected auto, cpu, cuda, cuda:N or mps")
    if kind == "cpu":
        return torch.device(name)
    if backend in ON_CPU:
        raise LearningError(f"backend {backend!r} runs on the CPU; take backend rows or auto for device {name}")
    there = torch.cuda.device_count() if kind == "cuda" else int(torch.backends.mps.is_available())
    if not there:
        raise LearningError(f"this machine has no {kind.upper()} device that torch can use; take device cpu or auto")
    if colon and int(number) >= there:
        raise LearningError(f"there is no device {name!r} here; expected cuda:0 to cuda:{there - 1}")
    try:
        torch.zeros(1, dtype=torch.float64, device=name)
    except (RuntimeError, TypeError) as error:
        raise LearningError(
            f"device {name} does not hold float64, in which differences and test results are summed ({said(error)}); "
            "take device cpu"
        ) from None
    return torch.device(name)
