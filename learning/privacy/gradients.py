"""The sum of per-sample gradients, each clipped to a norm: the one thing that DP-SGD computes from private samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.func import grad_and_value, vmap

from learning.errors import LearningError
from learning.models.network import Network

Tensor = torch.Tensor

_BYTES = 64 * 2**20


def chunk_for(network: Network) -> int:
    """Return how many samples to differentiate at a time: a power of 2 up to 64 whose gradients fit 64 MiB.

    It depends on the network only: another size would change the last bits of the sum.
    """
    chunk = 64
    while chunk > 1 and 4 * chunk * network.layout.parameters > _BYTES:
        chunk //= 2
    return chunk


def clipped_sum(
    network: Network, row: Tensor, x: Tensor, y: Tensor, masks: Sequence[Tensor], clip: float, chunk: int, out: Tensor
) -> Tensor:
    """Write Σ_k g_k · min(1, clip / ‖g_k‖) into ``out`` [P] and return the losses [n] of the samples.

    g_k is the gradient of sample k's loss in all parameters ``row`` [P]; x [n, ...] is what ``network.forward`` takes,
    y [n, ...], each of ``masks`` [n, ...]. One sample more or less changes the sum by at most ``clip`` (up to rounding,
    a relative 1e-5): a gradient that is not finite counts as 0. An empty batch gives 0 and no losses.

    Samples are taken ``chunk`` at a time with `torch.func.vmap`, or one by one where vmap is slower: a network's
    ``loops`` says which.
    """
    if not clip > 0:
        raise LearningError(f"clip is {clip}; expected a norm > 0")
    out.zero_()
    if not len(x):
        return x.new_zeros(0, dtype=torch.float32)
    layout = network.layout
    parameters = layout.views(row.detach())
    add = _one_by_one if network.loops else _stacked
    losses = [
        add(network, parameters, x[k : k + chunk], y[k : k + chunk], [m[k : k + chunk] for m in masks], clip, out)
        for k in range(0, len(x), chunk)
    ]
    return torch.cat(losses)


def _factors(squares: Tensor, clip: float) -> tuple[Tensor, Tensor]:
    """Return by what to multiply gradients of these squared norms [n] (float64), and which of them are finite."""
    finite = squares.isfinite()
    factors = (clip / squares.sqrt().clamp_min(1e-30)).clamp_max(1.0)
    return torch.where(finite, factors, 0.0), finite


def _stacked(
    network: Network,
    parameters: Sequence[Tensor],
    x: Tensor,
    y: Tensor,
    masks: Sequence[Tensor],
    clip: float,
    out: Tensor,
) -> Tensor:

    def loss(values: tuple[Tensor, ...], sample: Tensor, label: Tensor, drops: tuple[Tensor, ...]) -> Tensor:
        return network.batch_loss(
            values, sample.unsqueeze(0), label.unsqueeze(0), [mask.unsqueeze(0) for mask in drops]
        )

    each: Callable[..., Any] = vmap(grad_and_value(loss), in_dims=(None, 0, 0, 0))
    gradients, losses = each(tuple(parameters), x, y, tuple(masks))
    flat = [gradient.flatten(1) for gradient in gradients]
    squares = sum(torch.linalg.vector_norm(g, dim=1).double().square() for g in flat)
    factors, finite = _factors(torch.as_tensor(squares), clip)
    if not bool(finite.all()):  # 0 · ∞ is not 0
        flat = [torch.where(finite[:, None], g, 0.0) for g in flat]
    offsets = network.layout.offsets
    for start, end, g in zip(offsets, offsets[1:], flat, strict=False):
        out[start:end].addmv_(g.T, factors.to(out.dtype))
    return losses.detach().float()


def _one_by_one(
    network: Network,
    parameters: Sequence[Tensor],
    x: Tensor,
    y: Tensor,
    masks: Sequence[Tensor],
    clip: float,
    out: Tensor,
) -> Tensor:
    leaves = [parameter.detach().requires_grad_() for parameter in parameters]
    views = network.layout.views(out)
    losses = []
    for k in range(len(x)):
        with torch.enable_grad():
            one = network.batch_loss(leaves, x[k : k + 1], y[k : k + 1], [m[k : k + 1] for m in masks])
        gradients = torch.autograd.grad(one, leaves, materialize_grads=True)
        squares = torch.stack([torch.linalg.vector_norm(g).double().square() for g in gradients]).sum()
        factor, finite = _factors(squares[None], clip)
        if bool(finite.all()):
            for view, gradient in zip(views, gradients, strict=True):
                view.add_(gradient, alpha=float(factor))
        losses.append(one.detach().float())
    return torch.stack(losses)
