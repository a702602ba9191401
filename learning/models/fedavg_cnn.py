"""The usual network of papers on federated averaging for 1×28×28 images: P = 582,026 with 10 classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from learning.models.network import ImageClassifier, layered


class FedAvgCNN(ImageClassifier):
    """conv 32@5×5, rectifier, pool 2, conv 64@5×5, rectifier, pool 2, linear 512, rectifier, classes.

    McMahan et al., arXiv 1602.05629, with convolutions without padding. Pooling before the rectifier gives the same
    numbers.
    """

    name = "cnn-582k"

    def __init__(self, classes: int = 10) -> None:
        self.layout = layered(
            {"conv1": (32, 1, 5, 5), "conv2": (64, 32, 5, 5), "fc1": (512, 1024), "fc2": (classes, 512)}
        )

    def forward(
        self, parameters: Sequence[torch.Tensor], x: torch.Tensor, masks: Sequence[torch.Tensor] = ()
    ) -> torch.Tensor:
        """Return scores [n, classes] of x [n, 28, 28, 1]."""
        w1, b1, w2, b2, f1, c1, f2, c2 = parameters
        h = F.relu(F.max_pool2d(F.conv2d(x.movedim(-1, 1), w1, b1), 2))
        w2 = w2.contiguous(memory_format=torch.channels_last)
        h = F.relu(F.max_pool2d(F.conv2d(h, w2, b2), 2)).flatten(1)
        return F.linear(F.relu(F.linear(h, f1, c1)), f2, c2)
