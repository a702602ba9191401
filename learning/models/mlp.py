"""A multilayer perceptron with one hidden layer: enough for the embedded digits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from learning.models.network import Classifier, Layout


class MLP(Classifier):
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
