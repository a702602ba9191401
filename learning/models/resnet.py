"""ResNet-20 of task 9, with group normalisation: three stages of three blocks, P = 269,722 with 10 classes."""

from collections.abc import Iterator, Sequence
from math import prod, sqrt

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from learning.models.network import ImageClassifier, Layout, in_pieces

_WIDTHS, _BLOCKS, _GROUPS = (16, 32, 64), 3, 8
_PIECE = 16  # images at once: measured, a little faster at batch 64, and tests at 64×64 twice as fast as with 250


class ResNet20(ImageClassifier):
    """conv 16@3×3, then 3 blocks each of 16, 32, 64 channels, mean over the image, linear (He et al., 1512.03385).

    A block is conv 3×3, norm, rectifier, conv 3×3, norm, plus the block's input, rectifier. Where a stage halves the
    image, the shortcut takes every second pixel and pads the new channels with zeros (option A: no parameters).

    Groups replace batches in normalisation (Wu & He, 1803.08494): statistics of batches belong to one client's data
    and cannot be averaged or priced row by row, and with them a sample has no gradient of its own. There are 8 groups,
    of 2, 4 and 8 channels: in 100 steps on CIFAR-10, 2 groups learn as fast, 16 (single channels in the first stage)
    more slowly. Channels last is faster in tests and no slower in training. Images of any size.
    """

    name = "resnet20"

    def __init__(self, channels: int = 3, classes: int = 10) -> None:
        names: list[str] = []
        shapes: list[tuple[int, ...]] = []
        for name, out, inner in self._convolutions(channels):
            names += [f"{name}.conv.weight", f"{name}.norm.weight", f"{name}.norm.bias"]
            shapes += [(out, inner, 3, 3), (out,), (out,)]
        names += ["output.weight", "output.bias"]
        shapes += [(classes, _WIDTHS[-1]), (classes,)]
        self.layout = Layout(tuple(names), tuple(shapes))

    @staticmethod
    def _convolutions(channels: int) -> Iterator[tuple[str, int, int]]:
        """Yield the name, output channels and input channels of each convolution in order."""
        yield "first", _WIDTHS[0], channels
        inner = _WIDTHS[0]
        for stage, width in enumerate(_WIDTHS, 1):
            for block in range(1, _BLOCKS + 1):
                yield f"stage{stage}.block{block}.a", width, inner
                yield f"stage{stage}.block{block}.b", width, width
                inner = width

    def forward(
        self, parameters: Sequence[torch.Tensor], x: torch.Tensor, masks: Sequence[torch.Tensor] = ()
    ) -> torch.Tensor:
        """Return scores [n, classes] of x [n, h, w, c]."""
        return in_pieces(lambda piece: self._scores(iter(parameters), piece), x, _PIECE)

    @staticmethod
    def _scores(rest: Iterator[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        """Return the scores of images, taking parameters from ``rest`` in the order of the layout."""

        def convolution(h: torch.Tensor, stride: int = 1) -> torch.Tensor:
            weight = next(rest).contiguous(memory_format=torch.channels_last)
            h = F.conv2d(h, weight, stride=stride, padding=1)
            return F.group_norm(h, _GROUPS, next(rest), next(rest))

        h = F.relu(convolution(x.movedim(-1, 1)))
        for stage in range(len(_WIDTHS)):
            for block in range(_BLOCKS):
                halved = stage > 0 and block == 0
                inner = F.relu(convolution(h, 2 if halved else 1))
                if halved:
                    extra = inner.shape[1] - h.shape[1]
                    h = F.pad(h[:, :, ::2, ::2], (0, 0, 0, 0, extra // 2, extra - extra // 2))
                h = F.relu(convolution(inner) + h)
        return F.linear(h.mean((2, 3)), next(rest), next(rest))

    def initial(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return θ_0: convolutions N(0, 2/fan_in) (He et al., 1502.01852), norms 1 and 0, linear uniform in ±1/√64."""
        parts: list[NDArray[np.float32]] = []
        for name, shape in zip(self.layout.names, self.layout.shapes, strict=True):
            if "conv" in name:
                values = rng.standard_normal(prod(shape)) * sqrt(2 / prod(shape[1:]))
            elif "norm" in name:
                values = np.full(prod(shape), float(name.endswith("weight")))
            else:
                bound = 1 / sqrt(_WIDTHS[-1])
                values = rng.uniform(-bound, bound, size=prod(shape))
            parts.append(values.astype(np.float32))
        return np.concatenate(parts)
