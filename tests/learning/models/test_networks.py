"""The networks compute what their plain PyTorch versions compute, at the sizes that the paper states."""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.func import grad, vmap

from learning.errors import LearningError
from learning.models import MODELS
from learning.models.build import network, suitable
from learning.models.network import in_pieces
from learning.models.resnet import _GROUPS
from learning.streams import stream
from learning.work import RowModule
from tests.learning.models import renderings


@dataclass(frozen=True)
class Case:
    """A network, what it should be, its plain rendering, and how many samples are enough to try it on."""

    name: str
    shape: tuple[int, ...]
    classes: int
    parameters: int
    plain: torch.nn.Module
    batch: int

    def __str__(self) -> str:
        return f"{self.name}-{'x'.join(map(str, self.shape))}"


def mlp() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))


CASES = [
    Case("mlp", (64,), 10, 4_810, mlp(), 16),
    Case("cnn", (1, 28, 28), 10, 44_426, renderings.simple_cnn(1, 28, 10), 16),
    Case("cnn", (3, 32, 32), 10, 62_006, renderings.simple_cnn(3, 32, 10), 16),
    Case("femnist-cnn", (1, 28, 28), 62, 1_206_590, renderings.femnist_cnn(62), 36),
    Case("cnn-582k", (1, 28, 28), 10, 582_026, renderings.fedavg_cnn(10), 8),
    Case("lstm", (80,), 80, 819_920, renderings.Characters(80), 8),
    Case("resnet20", (3, 32, 32), 10, 269_722, renderings.resnet20(3, 10, _GROUPS), 18),
    Case("resnet20", (3, 64, 64), 7, 269_527, renderings.resnet20(3, 7, _GROUPS), 2),
]
IMAGES = [case for case in CASES if case.name != "lstm"]
SCALE, SHIFT = 1 / 64, -2.0


