"""The small classifiers: a perceptron, the paper's SimpleCNN, the CNN of FEMNIST, and that of papers on averaging."""

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F

from learning.models.network import Drops, ImageClassifier, Layout, Network, in_pieces, layered
from learning.models.two_convolutions import two_convolutions


class MLP(Network):
    """inputs → ``hidden`` → classes with a rectifier between; 4,810 parameters for 64 inputs and 10 classes."""

    name = "mlp"

    def __init__(self, inputs: int = 64, hidden: int = 64, classes: int = 10) -> None:
        self.layout = Layout(
            ("hidden.weight", "hidden.bias", "output.weight", "output.bias"),
            ((hidden, inputs), (hidden,), (classes, hidden), (classes,)),
        )

    def prepare(self, x: torch.Tensor) -> torch.Tensor:
        """Return samples [n, ...] as flat rows [n, inputs]."""
        return x.reshape(len(x), -1)

    def forward(
        self, parameters: Sequence[torch.Tensor], x: torch.Tensor, masks: Sequence[torch.Tensor] = ()
    ) -> torch.Tensor:
        """Return scores [n, classes] of x [n, inputs]."""
        w1, b1, w2, b2 = parameters
        return F.linear(F.relu(F.linear(x, w1, b1)), w2, b2)


class Logistic(Network):
    """inputs → classes: logistic regression."""

    name = "logistic"

    def __init__(self, inputs: int = 64, classes: int = 10) -> None:
        self.layout = Layout(("output.weight", "output.bias"), ((classes, inputs), (classes,)))

    def prepare(self, x: torch.Tensor) -> torch.Tensor:
        """Return samples [n, ...] as flat rows [n, inputs]."""
        return x.reshape(len(x), -1)

    def forward(
        self, parameters: Sequence[torch.Tensor], x: torch.Tensor, masks: Sequence[torch.Tensor] = ()
    ) -> torch.Tensor:
        """Return scores [n, classes] of x [n, inputs]."""
        return F.linear(x, *parameters)


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


_PIECE = 32  # images at once: measured, a twelfth faster in training and a tenth in tests than 64 or 250


class FemnistCNN(ImageClassifier):
    """conv 32@3×3, rectifier, conv 64@3×3, rectifier, pool 2, dropout ¼, linear 128, rectifier, dropout ½, classes.

    P is 1,206,590 with 62 classes. The convolutions run with channels last (measured: a third faster than channels
    first), for which images are stored as [n, 28, 28, 1]. Pooling before the rectifier gives the same numbers.
    """

    name = "femnist-cnn"
    loops: ClassVar[bool] = True  # gradients of single samples: measured twice as fast one by one as by vmap
    drops: ClassVar[Drops] = ((0.25, (64, 12, 12)), (0.5, (128,)))

    def __init__(self, classes: int = 62) -> None:
        self.layout = layered(
            {"conv1": (32, 1, 3, 3), "conv2": (64, 32, 3, 3), "fc1": (128, 9216), "fc2": (classes, 128)}
        )

    def forward(
        self, parameters: Sequence[torch.Tensor], x: torch.Tensor, masks: Sequence[torch.Tensor] = ()
    ) -> torch.Tensor:
        """Return scores [n, classes] of x [n, 28, 28, 1]; masks [n, 64, 12, 12] and [n, 128]."""
        w1, b1, w2, b2, f1, c1, f2, c2 = parameters
        w2 = w2.contiguous(memory_format=torch.channels_last)
        x = x.movedim(-1, 1)

        def features(piece: torch.Tensor) -> torch.Tensor:
            h = F.conv2d(F.relu(F.conv2d(piece, w1, b1)), w2, b2)
            return F.relu(F.max_pool2d(h, 2))

        h = in_pieces(features, x, _PIECE)
        if masks:
            h = h * masks[0]
        h = F.relu(F.linear(h.flatten(1), f1, c1))
        if masks:
            h = h * masks[1]
        return F.linear(h, f2, c2)


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
