"""Everything that local work reads and writes, apart from where it runs: the state of a run, and the data about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.data.holdings import Holdings
from learning.errors import LearningError
from learning.models.build import network
from learning.models.network import Layout, Network
from learning.plan import LearningPlan
from learning.streams import stream


@dataclass(frozen=True)
class Facts:
    """What a process must be told, besides the tensors that it shares: small, plain, and quick to send.

    ``starts`` [m + 1] delimits each client's samples in the list of members, ``class_starts`` [strata + 1] each
    stratum (class, unless the data says otherwise) in the test set. A network sees ``x * scale + shift``. ``held`` [m]
    says how many of a client's samples, the last in its list, it holds out of training; empty: none.
    """

    plan: LearningPlan
    seed: int
    shape: tuple[int, ...]
    classes: int
    scale: float
    shift: float
    starts: tuple[int, ...]
    class_starts: tuple[int, ...]
    held: tuple[int, ...] = ()

    def use(self, slot: str) -> dict[str, Any]:
        """Return what somebody needs who is to use a model of the run: in which ``slot`` it is, and what it takes."""
        told = {"shape": list(self.shape), "classes": self.classes, "scale": self.scale, "shift": self.shift}
        return {"slot": f"slot/{slot}" if slot else "rows", **told}


class Work:
    """The tensors of a run with the facts about them, and one workbench on which models are trained and judged.

    ``tensors``: ``rows`` [m, P], ``initial`` [P], ``slot/NAME`` [m, P] and, where the method has one, ``memory``
    [m, m] of the state; ``train_x``, ``test_x`` in the network's own layout, ``train_y``, ``test_y`` int64;
    ``members`` int64 [N], each client's samples in turn.
    """

    def __init__(self, facts: Facts, tensors: dict[str, torch.Tensor]) -> None:
        self.facts = facts
        self.tensors = tensors
        plan = facts.plan
        self.network: Network = network(plan.model, facts.shape, facts.classes, plan.base_model, plan.lora_targets)
        self.device = tensors["rows"].device
        # Every client is trained on the same bench: a client's row would start at an address that depends on its
        # number, and products of differently aligned memory may differ in their last bits.
        self.bench = RowModule(self.network, self.device)

    @property
    def state(self) -> State:
        """The matrices that local work and the server read and write in place."""
        slots = {name.removeprefix("slot/"): t for name, t in self.tensors.items() if name.startswith("slot/")}
        layout, tensors = self.network.layout, self.tensors
        return State(layout, tensors["rows"], tensors["initial"], slots, tensors.get("memory"))

    def members(self, client: int, whole: bool = False) -> torch.Tensor:
        """Return the indices of the samples that a client trains on; of all that it has if ``whole``."""
        end = self.facts.starts[client + 1] if whole else self._cut(client)
        return self.tensors["members"][self.facts.starts[client] : end]

    def held_out(self, client: int) -> torch.Tensor:
        """Return the indices of the samples that a client holds out of training."""
        return self.tensors["members"][self._cut(client) : self.facts.starts[client + 1]]

    def _cut(self, client: int) -> int:
        return self.facts.starts[client + 1] - (self.facts.held[client] if self.facts.held else 0)

    def inputs(self, x: torch.Tensor) -> torch.Tensor:
        """Return stored samples as the numbers that the network sees."""
        return self.network.inputs(x, self.facts.scale, self.facts.shift)

    def masks(self, samples: int, generator: torch.Generator) -> list[torch.Tensor]:
        """Return the network's dropout masks for a batch, [n, *shape] of 0 or 1/(1 − rate), drawn on the CPU."""
        return [
            ((torch.rand(samples, *shape, generator=generator) >= rate) / (1.0 - rate)).to(self.device)
            for rate, shape in self.network.drops
        ]

    def models(self, slot: str) -> torch.Tensor:
        """Return the models [m, P] of a slot; the clients' own rows if ``slot`` is empty."""
        return self.tensors[f"slot/{slot}" if slot else "rows"]

    def to(self, device: torch.device) -> Work:
        """Return the same work on ``device``; its tensors are copied only if they are elsewhere."""
        if device == self.device:
            return self
        return Work(self.facts, {name: tensor.to(device) for name, tensor in self.tensors.items()})


