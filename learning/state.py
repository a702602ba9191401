"""What a run carries from round to round: one row of parameters per client, and named slots of the same shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from learning.models.network import Layout, Network


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
