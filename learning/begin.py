"""Where a trainer begins: who holds which samples, on which backend and device work runs, and what is tested on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from learning.algorithms.algorithm import Algorithm, held_out
from learning.backends import BACKENDS
from learning.backends.auto import Choice, choose, usable_cores
from learning.backends.backend import Backend, RowsBackend
from learning.backends.pool import PoolBackend
from learning.backends.shared import SHARES
from learning.backends.stacked import StackedBackend, stackable
from learning.data.holdings import hold
from learning.errors import LearningError, said
from learning.evaluation import Exam
from learning.models.build import network, refuse_models
from learning.plan import LearningPlan
from learning.streams import stream
from learning.work import Facts, Work, begun, fresh_state
from mechanism.space import Floats

if TYPE_CHECKING:
    from learning.federation.transport import Transport
    from learning.privacy.guard import Guard


class Examiner(Protocol):
    """Says how good models are for their clients."""

    @property
    def attack_success(self) -> Floats | None:
        """As `learning.evaluation.Exam` has it."""
        ...

    def results(
        self, run: Callable[[Sequence[Any]], Sequence[Any]], models: Callable[[str], Any], slots: Sequence[str]
    ) -> tuple[Floats, Floats]:
        """Return personal accuracy and loss [m]; client i's model is row i of the ``models`` of slot ``slots[i]``."""
        ...


@dataclass(frozen=True, eq=False)
class Beginning:
    """What a trainer begins with.

    ``sizes`` int64 [m]: samples of each client; ``data``: a digest of the data; ``guard``: everybody's privacy, None
    without, or where clients keep it themselves. ``names`` of the clients where their data are somebody's by nature,
    and who of those was ``left_out`` and why.
    """

    sizes: NDArray[np.int64]
    data: str
    exam: Examiner
    choice: Choice
    backend: Backend
    guard: Guard | None
    names: tuple[str, ...] = ()
    left_out: str = ""


def begin(
    plan: LearningPlan,
    method: Algorithm,
    slots: tuple[str, ...],
    backend: str,
    place: torch.device,
    seed: int,
    data_dir: Path | None = None,
    processes: int | None = None,
    keys: Sequence[bytes] = (),
    transport: Transport | None = None,
) -> Beginning:
    """Load and divide the data, or ask the clients behind ``transport``, who have it; start where work runs."""
    if transport is not None:
        return _asked(plan, method, slots, seed, transport)
    holdings = hold(plan, seed, data_dir, *held_out(plan, method))
    work = begun(plan, seed, holdings, slots, method.memory, method.gradients)
    guard: Guard | None = None
    if plan.dp_epsilon:
        from learning.privacy.guard import guard_of

        largest = plan.of(int(holdings.sizes.max()))
        steps = max(method.local_spec(largest, first).all_steps for first in (True, False))  # at most, a round
        guard = guard_of(plan, work, steps, holdings.sizes.tolist(), keys)
    data = holdings.dataset
    whose: tuple[tuple[str, ...], str] = (), ""
    if data.groups is not None:
        from learning.data.owners import client_names, left_out

        whose = client_names(data, holdings.members), left_out(data, plan.split, plan.clients)
    digest, exam = data.digest(), Exam(holdings.weights, holdings.stratum_sizes, "backdoor" in plan.conduct)
    if backend != "federated":
        images = exam.images(method.own or bool(method.deployed), method.shared)
        choice, taken = start(work, backend, place, images, processes)
        return Beginning(holdings.sizes, digest, exam, choice, taken, guard, *whose)
    from learning.backends.federated import FederatedBackend
    from learning.federation.in_process import in_process
    from learning.federation.reception import Reception

    reception = Reception(in_process(work, holdings, method, guard), method.name, plan, seed)
    reception.meet()
    there = FederatedBackend(work, reception, method, 0.0 if guard is None else guard.delta)
    return Beginning(
        holdings.sizes, digest, there.exam, Choice(backend, 1, f"{backend}: asked for"), there, guard, *whose
    )


def refuse(plan: LearningPlan, method: Algorithm, backend: str, seed: int) -> None:
    """Raise `LearningError` on what cannot be trained, before any work."""
    if backend not in BACKENDS:
        raise LearningError(f"there is no backend {backend!r}; expected one of {', '.join(BACKENDS)}")
    if not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise LearningError(f"seed is {seed!r}; expected an integer from 0 to 2**63 - 1")
    method.local_spec(plan, False)  # refuses a plan that the method cannot follow
    refuse_models(plan.model, plan.base_model, plan.lora_targets)


def _asked(plan: LearningPlan, method: Algorithm, slots: tuple[str, ...], seed: int, transport: Transport) -> Beginning:
    """Begin a federation: the server has no sample, and knows of clients what they say of themselves."""
    from learning.backends.federated import FederatedBackend
    from learning.federation.reception import Reception
    from learning.privacy.accounting import default_delta

    if plan.conduct:
        raise LearningError("attackers and free-riders are simulated in one process only; take population benign")
    reception = Reception(transport, method.name, plan, seed)
    first = reception.meet()
    net = network(plan.model, first.shape, first.classes, plan.base_model, plan.lora_targets)
    reception.fits(net.layout)
    initial = torch.from_numpy(net.initial(stream(seed, "initial")))
    state = fresh_state(net.layout, initial, plan.clients, slots, method.memory, method.gradients)
    facts = Facts(plan, seed, first.shape, first.classes, first.scale, first.shift, (), ())
    work = Work(facts, state.tensors())
    delta = plan.dp_delta or default_delta(hello.samples for hello in reception.book if hello is not None)
    digest = blake2b(repr(reception.kind).encode(), digest_size=16).hexdigest()
    backend = FederatedBackend(work, reception, method, delta)
    choice = Choice("federated", 1, "federated: clients have joined")
    return Beginning(backend.sizes, digest, backend.exam, choice, backend, None)


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
