"""The paper's SimpleCNN: two convolutions with pooling, three linear layers; P = 44,426 or, for CIFAR-10, 62,006."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from learning.models.network import ImageClassifier, layered
from learning.models.two_convolutions import two_convolutions


class SimpleCNN(ImageClassifier):
    """conv 6@5×5, rectifier, pool 2, conv 16@5×5, rectifier, pool 2, linear 120, 84, classes (paper, tasks 1–6).

    Pooling before the rectifier gives the same numbers, since both are monotone, and rectifies a quarter of them.
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

    def forward(
        self, parameters: Sequence[torch.Tensor], x: torch.Tensor, masks: Sequence[torch.Tensor] = ()
    ) -> torch.Tensor:
        """Return scores [n, classes] of images x [n, size, size, channels]."""
        w1, b1, w2, b2, f1, c1, f2, c2, f3, c3 = parameters
        h = F.relu(F.linear(two_convolutions(x, w1, b1, w2, b2), f1, c1))
        return F.linear(F.relu(F.linear(h, f2, c2)), f3, c3)