def assemble(
    plan: LearningPlan,
    seed: int,
    dataset: Dataset,
    members: Sequence[NDArray[np.int64]],
    state: State,
    net: Network,
    held: Sequence[int] = (),
) -> Work:
    """Return the work of a run from its data, its split over clients and its state; ``held`` as in `Facts`."""
    sizes = [len(indices) for indices in members]
    facts = Facts(
        plan,
        seed,
        dataset.shape,
        dataset.classes,
        dataset.scale,
        dataset.shift,
        tuple(int(k) for k in np.concatenate([[0], np.cumsum(sizes)])),
        tuple(int(k) for k in np.searchsorted(dataset.test_strata, np.arange(dataset.strata + 1))),
        tuple(held),
    )
    tensors = state.tensors() | {
        "train_x": net.prepare(torch.tensor(dataset.train_x)).contiguous(),
        "train_y": torch.tensor(dataset.train_y),
        "test_x": net.prepare(torch.tensor(dataset.test_x)).contiguous(),
        "test_y": torch.tensor(dataset.test_y),
        "members": torch.tensor(np.concatenate(members)),
    }
    return Work(facts, tensors)


@dataclass(frozen=True, eq=False)
class State:
    """Parameters of m clients as one contiguous float32 matrix, with everything else that must survive a round.

    ``rows`` W [m, P]: client i's model is row i, laid out by ``layout``. ``initial`` θ_0 [P], common to all. ``slots``:
    other matrices [m, P] by name, such as the targets that the next round is pulled to. ``memory`` float64 [m, m]: what
    the server remembers about pairs of clients, or in row i about client i, where the method needs that. The server
    writes all of them in place, so that processes that share the memory see it.
    """

    layout: Layout
    rows: torch.Tensor
    initial: torch.Tensor
    slots: dict[str, torch.Tensor] = field(default_factory=dict)
    memory: torch.Tensor | None = None

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return every tensor by the name under which it is shared and saved."""
        memory = {} if self.memory is None else {"memory": self.memory}
        slots = {f"slot/{k}": v for k, v in self.slots.items()}
        return {"rows": self.rows, "initial": self.initial, **slots, **memory}


def begun(
    plan: LearningPlan, seed: int, holdings: Holdings, slots: tuple[str, ...], memory: bool, gradients: tuple[str, ...]
) -> Work:
    """Return the work of a run before its first round. Nobody else holds its matrices: a pool moves them one by one."""
    dataset = holdings.dataset
    net = network(plan.model, dataset.shape, dataset.classes, plan.base_model, plan.lora_targets)
    initial = torch.from_numpy(net.initial(stream(seed, "initial")))
    state = fresh_state(net.layout, initial, plan.clients, slots, memory, gradients)
    return assemble(plan, seed, dataset, holdings.members, state, net, holdings.held)


def fresh_state(
    layout: Layout,
    initial: torch.Tensor,
    clients: int,
    slots: tuple[str, ...] = (),
    memory: bool = False,
    gradients: tuple[str, ...] = (),
) -> State:
    """Return the state before the first round: every row is θ_0, so is every slot; ``gradients`` and memory are 0."""

    def copies() -> torch.Tensor:
        return initial.expand(clients, -1).clone(memory_format=torch.contiguous_format)

    remembered = torch.zeros(clients, clients, dtype=torch.float64) if memory else None
    matrices = {name: copies() for name in slots} | {name: torch.zeros_like(copies()) for name in gradients}
    return State(layout, copies(), initial.clone(), matrices, remembered)


class RowModule(torch.nn.Module):
    """A module whose parameters are views of one flat row [P] and whose gradients are views of another.

    A step of an optimiser is then a few operations on two flat vectors, and loading a client's model is one copy.
    Backward passes add into ``gradient``; zero it before each.
    """

    def __init__(self, network: Network, device: torch.device | None = None) -> None:
        super().__init__()
        self.network = network
        self.row = torch.zeros(network.layout.parameters, device=device)
        self.gradient = torch.zeros_like(self.row)
        views = zip(network.layout.views(self.row), network.layout.views(self.gradient), strict=True)
        for name, (value, gradient) in zip(network.layout.names, views, strict=True):
            parameter = torch.nn.Parameter(value)
            parameter.grad = gradient
            self.register_parameter(name.replace(".", "_"), parameter)
        self._ordered = list(self.parameters())

    def forward(self, x: torch.Tensor, masks: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """Return the outputs for prepared inputs x."""
        return self.network.forward(self._ordered, x, masks)

    def loss(self, x: torch.Tensor, y: torch.Tensor, masks: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """Return the mean loss over a batch, a scalar."""
        return self.network.batch_loss(self._ordered, x, y, masks)

    def judge(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return each sample's score in [0, 1] and its loss, float64 [n]."""
        return self.network.batch_judge(self._ordered, x, y)


