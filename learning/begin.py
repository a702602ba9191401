"""Where a trainer begins: who holds which samples, where work runs, and what is tested on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from learning.algorithms.algorithm import Algorithm
from learning.backends.auto import Choice
from learning.backends.backend import Backend
from learning.backends.start import start
from learning.data.owners import client_names, left_out
from learning.data.splits import hold
from learning.errors import LearningError
from learning.evaluation import Exam
from learning.models.build import network
from learning.plan import LearningPlan
from learning.streams import stream
from learning.valuation.effective import held_out
from learning.work import Facts, Work, begun, fresh_state
from mechanism.space import Floats

if TYPE_CHECKING:
    from learning.federation.transport import Transport
    from learning.privacy.guard import Guard


class Examiner(Protocol):
    """Says how good models are for their clients."""

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
    whose = client_names(data, holdings.members), left_out(data, plan.split, plan.clients)
    digest, exam = data.digest(), Exam(holdings.weights, holdings.stratum_sizes)
    if backend != "federated":
        images = exam.images(method.own or bool(method.deployed), method.shared)
        choice, taken = start(work, backend, place, images, processes)
        return Beginning(holdings.sizes, digest, exam, choice, taken, guard, *whose)
    from learning.backends.federated import FederatedBackend
    from learning.federation.asking import greet
    from learning.federation.in_process import in_process

    clients = in_process(work, holdings, method, guard)
    greet(clients, method.name, plan, seed)
    there = FederatedBackend(work, clients, method, 0.0 if guard is None else guard.delta)
    return Beginning(
        holdings.sizes, digest, there.exam, Choice(backend, 1, f"{backend}: asked for"), there, guard, *whose
    )


def _asked(plan: LearningPlan, method: Algorithm, slots: tuple[str, ...], seed: int, transport: Transport) -> Beginning:
    """Begin a federation: the server has no sample, and knows of clients what they say of themselves."""
    from learning.backends.federated import FederatedBackend
    from learning.federation.asking import fits, greet
    from learning.privacy.accounting import default_delta

    if plan.conduct:
        raise LearningError("attackers and free-riders are simulated in one process only; take population benign")
    hellos = greet(transport, method.name, plan, seed)
    first, sizes = hellos[0], np.array([hello.samples for hello in hellos], dtype=np.int64)
    plan.of(int(sizes.max()))  # steps beyond all bounds are refused now, and not in a round
    net = network(plan.model, first.shape, first.classes, plan.base_model, plan.lora_targets)
    fits(first, net.layout)
    initial = torch.from_numpy(net.initial(stream(seed, "initial")))
    state = fresh_state(net.layout, initial, plan.clients, slots, method.memory, method.gradients)
    starts = tuple(np.concatenate([[0], np.cumsum(sizes)]).tolist())
    held = tuple(hello.held for hello in hellos) if any(hello.held for hello in hellos) else ()
    facts = Facts(plan, seed, first.shape, first.classes, first.scale, first.shift, starts, (), held)
    places = torch.zeros(1, dtype=torch.int64).expand(starts[-1])  # as many as clients say, and no memory for them
    work = Work(facts, state.tensors() | {"members": places})
    delta = plan.dp_delta or default_delta(sizes.tolist())
    digest = blake2b(repr([(h.samples, h.held) for h in hellos]).encode(), digest_size=16).hexdigest()
    backend = FederatedBackend(work, transport, method, delta)
    choice = Choice("federated", 1, "federated: clients have joined")
    return Beginning(sizes, digest, backend.exam, choice, backend, None)