def raw(case: Case, n: int) -> torch.Tensor:
    """Stored samples. The first images are constant in part, as photographs of clothes are: poolings then tie.

    Not so for ResNet-20, which pools nothing and divides by the deviation of what it sees.
    """
    high = case.classes if case.name == "lstm" else 256
    x = torch.randint(0, high, (n, *case.shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    if len(case.shape) == 3 and case.name != "resnet20":
        x[: n // 2, :, : case.shape[1] // 2] = 100
        x[0] = 100
    return x


def labels(case: Case, n: int) -> torch.Tensor:
    return (torch.arange(n) * 7) % case.classes


def given_masks(net, n: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    return [(torch.rand(n, *shape, generator=generator) >= rate) / (1 - rate) for rate, shape in net.drops]


def built(case: Case):
    """The network, a module of it, the inputs that its forward takes, and the samples that these were made of."""
    net = network(case.name, case.shape, case.classes)
    module = RowModule(net)
    row = torch.from_numpy(net.initial(stream(0, "initial")))
    spread = torch.from_numpy(stream(0, "spread").uniform(-0.1, 0.1, len(row)).astype(np.float32))
    module.row.copy_(row + (spread if "resnet" in case.name else 0))  # so that norms are not all 1 and 0
    x = raw(case, case.batch)
    return net, module, net.inputs(net.prepare(x).contiguous(), SCALE, SHIFT), x


def seen_by(case: Case, x: torch.Tensor) -> torch.Tensor:
    return x if case.name == "lstm" else x.float() * SCALE + SHIFT


def precision(case: Case) -> torch.dtype:
    """What gradients are compared in: rounding in float32 moves some of ResNet-20's by 1e-4, over 19 rectifiers."""
    return torch.float64 if case.name == "resnet20" else torch.float32


def cast(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return x.to(dtype) if x.is_floating_point() else x


def scores_and_gradient(net, row, inputs, y, masks, dtype) -> tuple[torch.Tensor, torch.Tensor]:
    parameters = [view.clone().requires_grad_() for view in net.layout.views(row.to(dtype))]
    scores = net.forward(parameters, cast(inputs, dtype), [mask.to(dtype) for mask in masks])
    gradients = torch.autograd.grad(net.loss(scores, y), parameters)
    return scores.detach(), torch.cat([g.reshape(-1) for g in gradients])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_network_has_the_scores_and_gradients_of_plain_modules(case):
    net, module, inputs, x = built(case)
    y, masks = labels(case, len(x)), given_masks(net, len(x))
    assert net.layout.parameters == case.parameters
    renderings.give(case.plain, module.row)
    with torch.inference_mode():
        torch.testing.assert_close(module(inputs), case.plain(seen_by(case, x)), atol=1e-5, rtol=1e-5)
    dtype = precision(case)
    scores, gradient = scores_and_gradient(net, module.row, inputs, y, masks, dtype)
    plain = deepcopy(case.plain).to(dtype)
    renderings.give(plain, module.row.to(dtype), [mask.to(dtype) for mask in masks])
    expected = plain(cast(seen_by(case, x), dtype))
    gradients = torch.autograd.grad(torch.nn.functional.cross_entropy(expected, y), list(plain.parameters()))
    torch.testing.assert_close(scores, expected.detach(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradient, torch.cat([g.reshape(-1) for g in gradients]), atol=1e-5, rtol=1e-4)
    assert float(gradient.abs().max()) > 1e-3  # the comparison is of something


@pytest.mark.parametrize("case", IMAGES, ids=str)
def test_gradients_of_single_samples_add_up_to_the_batch_s(case):
    net, module, inputs, _ = built(case)
    inputs = inputs[:2]
    y, masks = labels(case, 2), tuple(given_masks(net, 2))

    def loss(parameters, sample, label, drops):
        return net.loss(net.forward(parameters, sample[None], [mask[None] for mask in drops]), label[None])

    dtype = precision(case)
    parameters = tuple(view.clone() for view in net.layout.views(module.row.to(dtype)))
    each = vmap(grad(loss), in_dims=(None, 0, 0, 0))(
        parameters, inputs.to(dtype), y, tuple(mask.to(dtype) for mask in masks)
    )
    _, whole = scores_and_gradient(net, module.row, inputs, y, masks, dtype)
    flat = torch.cat([g.flatten(1) for g in each], 1)
    torch.testing.assert_close(flat.mean(0), whole, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(flat[0], flat[1])


def test_gradients_of_single_texts_add_up_to_the_batch_s():
    """One by one, which is faster than `vmap` of a recurrence and what the network asks for."""
    net, module, inputs, _ = built(CASES[5])
    assert net.loops
    inputs, y = inputs[:2], labels(CASES[5], 2)
    _, whole = scores_and_gradient(net, module.row, inputs, y, (), torch.float32)
    for k in range(2):
        module.loss(inputs[k : k + 1], y[k : k + 1]).backward()
    torch.testing.assert_close(module.gradient / 2, whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("case", CASES[:-1], ids=str)
def test_a_few_steps_lower_the_loss(case):
    net, module, inputs, _ = built(case)
    inputs, y = inputs[:4], labels(case, 4)
    module.row.copy_(torch.from_numpy(net.initial(stream(0, "initial"))))
    losses = []
    for _ in range(5):
        module.gradient.zero_()
        loss = module.loss(inputs, y)
        loss.backward()
        module.row.add_(module.gradient, alpha=-0.2 / float(module.gradient.norm()))
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.95 * losses[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_initial_models_depend_on_the_seed_alone(case):
    net = network(case.name, case.shape, case.classes)
    row = net.initial(stream(5, "initial"))
    assert row.dtype == np.float32
    assert row.shape == (case.parameters,)
    assert np.isfinite(row).all()
    np.testing.assert_array_equal(row, net.initial(stream(5, "initial")))
    assert not np.array_equal(row, net.initial(stream(6, "initial")))


@pytest.mark.parametrize(
    ("name", "shape", "fan_in"),
    [
        ("cnn", (1, 28, 28), [25, 150, 256, 120, 84]), ("cnn", (3, 32, 32), [75, 150, 400, 120, 84]),
        ("femnist-cnn", (1, 28, 28), [9, 288, 9216, 128]), ("cnn-582k", (1, 28, 28), [25, 800, 1024, 512]),
    ],
)  # fmt: skip
def test_initial_weights_and_biases_keep_to_the_bound_of_their_layer(name, shape, fan_in):
    net = network(name, shape, 62)
    views = net.layout.views(torch.from_numpy(net.initial(stream(5, "initial"))))
    for bound, view in zip(np.repeat(fan_in, 2) ** -0.5, views, strict=True):
        assert 0.5 * bound < float(view.abs().max()) <= bound


def test_an_initial_lstm_is_drawn_as_torch_draws_it():
    net = network("lstm", (80,), 80)
    embedding, *rest = net.layout.views(torch.from_numpy(net.initial(stream(5, "initial"))))
    assert 0.9 < float(embedding.std()) < 1.1
    for view in rest:
        assert 0.9 / 16 < float(view.abs().max()) <= 1 / 16


def test_an_initial_resnet_keeps_the_size_of_its_signals():
    """Norms start as the identity, convolutions with variance 2 / fan-in (He et al., 1502.01852, equation 10)."""
    net = network("resnet20", (3, 32, 32), 10)
    for name, view in zip(
        net.layout.names, net.layout.views(torch.from_numpy(net.initial(stream(5, "initial")))), strict=True
    ):
        if "norm" in name:
            assert bool((view == float(name.endswith("weight"))).all())
        elif "conv" in name:
            assert float(view.var()) * view[0].numel() == pytest.approx(2, rel=0.25)
        else:
            assert float(view.abs().max()) <= 1 / 8


@pytest.mark.parametrize("case", [c for c in CASES if c.name in ("cnn", "femnist-cnn", "lstm", "resnet20")], ids=str)
def test_the_size_of_a_test_batch_changes_rounding_only(case):
    net = network(case.name, case.shape, case.classes)
    module = RowModule(net)
    module.row.copy_(torch.from_numpy(net.initial(stream(0, "initial"))))
    n = {"lstm": 66, "resnet20": 17, "femnist-cnn": 34, "cnn": 52}[case.name]  # one more than a piece, or two
    x = net.inputs(net.prepare(raw(case, n)).contiguous(), SCALE, SHIFT)
    with torch.inference_mode():
        torch.testing.assert_close(module(x)[-3:], module(x[-3:]), atol=1e-5, rtol=1e-5)


def test_pieces_are_put_together_in_order():
    x = torch.arange(7.0)
    sizes = []

    def double(piece):
        sizes.append(len(piece))
        return 2 * piece

    assert torch.equal(in_pieces(double, x, 3), 2 * x)
    assert sizes == [3, 3, 1]
    assert in_pieces(double, x[:0], 3).shape == (0,)


def test_dropout_masks_of_evaluation_are_none():
    """Without masks the scores are those of masks of ones: evaluation rescales nothing."""
    net, module, inputs, _ = built(CASES[3])
    ones = [torch.ones(4, *shape) for _, shape in net.drops]
    with torch.inference_mode():
        torch.testing.assert_close(module(inputs[:4]), module(inputs[:4], ones))
    assert [rate for rate, _ in net.drops] == [0.25, 0.5]


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("cnn", (64,), "expected mlp, logistic, lstm$"),
        ("resnet", (1, 28, 28), "expected mlp, logistic, cnn, femnist-cnn, cnn-582k$"),
        ("femnist-cnn", (3, 32, 32), "expected mlp, logistic, cnn, resnet20$"),
        ("lstm", (3, 64, 64), "expected mlp, logistic, resnet20$"),
        ("mlp", (), "expected lora$"),
    ],
)
def test_networks_that_do_not_fit_are_refused_and_those_that_do_are_named(name, shape, expected):
    with pytest.raises(LearningError, match=f"there is no network '{name}' .*{expected}"):
        network(name, shape, 10)


def test_every_named_network_fits_its_data_sets():
    shapes = {
        "digits": (64,), "fashion": (1, 28, 28), "femnist": (1, 28, 28), "cifar10": (3, 32, 32), "pacs": (3, 64, 64),
        "shakespeare": (80,),
    }  # fmt: skip
    for name, datasets in MODELS.items():
        for dataset in datasets:
            if name == "lora":
                assert dataset not in shapes
            else:
                own = ((3,), (1, 28, 28), (3, 32, 32))  # a table, or images
                shape = shapes.get(dataset) or next(shape for shape in own if name in suitable(shape))
                assert name in suitable(shape)
                assert network(name, shape, 7).name == name
