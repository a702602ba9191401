"""The networks as one would write them with `torch.nn`: what the pure functions must agree with."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

Tensor = torch.Tensor


class GivenDropout(nn.Module):
    """Dropout that does what a given mask says, where `nn.Dropout` would draw one; nothing without a mask."""

    mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        return x if self.mask is None else x * self.mask


def simple_cnn(channels: int, size: int, classes: int) -> nn.Module:
    side = ((size - 4) // 2 - 4) // 2
    return nn.Sequential(
        nn.Conv2d(channels, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * side**2, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes),
    )  # fmt: skip


def femnist_cnn(classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), GivenDropout(),
        nn.Flatten(), nn.Linear(64 * 12 * 12, 128), nn.ReLU(), GivenDropout(), nn.Linear(128, classes),
    )  # fmt: skip


def fedavg_cnn(classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 512), nn.ReLU(), nn.Linear(512, classes),
    )  # fmt: skip


class Characters(nn.Module):
    def __init__(self, characters: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, 8)
        self.lstm = nn.LSTM(8, 256, num_layers=2, batch_first=True)
        self.output = nn.Linear(256, characters)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.lstm(self.embedding(x.long()))[0][:, -1])


class Block(nn.Module):
    def __init__(self, inner: int, out: int, groups: int) -> None:
        super().__init__()
        self.widens = out != inner
        self.conv1 = nn.Conv2d(inner, out, 3, stride=2 if self.widens else 1, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(groups, out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(groups, out)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        if self.widens:
            x = x[:, :, ::2, ::2]
            nothing = torch.zeros_like(x[:, : x.shape[1] // 2])
            x = torch.cat([nothing, x, nothing], 1)
        return F.relu(x + y)


def resnet20(channels: int, classes: int, groups: int) -> nn.Module:
    widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
    blocks = [Block(a, b, groups) for a, b in pairwise(widths)]
    return nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1, bias=False), nn.GroupNorm(groups, 16), nn.ReLU(), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes),
    )  # fmt: skip


def give(module: nn.Module, row: Tensor, masks: Sequence[Tensor] = ()) -> None:
    """Load the parameters of ``row`` [P], in the module's own order, and set its dropout masks in order."""
    start = 0
    for parameter in module.parameters():
        parameter.data.copy_(row[start : start + parameter.numel()].view_as(parameter))
        start += parameter.numel()
    assert start == len(row), "the module has another number of parameters"
    dropouts = [m for m in module.modules() if isinstance(m, GivenDropout)]
    for dropout, mask in zip(dropouts, masks or [None] * len(dropouts), strict=True):
        dropout.mask = mask
