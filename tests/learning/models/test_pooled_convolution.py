"""Convolution, pooling and rectifier in one step are those three steps, ties and gradients included."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.func import grad, vmap

from learning.models.pooled_convolution import pooled_convolution, to_phases


def drawn(channels: int, out: int, k: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images of which half are constant in part, so that every place of a pooling window ties; weights; a direction."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(4, channels, 12, 12, generator=generator)
    x[:2, :, :, 6:] = 0.5
    weight = torch.randn(out, channels, k, k, generator=generator, requires_grad=True)
    bias = torch.randn(out, generator=generator, requires_grad=True)
    side = (12 - k + 1) // 2
    return x, weight, bias, torch.randn(4, out, side, side, generator=generator)


@pytest.mark.parametrize(("channels", "out", "k"), [(1, 6, 5), (3, 6, 5), (3, 4, 5), (2, 5, 3)])
def test_pooled_convolution_is_convolution_pooling_and_rectifier(channels, out, k):
    x, weight, bias, direction = drawn(channels, out, k)
    expected = F.relu(F.max_pool2d(F.conv2d(x, weight, bias), 2))
    found = pooled_convolution(to_phases(x), weight, bias)
    assert torch.allclose(found, expected, atol=1e-5)
    mine = torch.autograd.grad((found * direction).sum(), (weight, bias))
    theirs = torch.autograd.grad((expected * direction).sum(), (weight, bias))
    for a, b in zip(mine, theirs, strict=True):
        assert torch.allclose(a, b, atol=1e-4)
    with torch.no_grad():
        assert torch.allclose(pooled_convolution(to_phases(x), weight, bias), expected, atol=1e-5)


def test_gradients_of_single_images_exist():
    x, weight, bias, direction = drawn(1, 6, 5)

    def along(weight, bias, image, direction):
        return (pooled_convolution(image[None], weight, bias)[0] * direction).sum()

    each = vmap(grad(along, (0, 1)), (None, None, 0, 0))(weight.detach(), bias.detach(), to_phases(x), direction)
    whole = torch.autograd.grad((pooled_convolution(to_phases(x), weight, bias) * direction).sum(), (weight, bias))
    for a, b in zip(each, whole, strict=True):
        assert torch.allclose(a.sum(0), b, atol=1e-4)
