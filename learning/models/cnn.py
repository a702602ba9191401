"""The paper's SimpleCNN for 1×28×28 images: two convolutions with pooling, three linear layers, P = 44,426."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from learning.models.network import Layout
from learning.models.pooled_convolution import pooled_convolution, to_phases


class SimpleCNN:
    """conv 6@5×5, rectifier, pool 2, conv 16@5×5, rectifier, pool 2, linear 120, 84, classes (paper, tasks 4–6).

    Pooling before the rectifier gives the same numbers, since both are monotone, and rectifies a quarter of them. The
    first convolution, which costs most by far as torch would run it, is computed with its pooling in one step.
    """

    name = "cnn"

    def __init__(self, classes: int = 10) -> None:
        layers = {
            "conv1": (6, 1, 5, 5),
            "conv2": (16, 6, 5, 5),
            "fc1": (120, 256),
            "fc2": (84, 120),
            "fc3": (classes, 84),
        }
        names = [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]
        shapes = [shape for weight in layers.values() for shape in (weight, weight[:1])]
        self.layout = Layout(tuple(names), tuple(shapes))

    def prepare(self, x: torch.Tensor) -> torch.Tensor:
        """Return images [n, 1, 28, 28] as their four phases [n, 4, 14, 14]."""
        return to_phases(x)

    def forward(self, parameters: Sequence[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        """Return scores [n, classes] of phases x [n, 4, 14, 14]."""
        w1, b1, w2, b2, f1, c1, f2, c2, f3, c3 = parameters
        h = pooled_convolution(x, w1, b1)
        if not torch.is_grad_enabled():  # measured: channels last is faster forward, slower backward
            w2 = w2.contiguous(memory_format=torch.channels_last)
        h = F.relu(F.max_pool2d(F.conv2d(h, w2, b2), 2)).flatten(1)
        h = F.relu(F.linear(h, f1, c1))
        return F.linear(F.relu(F.linear(h, f2, c2)), f3, c3)
