"""The paper's SimpleCNN: two convolutions with pooling, three linear layers; P = 44,426 or, for CIFAR-10, 62,006."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from learning.models.network import Classifier, in_pieces, layered
from learning.models.pooled_convolution import pooled_convolution, to_phases

_PIECE = 50  # images at once in tests: measured, a third faster than 250 and as fast on a machine otherwise idle


class SimpleCNN(Classifier):
    """conv 6@5×5, rectifier, pool 2, conv 16@5×5, rectifier, pool 2, linear 120, 84, classes (paper, tasks 1–6).

    Pooling before the rectifier gives the same numbers, since both are monotone, and rectifies a quarter of them. The
    first convolution, which costs most by far as torch would run it, is computed with its pooling in one step.
    """

    name = "cnn"

    def __init__(self, channels: int = 1, size: int = 28, classes: int = 10) -> None:
        side = ((size - 4) // 2 - 4) // 2  # of the image after both convolutions and poolings
        self.layout = layered(
            {
                "conv1": (6, channels, 5, 5),
                "conv2": (16, 6, 5, 5),
                "fc1": (120, 16 * side * side),
                "fc2": (84, 120),
                "fc3": (classes, 84),
            }
        )

    def prepare(self, x: torch.Tensor) -> torch.Tensor:
        """Return images [n, c, 2a, 2a] as their four phases [n, 4c, a, a]."""
        return to_phases(x)

    def forward(
        self, parameters: Sequence[torch.Tensor], x: torch.Tensor, masks: Sequence[torch.Tensor] = ()
    ) -> torch.Tensor:
        """Return scores [n, classes] of phases x [n, 4c, a, a]."""
        w1, b1, w2, b2, f1, c1, f2, c2, f3, c3 = parameters
        training = torch.is_grad_enabled()
        if not training:  # measured: channels last is faster forward, slower backward
            w2 = w2.contiguous(memory_format=torch.channels_last)

        def features(piece: torch.Tensor) -> torch.Tensor:
            return F.relu(F.max_pool2d(F.conv2d(pooled_convolution(piece, w1, b1), w2, b2), 2))

        h = (features(x) if training else in_pieces(features, x, _PIECE)).flatten(1)
        h = F.relu(F.linear(h, f1, c1))
        return F.linear(F.relu(F.linear(h, f2, c2)), f3, c3)
