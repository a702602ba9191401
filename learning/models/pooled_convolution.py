"""Convolution, 2×2 max pooling and rectifier in one step, on images cut into their four phases.

Phase (p, q) of an image holds the pixels at rows ≡ p and columns ≡ q (mod 2). On phases, the convolution whose output
is then pooled 2×2 is one convolution of half the resolution with four times the output channels, one group per place
in the pooling window, and a kernel that is the given one moved by that place and padded with zeros. Pooling is then an
elementwise maximum of four groups of channels. Few wide channels instead of very few narrow ones suit vector units: on
SimpleCNN's first layer this is about twice as fast as convolution and pooling apart, and computes the same function.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F

Tensor = torch.Tensor

_TIE = 1e-30  # below any difference of two float32 numbers that matter; a tie goes to one place whatever this is


def to_phases(x: Tensor) -> Tensor:
    """Return images [n, c, 2a, 2b] as phases [n, 4c, a, b], channels ordered (channel, row phase, column phase)."""
    return F.pixel_unshuffle(x, 2)


@cache
def _indices(out: int, channels: int, k: int, device: str) -> tuple[Tensor, Tensor]:
    """Where each entry of the wide kernel comes from, and where each entry of the narrow one goes to.

    First [4·out · 4·channels · h · h] with h = k // 2 + 1, into the flat narrow kernel with one zero appended; second
    [4, out · channels · k · k], into the flat wide kernel, one row per place in the pooling window.
    """
    h, total = k // 2 + 1, out * channels * k * k
    forward = torch.full((4, out, channels, 2, 2, h, h), total, dtype=torch.long)
    narrow = torch.arange(total).view(out, channels, k, k)
    for place in range(4):
        for ky in range(k):
            for kx in range(k):
                y, x = ky + place // 2, kx + place % 2
                forward[place, :, :, y % 2, x % 2, y // 2, x // 2] = narrow[:, :, ky, kx]
    flat = forward.reshape(4, -1)
    backward = torch.empty((4, total), dtype=torch.long)
    for place in range(4):
        used = (flat[place] < total).nonzero().squeeze(1)
        backward[place, flat[place][used]] = used + place * flat.shape[1]
    return flat.reshape(-1).to(device), backward.to(device)


def _wide_kernel(weight: Tensor) -> Tensor:
    out, channels, k, _ = weight.shape
    forward, _ = _indices(out, channels, k, str(weight.device))
    padded = torch.cat([weight.reshape(-1), weight.new_zeros(1)])
    return padded[forward].view(4 * out, 4 * channels, k // 2 + 1, k // 2 + 1)


class _PooledConvolution(torch.autograd.Function):
    """Gradient by hand: each pooled value passes its gradient to the first place that attained it, as torch does."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        wide = _wide_kernel(weight)
        groups = F.conv2d(x, wide).unflatten(1, (4, len(weight)))
        pairs = torch.maximum(groups[:, :2], groups[:, 2:])
        pooled = torch.maximum(pairs[:, 0], pairs[:, 1])
        out = (pooled + bias[:, None, None]).relu_()
        ctx.save_for_backward(x, wide, groups, pooled, out)
        ctx.kernel = weight.shape
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, Tensor]:
        x, wide, groups, pooled, out = ctx.saved_tensors
        remaining = torch.ops.aten.threshold_backward(grads[0], out, 0)
        bias_grad = remaining.sum((0, 2, 3))
        spread = torch.empty_like(groups)
        for place in range(3):
            below = groups[:, place] - pooled  # 0 where this place attained the maximum, else negative
            torch.ops.aten.threshold_backward.grad_input(remaining, below, -_TIE, grad_input=spread[:, place])
            remaining = remaining - spread[:, place]
        spread[:, 3] = remaining
        wide_grad = torch.ops.aten.convolution_backward(
            spread.flatten(1, 2).contiguous(memory_format=torch.channels_last),  # measured: twice as fast this way
            x.contiguous(memory_format=torch.channels_last),
            wide.contiguous(memory_format=torch.channels_last),
            [0],
            [1, 1],
            [0, 0],
            [1, 1],
            False,
            [0, 0],
            1,
            [False, True, False],
        )[1]
        _, backward = _indices(*ctx.kernel[:3], str(x.device))
        return None, wide_grad.reshape(-1)[backward].sum(0).view(ctx.kernel), bias_grad


def pooled_convolution(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return relu(max_pool2d(conv2d(images, weight, bias), 2)) for phases ``x`` of the images.

    ``x`` [n, 4c, a, b] (see `to_phases`; it gets no gradient), ``weight`` [o, c, k, k] with k odd, ``bias`` [o];
    the result is [n, o, a - k//2, b - k//2]. Inside `torch.func` transformations, such as those that give the gradient
    of each sample apart, it is computed as that formula says.
    """
    if torch._C._are_functorch_transforms_active():  # as torch.autograd.Function asks; ours has no rule for them
        return F.relu(F.max_pool2d(F.conv2d(F.pixel_shuffle(x, 2), weight, bias), 2))
    if torch.is_grad_enabled():
        return _PooledConvolution.apply(x, weight, bias)
    out = len(weight)
    x = x.contiguous(memory_format=torch.channels_last)
    wide = _wide_kernel(weight).contiguous(memory_format=torch.channels_last)
    groups = F.conv2d(x, wide).permute(0, 2, 3, 1).unflatten(3, (4, out))
    pairs = torch.maximum(groups[..., :2, :], groups[..., 2:, :])
    pooled = torch.maximum(pairs[..., 0, :], pairs[..., 1, :])
    return (pooled + bias).relu_().permute(0, 3, 1, 2)
