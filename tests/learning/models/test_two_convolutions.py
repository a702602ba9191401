"""The machine code of SimpleCNN's convolutions is what torch computes, ties, gradients and odd values included."""

import logging
import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch.func import grad, vmap

from learning.kernels.builder import KernelBuilder
from learning.kernels.convolutions import backward, forward
from learning.models import two_convolutions as operation
from learning.models.two_convolutions import two_convolutions

SHAPES = [(28, 1), (32, 3), (28, 2), (32, 1), (16, 1), (24, 4)]  # the last is left to torch


def drawn(side: int, channels: int, n: int = 5) -> tuple[torch.Tensor, tuple[torch.Tensor, ...], torch.Tensor]:
    """Images of which some are constant in part, so that every place of a pooling window ties; weights; a direction."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(n, side, side, channels, generator=generator)
    x[:2, :, side // 2 :] = 0.5
    shapes = (6, channels, 5, 5), (6,), (16, 6, 5, 5), (16,)
    weights = tuple(torch.randn(shape, generator=generator).mul_(0.2).requires_grad_(True) for shape in shapes)
    last = ((side - 4) // 2 - 4) // 2
    return x, weights, torch.randn(n, 16 * last * last, generator=generator)


def reference(x: torch.Tensor, w1: torch.Tensor, b1: torch.Tensor, w2: torch.Tensor, b2: torch.Tensor) -> torch.Tensor:
    h = F.max_pool2d(F.relu(F.conv2d(x.permute(0, 3, 1, 2), w1, b1)), 2)
    return F.max_pool2d(F.relu(F.conv2d(h, w2, b2)), 2).flatten(1)


@pytest.mark.parametrize(("side", "channels"), SHAPES)
def test_it_is_convolution_rectifier_and_pooling_twice(side, channels):
    x, weights, direction = drawn(side, channels)
    expected, found = reference(x, *weights), two_convolutions(x, *weights)
    assert torch.allclose(found, expected, atol=1e-5)
    assert 0.1 < (expected > 0).double().mean() < 0.9, "rectifiers must be open and shut"
    mine = torch.autograd.grad((found * direction).sum(), weights)
    theirs = torch.autograd.grad((expected * direction).sum(), weights)
    for a, b in zip(mine, theirs, strict=True):
        assert a.shape == b.shape
        assert torch.allclose(a, b, atol=1e-5 * float(b.abs().max()))
    with torch.inference_mode():
        assert torch.equal(two_convolutions(x, *weights), found.detach())


def test_gradients_agree_with_float64_as_well_as_torchs_own_do():
    x, weights, direction = drawn(28, 1, n=64)
    exact = torch.autograd.grad(
        (reference(x.double(), *(w.double() for w in weights)) * direction.double()).sum(), weights
    )
    mine = torch.autograd.grad((two_convolutions(x, *weights) * direction).sum(), weights)
    for a, b in zip(mine, exact, strict=True):
        assert torch.allclose(a, b, atol=1e-5 * float(b.abs().max()))


def test_ties_go_to_the_first_place_as_with_torch():
    x = torch.ones(1, 28, 28, 1)
    x[0, 0, 0, 0] = 3.0  # beyond the first window, all places of all windows tie
    _, weights, direction = drawn(28, 1, n=1)
    mine = torch.autograd.grad((two_convolutions(x, *weights) * direction).sum(), weights)
    theirs = torch.autograd.grad((reference(x, *weights) * direction).sum(), weights)
    for a, b in zip(mine, theirs, strict=True):
        assert torch.allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_not_hidden(bad):
    x, weights, _ = drawn(28, 1)
    with torch.no_grad():
        weights[0][2, 0, 1, 1] = bad
    with torch.no_grad():
        found, expected = two_convolutions(x, *weights), reference(x, *weights)
    assert torch.equal(found.isfinite(), expected.isfinite())
    assert not found.isfinite().all()


def test_a_strided_batch_an_empty_one_and_a_single_image():
    x, weights, _ = drawn(28, 1, n=6)
    assert torch.equal(two_convolutions(x[::2], *weights), two_convolutions(x[::2].clone(), *weights))
    assert torch.equal(two_convolutions(x[3:4], *weights)[0], two_convolutions(x, *weights)[3])
    empty = two_convolutions(x[:0], *weights)
    assert empty.shape == (0, 256)
    assert all(g.abs().sum() == 0 for g in torch.autograd.grad(empty.sum(), weights))


def test_gradients_of_single_images_exist():
    x, weights, direction = drawn(28, 1)

    def along(weights, image, direction):
        return (two_convolutions(image[None], *weights)[0] * direction).sum()

    each = vmap(grad(along), (None, 0, 0))(tuple(w.detach() for w in weights), x, direction)
    whole = torch.autograd.grad((two_convolutions(x, *weights) * direction).sum(), weights)
    for a, b in zip(each, whole, strict=True):
        assert torch.allclose(a.sum(0), b, atol=1e-4)


@pytest.fixture
def nothing_compiled():
    for kernel in (forward, backward, operation.compiles):
        kernel.cache_clear()
    yield
    for kernel in (forward, backward, operation.compiles):
        kernel.cache_clear()


@pytest.mark.usefixtures("nothing_compiled")
@pytest.mark.parametrize("refusal", ["engine", "memory"])
def test_torch_computes_it_where_no_code_can_be_made(monkeypatch, caplog, refusal):
    def fails(self):
        raise RuntimeError("no engine\nfor this target")

    if refusal == "engine":
        monkeypatch.setattr(KernelBuilder, "compiled", fails)
    else:
        monkeypatch.setattr(operation, "executable", lambda: False)
        monkeypatch.setattr(torch.backends.mkldnn, "set_flags", lambda enabled: None)
    x, weights, direction = drawn(28, 1)
    with caplog.at_level(logging.WARNING, "learning"):
        found = two_convolutions(x, *weights)
        mine = torch.autograd.grad((found * direction).sum(), weights)
    expected = reference(x, *weights)
    theirs = torch.autograd.grad((expected * direction).sum(), weights)
    assert torch.allclose(found, expected, atol=1e-6)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(mine, theirs, strict=True))
    (line,) = (record.getMessage() for record in caplog.records)  # said once, for all batches
    assert ("no engine for this target" if refusal == "engine" else "cannot be made executable") in line


HARDENED = """
import ctypes, sys
import torch
from learning.models.two_convolutions import two_convolutions
from mechanism.market.allocation.jit import executable
from tests.learning.models.test_two_convolutions import drawn, reference
assert executable()
refused = ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)  # memory that was written is never executed (Linux 6.3 on)
if refused:
    sys.exit(77)
assert not executable()
x, weights, _ = drawn(28, 1)
assert torch.allclose(two_convolutions(x, *weights), reference(x, *weights), atol=1e-6)
"""


def test_a_process_that_may_not_execute_what_it_wrote_goes_on():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", HARDENED], env=environment, capture_output=True)
    if done.returncode == 77:
        pytest.skip("this system cannot forbid it")
    assert done.returncode == 0, done.stderr.decode()
