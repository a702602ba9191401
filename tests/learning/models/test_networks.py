"""The networks compute what their plain PyTorch versions compute."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from learning.errors import LearningError
from learning.models.network import initial_row, network
from learning.models.pooled_convolution import pooled_convolution, to_phases
from learning.state import RowModule
from learning.streams import stream


def images(n: int = 16) -> torch.Tensor:
    """Images with large constant parts, as clothes have: every place of a pooling window is then a tie."""
    x = torch.randn(n, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    x[: n // 2, :, :14] = -0.8
    x[0] = -0.8
    return x


def plain_cnn(parameters, x):
    w1, b1, w2, b2, f1, c1, f2, c2, f3, c3 = parameters
    x = F.max_pool2d(F.relu(F.conv2d(x, w1, b1)), 2)
    x = F.max_pool2d(F.relu(F.conv2d(x, w2, b2)), 2).flatten(1)
    return F.linear(F.relu(F.linear(F.relu(F.linear(x, f1, c1)), f2, c2)), f3, c3)


def test_sizes_are_those_of_the_paper():
    assert network("cnn", (1, 28, 28), 10).layout.parameters == 44_426
    assert network("mlp", (64,), 10).layout.parameters == 4_810


def test_simple_cnn_has_the_scores_and_gradients_of_plain_convolutions():
    net = network("cnn", (1, 28, 28), 10)
    module = RowModule(net)
    module.row.copy_(torch.from_numpy(initial_row(net.layout, stream(0, "initial"))))
    x, y = images(), torch.arange(16) % 10
    F.cross_entropy(module(net.prepare(x)), y).backward()
    reference = [v.clone().requires_grad_() for v in net.layout.views(module.row)]
    F.cross_entropy(plain_cnn(reference, x), y).backward()
    expected = torch.cat([p.grad.reshape(-1) for p in reference])
    assert torch.allclose(module.gradient, expected, atol=1e-7)
    with torch.inference_mode():
        assert torch.allclose(module(net.prepare(x)), plain_cnn(reference, x), atol=1e-6)


@pytest.mark.parametrize(("channels", "out", "k"), [(1, 6, 5), (3, 4, 5), (2, 5, 3)])
def test_pooled_convolution_is_convolution_pooling_and_rectifier(channels, out, k):
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(4, channels, 12, 12, generator=generator)
    x[:2, :, :, 6:] = 0.5
    weight = torch.randn(out, channels, k, k, generator=generator, requires_grad=True)
    bias = torch.randn(out, generator=generator, requires_grad=True)
    expected = F.relu(F.max_pool2d(F.conv2d(x, weight, bias), 2))
    found = pooled_convolution(to_phases(x), weight, bias)
    assert torch.allclose(found, expected, atol=1e-5)
    direction = torch.randn(found.shape, generator=generator)
    mine = torch.autograd.grad((found * direction).sum(), (weight, bias))
    theirs = torch.autograd.grad((expected * direction).sum(), (weight, bias))
    for a, b in zip(mine, theirs, strict=True):
        assert torch.allclose(a, b, atol=1e-4)
    with torch.no_grad():
        assert torch.allclose(pooled_convolution(to_phases(x), weight, bias), expected, atol=1e-5)


def test_mlp_is_two_linear_layers():
    net = network("mlp", (64,), 10)
    module = RowModule(net)
    module.row.copy_(torch.from_numpy(initial_row(net.layout, stream(0, "initial"))))
    plain = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    for parameter, view in zip(plain.parameters(), net.layout.views(module.row), strict=True):
        parameter.data.copy_(view)
    x = torch.randn(5, 64)
    assert torch.equal(module(x), plain(x))


def test_initial_models_depend_on_the_seed_alone_and_keep_to_the_bound_of_each_layer():
    layout = network("cnn", (1, 28, 28), 10).layout
    row = torch.from_numpy(initial_row(layout, stream(5, "initial")))
    assert torch.equal(row, torch.from_numpy(initial_row(layout, stream(5, "initial"))))
    assert not torch.equal(row, torch.from_numpy(initial_row(layout, stream(6, "initial"))))
    bounds = [25, 25, 150, 150, 256, 256, 120, 120, 84, 84]
    for fan_in, view in zip(bounds, layout.views(row), strict=True):
        assert view.abs().max() <= fan_in**-0.5
        assert view.abs().max() > 0.5 * fan_in**-0.5


@pytest.mark.parametrize(("name", "shape"), [("cnn", (64,)), ("resnet", (1, 28, 28))])
def test_networks_that_do_not_fit_are_refused(name, shape):
    with pytest.raises(LearningError, match="there is no network"):
        network(name, shape, 10)
