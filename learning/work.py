"""Everything that local work reads and writes, apart from where it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.models.build import network
from learning.models.network import Network
from learning.optimizers import optimizer
from learning.plan import LearningPlan
from learning.state import RowModule, State


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


class Work:
    """The tensors of a run with the facts about them, and one workbench on which models are trained and judged.

    ``tensors``: ``rows`` [m, P], ``initial`` [P], ``slot/NAME`` [m, P] and, where the method has one, ``memory``
    [m, m] of the state; ``train_x``, ``test_x`` in the network's own layout, ``train_y``, ``test_y`` int64;
    ``members`` int64 [N], each client's samples in turn.
    """

    def __init__(self, facts: Facts, tensors: dict[str, torch.Tensor]) -> None:
        self.facts = facts
        self.tensors = tensors
        self.network: Network = network(facts.plan.model, facts.shape, facts.classes, facts.plan.base_model)
        self.device = tensors["rows"].device
        # Every client is trained on the same bench: a client's row would start at an address that depends on its
        # number, and products of differently aligned memory may differ in their last bits.
        self.bench = RowModule(self.network, self.device)
        self.optimizer = optimizer(facts.plan, self.bench.row)

    @property
    def state(self) -> State:
        """The matrices that local work and the server read and write in place."""
        slots = {name.removeprefix("slot/"): t for name, t in self.tensors.items() if name.startswith("slot/")}
        layout, tensors = self.network.layout, self.tensors
        return State(layout, tensors["rows"], tensors["initial"], slots, tensors.get("memory"))

    def members(self, client: int) -> torch.Tensor:
        """Return the indices of the samples that a client trains on."""
        return self.tensors["members"][self.facts.starts[client] : self._cut(client)]

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