LARGEST_LOSS: float = 100.0
"""Mean loss of a round's batches above which training has diverged, nats: the truth is given a chance of e^-100."""


def recover(
    state: State,
    before: Before | None,
    losses: NDArray[np.float64],
    clients: Sequence[int],
    round_index: int,
    own: bool,
    poisoned: NDArray[np.bool_],
) -> list[str]:
    """Let go back whose training diverged, its loss [m] told as 0; return a notice about each.

    ``poisoned`` bool [m]: who was given something of what an attacker or free-rider uploaded. `LearningError` if
    another's training diverged, or nothing was kept from ``before`` the round: then it is the settings' doing. So it is
    in round 1, when nobody was given anything, where steps too large mostly show in a loss that is large, not infinite.
    """
    gone = diverged(state, losses, clients)
    for k in clients:
        if (before is None or not poisoned[k]) and (k in gone or losses[k] > LARGEST_LOSS):
            raise LearningError(
                f"training of client {k} diverged in round {round_index}: its loss is {losses[k]:.4g}; "
                "take a smaller lr, lam or eta"
            )
    if before is not None:
        before.restore(state, gone, own)
    losses[gone] = 0.0
    return [f"client {k} diverged in round {round_index} on what others uploaded, and goes back" for k in gone]


def diverged(state: State, losses: NDArray[np.float64], clients: Sequence[int]) -> list[int]:
    """Return which of ``clients`` have a loss ([m], of all) or a trained model that is not finite."""
    sound = state.rows.isfinite().all(1).cpu().numpy() & np.isfinite(losses)
    return [k for k in clients if not sound[k]]


@dataclass(frozen=True, eq=False)
class Before:
    """All models before a round's training: ``rows`` [m, P], and the slots by name."""

    rows: torch.Tensor
    slots: dict[str, torch.Tensor]

    @classmethod
    def of(cls, state: State) -> Self:
        """Copy them."""
        return cls(state.rows.clone(), {name: matrix.clone() for name, matrix in state.slots.items()})

    def restore(self, state: State, clients: Sequence[int], own: bool) -> None:
        """Take the models of these clients back.

        A poisoned average can be so far off that no step from it stays finite, and a client would not keep a model that
        says nothing. Where clients go on from their ``own`` models it is again the one with which it began the round;
        elsewhere that is the average itself, and the client goes back to θ_0. What it holds beside (Ditto's personal
        model) is as before the round unless it stayed sound.
        """
        for k in clients:
            state.rows[k] = self.rows[k] if own else state.initial
            for name, matrix in state.slots.items():
                if not bool(matrix[k].isfinite().all()):
                    matrix[k] = self.slots[name][k]
