"""One sample changes the clipped sum by at most the clip, and the sum is the one that Opacus computes."""

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.errors import LearningError
from learning.models.build import network
from learning.models.classifiers import MLP
from learning.privacy.training import chunk_for, clipped_sum
from tests.learning.models import renderings


def problem(net, samples, seed, spread=1.0, shape=None):
    rng = np.random.default_rng(seed)
    row = torch.from_numpy(net.initial(rng)) * spread
    x = torch.from_numpy(rng.normal(size=(samples, *shape)).astype(np.float32) * spread)
    y = torch.from_numpy(rng.integers(0, net.layout.shapes[-1][0], samples))
    return row, x, y


def total(net, row, x, y, clip, chunk=64, masks=()):
    out = torch.full_like(row, 7.0)
    losses = clipped_sum(net, row, x, y, masks, clip, chunk, out)
    return out, losses


def one_by_one(net, row, x, y, clip, masks=()):
    """The definition."""
    result, losses = torch.zeros_like(row).double(), []
    for k in range(len(x)):
        leaf = row.clone().requires_grad_()
        loss = net.loss(net.forward(net.layout.views(leaf), x[k : k + 1], [m[k : k + 1] for m in masks]), y[k : k + 1])
        (gradient,) = torch.autograd.grad(loss, leaf)
        result += gradient.double() * min(1.0, clip / max(float(gradient.double().norm()), 1e-30))
        losses.append(float(loss.detach()))
    return result.to(row.dtype), losses


@settings(max_examples=40)
@given(
    inputs=st.integers(1, 6),
    hidden=st.integers(1, 6),
    samples=st.integers(1, 9),
    seed=st.integers(0, 10**6),
    spread=st.sampled_from([0.01, 1.0, 30.0]),
    clip=st.sampled_from([1e-3, 0.1, 1.0, 50.0]),
    data=st.data(),
)
def test_removing_one_sample_changes_the_sum_by_at_most_the_clip(inputs, hidden, samples, seed, spread, clip, data):
    net = MLP(inputs, hidden, 3)
    row, x, y = problem(net, samples, seed, spread, (inputs,))
    gone = data.draw(st.integers(0, samples - 1))
    keep = torch.arange(samples) != gone
    whole, _ = total(net, row, x, y, clip, chunk=4)
    less, _ = total(net, row, x[keep], y[keep], clip, chunk=4)
    assert float((whole - less).double().norm()) <= clip * (1 + 1e-5) + 1e-6 * float(whole.norm())


def test_the_bound_is_attained_so_that_a_smaller_noise_would_not_do():
    net = MLP(4, 5, 3)
    row, x, y = problem(net, 6, 1, 10.0, (4,))
    whole, _ = total(net, row, x, y, 1e-3)
    less, _ = total(net, row, x[1:], y[1:], 1e-3)
    assert float((whole - less).norm()) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("name", ["mlp", "femnist-cnn", "cnn", "resnet20"])
def test_the_sum_is_the_one_of_single_samples(name):
    shape = (3, 32, 32) if name == "resnet20" else (1, 28, 28)
    net = network(name, shape, 10)
    row, x, y = problem(net, 5, 2, 1.0, shape)
    # in float64: a rectifier at its kink, where rounding decides, would be another gradient and not an error
    row, x = row.double(), net.prepare(x).double()
    generator = torch.Generator().manual_seed(0)
    masks = [(torch.rand(5, *s, generator=generator) >= rate) / (1 - rate) for rate, s in net.drops]
    for clip in (0.5, 1e9):  # the second never binds: the plain gradient
        expected, losses = one_by_one(net, row, x, y, clip, masks)
        found, mine = total(net, row, x, y, clip, chunk=4, masks=masks)
        assert torch.allclose(found, expected, atol=1e-9)
        assert mine.tolist() == pytest.approx(losses, abs=1e-5)


@pytest.mark.parametrize("clip", [0.05, 1.0])
def test_the_sum_is_the_one_of_opacus(clip):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from opacus.grad_sample import GradSampleModule

        net = network("cnn", (1, 28, 28), 10)
        row, x, y = problem(net, 7, 3, 1.5, (1, 28, 28))
        module = renderings.simple_cnn(1, 28, 10)
        renderings.give(module, row)
        sampled = GradSampleModule(module, loss_reduction="mean")
        F.cross_entropy(sampled(x), y).backward()
        each = torch.cat([p.grad_sample.flatten(1) for p in sampled.parameters()], dim=1)
    expected = (each * (clip / each.norm(dim=1)).clamp(max=1.0)[:, None]).sum(0)
    found, _ = total(net, row, net.prepare(x), y, clip, chunk=4)
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_looped_network_gives_the_sum_of_a_stacked_one():
    net = MLP(4, 5, 3)
    row, x, y = problem(net, 6, 4, 2.0, (4,))
    stacked, losses = total(net, row, x, y, 0.3)
    net.loops = True
    looped, mine = total(net, row, x, y, 0.3)
    assert torch.allclose(stacked, looped, atol=1e-6)
    assert torch.allclose(losses, mine)


def test_the_character_model_is_looped_without_a_warning():
    net = network("lstm", (5,), 7)
    row = torch.from_numpy(net.initial(np.random.default_rng(0)))
    x, y = torch.tensor([[1, 2, 3, 4, 5], [0, 6, 6, 1, 2]]), torch.tensor([3, 0])
    found, _ = total(net, row, x, y, 0.1)
    assert torch.allclose(found, one_by_one(net, row, x, y, 0.1)[0], atol=1e-6)


def test_an_empty_batch_gives_zero_and_no_losses():
    net = MLP(4, 5, 3)
    row, x, y = problem(net, 2, 5, 1.0, (4,))
    found, losses = total(net, row, x[:0], y[:0], 1.0)
    assert not found.any()
    assert len(losses) == 0


@pytest.mark.parametrize("loops", [False, True])
def test_a_sample_without_a_finite_gradient_counts_as_nothing(loops):
    net = MLP(4, 5, 3)
    net.loops = loops
    row, x, y = problem(net, 6, 6, 1.0, (4,))
    clean, _ = total(net, row, x[1:], y[1:], 1.0)
    x[0, 0] = float("inf")
    found, losses = total(net, row, x, y, 1.0)
    assert torch.allclose(found, clean, atol=1e-6)
    assert not losses.isfinite().all()  # the trainer still hears of it


def test_chunks_depend_on_the_network_only_and_bound_the_memory():
    assert chunk_for(network("mlp", (64,), 10)) == 64
    for name in ("cnn", "cnn-582k"):
        net = network(name, (1, 28, 28), 10)
        chunk = chunk_for(net)
        assert chunk & (chunk - 1) == 0
        assert chunk == 64 or 4 * 2 * chunk * net.layout.parameters > 64 * 2**20
        assert 4 * chunk * net.layout.parameters <= 64 * 2**20


def test_the_same_chunk_gives_the_same_bits():
    net = MLP(4, 5, 3)
    row, x, y = problem(net, 30, 7, 1.0, (4,))
    assert torch.equal(total(net, row, x, y, 0.1, chunk=8)[0], total(net, row, x, y, 0.1, chunk=8)[0])
    with pytest.raises(LearningError, match="clip"):
        total(net, row, x, y, 0.0)
