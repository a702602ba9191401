"""What a network is here: a layout, a pure forward function, and a layout of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from learning.errors import LearningError


@dataclass(frozen=True)
class Layout:
    """Where each named parameter lies in a flat row of P numbers: names, shapes, and offsets in order."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def offsets(self) -> tuple[int, ...]:
        """Offset of each parameter, then P itself: length names + 1."""
        ends = [0]
        for shape in self.shapes:
            ends.append(ends[-1] + prod(shape))
        return tuple(ends)

    @property
    def parameters(self) -> int:
        """The number P of parameters."""
        return self.offsets[-1]

    def views(self, row: torch.Tensor) -> list[torch.Tensor]:
        """Return the parameters as views of ``row`` [P]: writing to one writes to the row."""
        if row.shape != (self.parameters,):
            raise LearningError(f"a row has shape {list(row.shape)}; this layout expects [{self.parameters}]")
        offsets = self.offsets
        return [row[a:b].view(s) for a, b, s in zip(offsets, offsets[1:], self.shapes, strict=False)]


class Network(Protocol):
    """A network without parameters of its own: they are passed in, as views of a row."""

    name: str
    layout: Layout

    def prepare(self, x: torch.Tensor) -> torch.Tensor:
        """Return raw inputs [n, ...] in the layout in which `forward` wants them, once per data set."""
        ...

    def forward(self, parameters: Sequence[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        """Return scores [n, classes] of float32 prepared inputs."""
        ...


def initial_row(layout: Layout, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return θ_0 [P]: uniform in ±1/√fan_in, weights and biases, as `torch.nn` initialises linear and convolution.

    The numbers come from ``rng`` and not from torch, so that they do not depend on its version.
    """
    row = np.empty(layout.parameters, dtype=np.float32)
    offsets, fan_in = layout.offsets, 1
    for k, shape in enumerate(layout.shapes):
        if len(shape) > 1:  # a weight; the bias that follows it shares its fan-in
            fan_in = prod(shape[1:])
        bound = 1.0 / sqrt(fan_in)
        row[offsets[k] : offsets[k + 1]] = rng.uniform(-bound, bound, size=prod(shape))
    return row


def network(name: str, shape: tuple[int, ...], classes: int) -> Network:
    """Return the network called ``name`` for samples of ``shape`` and that many classes."""
    from learning.models.cnn import SimpleCNN
    from learning.models.mlp import MLP

    if name == "mlp":
        return MLP(inputs=prod(shape), classes=classes)
    if name == "cnn" and tuple(shape) == (1, 28, 28):
        return SimpleCNN(classes=classes)
    raise LearningError(
        f"there is no network {name!r} for samples of shape {list(shape)}; expected mlp, or cnn at 1x28x28"
    )
