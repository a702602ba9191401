"""What a network is here: a layout, pure functions of parameters and inputs, and what counts as loss and as right."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from learning.errors import LearningError

Tensor = torch.Tensor
Drops = tuple[tuple[float, tuple[int, ...]], ...]
"""Dropout in order of use: the rate, and the shape of one sample's mask."""


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

    def slices(self, names: Collection[str] | None = None) -> list[slice]:
        """Return where in a row the named parameters lie, neighbours in one slice; the whole row if None."""
        if names is None:
            return [slice(0, self.parameters)]
        found: list[slice] = []
        for name, a, b in zip(self.names, self.offsets, self.offsets[1:], strict=False):
            if name in names:
                begin = found.pop().start if found and found[-1].stop == a else a
                found.append(slice(begin, b))
        return found

    def views(self, row: Tensor) -> list[Tensor]:
        """Return the parameters as views of ``row`` [P]: writing to one writes to the row."""
        if row.shape != (self.parameters,):
            raise LearningError(f"a row has shape {list(row.shape)}; this layout expects [{self.parameters}]")
        offsets = self.offsets
        return [row[a:b].view(s) for a, b, s in zip(offsets, offsets[1:], self.shapes, strict=False)]


class Network:
    """A network without parameters of its own: they are passed in, as views of a row.

    What a network does not say is as classifiers have it. ``drops``: the rate, and the shape of one sample's mask, of
    each dropout in the order in which `forward` takes the masks in training. A mask [n, *shape] holds 0 or 1/(1 −
    rate); without masks the network is evaluated. Masks are arguments so that every random number of a run comes from a
    keyed stream. ``loops``: whether gradients of single samples are sooner had one by one than by `torch.func.vmap`.
    """

    name: str
    layout: Layout
    drops: ClassVar[Drops] = ()
    loops: ClassVar[bool] = False

    def prepare(self, x: Tensor) -> Tensor:
        """Return raw inputs [n, ...] in the layout in which they are stored, once per data set; as they are."""
        return x

    def inputs(self, x: Tensor, scale: float, shift: float) -> Tensor:
        """Return stored samples as what `forward` takes: x * scale + shift as float32."""
        return x.float().mul_(scale).add_(shift)

    def forward(self, parameters: Sequence[Tensor], x: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
        """Return the outputs for a batch: scores [n, classes] of a classifier."""
        raise NotImplementedError

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the mean over the batch of each sample's loss, a scalar: cross entropy by labels [n]."""
        return F.cross_entropy(outputs, y)

    def judge(self, outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return each sample's score, 1 where the highest is the label's, else 0, and its loss, float64 [n]."""
        return (outputs.argmax(1) == y).double(), F.cross_entropy(outputs.double(), y, reduction="none")

    def batch_loss(self, parameters: Sequence[Tensor], x: Tensor, y: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
        """Return ``loss(forward(parameters, x, masks), y)``, by a shorter way where a network has one."""
        return self.loss(self.forward(parameters, x, masks), y)

    def batch_judge(self, parameters: Sequence[Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``judge(forward(parameters, x), y)``, likewise."""
        return self.judge(self.forward(parameters, x), y)

    def initial(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return θ_0 [P]: uniform in ±1/√fan_in, weights and biases, as `torch.nn` initialises linear and convolution.

        The numbers come from ``rng`` and not from torch, so that they do not depend on its version.
        """
        row = np.empty(self.layout.parameters, dtype=np.float32)
        offsets, fan_in = self.layout.offsets, 1
        for k, shape in enumerate(self.layout.shapes):
            if len(shape) > 1:  # a weight; the bias that follows it shares its fan-in
                fan_in = prod(shape[1:])
            bound = 1.0 / sqrt(fan_in)
            row[offsets[k] : offsets[k + 1]] = rng.uniform(-bound, bound, size=prod(shape))
        return row


class ImageClassifier(Network):
    """A classifier whose images are stored with their channels last, as its convolutions read them."""

    def prepare(self, x: Tensor) -> Tensor:
        """Return images [n, c, h, w] as [n, h, w, c]."""
        return x.movedim(1, -1)


def layered(weights: Mapping[str, tuple[int, ...]]) -> Layout:
    """Return the layout of layers that have a weight of the given shape and a bias as long as its first axis."""
    return Layout(
        tuple(f"{layer}.{part}" for layer in weights for part in ("weight", "bias")),
        tuple(shape for weight in weights.values() for shape in (weight, weight[:1])),
    )


def in_pieces(function: Callable[[Tensor], Tensor], x: Tensor, size: int) -> Tensor:
    """Return ``function`` of a batch, computed for ``size`` samples at a time: what is between then stays in cache."""
    if len(x) <= size:
        return function(x)
    return torch.cat([function(piece) for piece in x.split(size)])
