"""Local training is what torch.optim does on the same batches, with the paper's pull; the optimisers are torch's."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from learning.algorithms.algorithm import LocalSpec
from learning.local import TrainTask, batch_order, optimizer, rate, train_client
from learning.plan import LearningPlan
from learning.streams import stream
from learning.trainer import Trainer
from tests.learning.algorithms.rendering import plain_sgd

PLAN = LearningPlan(clients=4, steps=12, batch=32, lam=2.0, eta=5.0, split_beta=1.0)


def reference_row(trainer: Trainer, client: int, round_index: int, pull: float) -> torch.Tensor:
    """One local round as one would write it: a plain module, torch's optimiser, the pull as a term of the loss."""
    tensors = trainer._backend.work.tensors
    target = tensors["slot/target"][client] if pull else None
    return plain_sgd(trainer, client, round_index, tensors["rows"][client], pull, target)


@pytest.mark.parametrize(
    "changes", [{}, {"momentum": 0.0}, {"weight_decay": 0.0}, {"batch": 1000}, {"weight_decay": 0.1, "lr": 0.1}]
)
def test_a_plain_round_is_torch_sgd_bitwise(changes):
    with Trainer(replace(PLAN, **changes), "local", backend="rows", seed=3) as trainer:
        expected = [reference_row(trainer, client, 1, 0.0) for client in range(4)]
        trainer.train(1)
        for client in range(4):
            assert torch.equal(trainer.state.rows[client], expected[client])


def test_a_pulled_round_is_torch_sgd_with_the_proximal_term_in_the_loss():
    with Trainer(PLAN, "ipfl", backend="rows", seed=3) as trainer:
        trainer.train(1)
        trainer.aggregate(~np.eye(4, dtype=bool))
        assert not torch.equal(trainer.state.slots["target"], trainer.state.rows)
        expected = torch.stack([reference_row(trainer, client, 2, PLAN.lam / PLAN.eta) for client in range(4)])
        without = torch.stack([reference_row(trainer, client, 2, 0.0) for client in range(4)])
        trainer.train(2)
        assert torch.allclose(trainer.state.rows, expected, atol=1e-6)
        assert not torch.allclose(trainer.state.rows, without, atol=1e-4)


def test_a_round_on_fashion_is_torch_sgd(fashion_data):
    """The convolution that we compute in another way drifts from torch's by no more than rounding."""
    plan = LearningPlan(dataset="fashion", model="cnn", clients=10, steps=3, lam=0.001)
    with Trainer(plan, "local", backend="rows", seed=0) as trainer:
        work = trainer._backend.work
        names = ("conv1", "conv2", "fc1", "fc2", "fc3")
        layers = (torch.nn.Conv2d(1, 6, 5), torch.nn.Conv2d(6, 16, 5), torch.nn.Linear(256, 120))
        net = torch.nn.ModuleDict(
            dict(zip(names, (*layers, torch.nn.Linear(120, 84), torch.nn.Linear(84, 10)), strict=True))
        )
        for parameter, view in zip(net.parameters(), work.network.layout.views(trainer.state.rows[0]), strict=True):
            parameter.data.copy_(view)
        optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-5)
        members = work.members(0)
        order, cuts = batch_order(len(members), 64, 3, stream(0, "batches", 1, 0))
        for start, end in pairwise(cuts):
            index = members[torch.from_numpy(order[start:end])].numpy()
            x = torch.tensor(fashion_data.train_x[index]) * fashion_data.scale + fashion_data.shift
            x = F.max_pool2d(F.relu(net["conv1"](x)), 2)
            x = F.max_pool2d(F.relu(net["conv2"](x)), 2).flatten(1)
            x = net["fc3"](F.relu(net["fc2"](F.relu(net["fc1"](x)))))
            optimiser.zero_grad()
            F.cross_entropy(x, torch.tensor(fashion_data.train_y[index])).backward()
            optimiser.step()
        train_client(work, TrainTask(0, 1, LocalSpec(3)))
        expected = torch.cat([p.detach().reshape(-1) for p in net.parameters()])
        assert torch.allclose(trainer.state.rows[0], expected, atol=1e-6)


@pytest.mark.parametrize(("samples", "batch", "steps"), [(10, 3, 9), (64, 64, 3), (5, 64, 4), (130, 64, 2)])
def test_batches_are_shuffled_epochs_one_after_the_other(samples, batch, steps):
    order, cuts = batch_order(samples, batch, steps, stream(0, "batches"))
    batches = [order[a:b] for a, b in pairwise(cuts)]
    assert len(batches) == steps
    per_epoch = -(-samples // batch)
    epochs = [np.concatenate(batches[k : k + per_epoch]) for k in range(0, steps, per_epoch)]
    for k, epoch in enumerate(epochs):
        assert len(np.unique(epoch)) == len(epoch)
        if (k + 1) * per_epoch <= steps:
            assert sorted(epoch) == list(range(samples))
    assert all(len(b) == batch for k, b in enumerate(batches) if (k + 1) % per_epoch)
    if len(epochs) > 1 and samples > 5:
        assert not np.array_equal(epochs[0], epochs[1])


P, STEPS = 300, 400


def theirs(plan: LearningPlan, parameters: list[torch.nn.Parameter], lr: float) -> torch.optim.Optimizer:
    if plan.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=lr, weight_decay=plan.weight_decay)
    return torch.optim.SGD(parameters, lr=lr, momentum=plan.momentum, weight_decay=plan.weight_decay)


def descend(plan: LearningPlan, lr: float, steps: int = STEPS) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the row after many steps of ours and of theirs, on noisy gradients of a quadratic."""
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(P, generator=generator)
    curvature, goal = torch.rand(P, generator=generator), torch.randn(P, generator=generator)
    noise = torch.randn(steps, P, generator=generator)

    def gradient(row: torch.Tensor, step: int) -> torch.Tensor:
        return curvature * (row - goal) + noise[step]

    row, move = start.clone(), optimizer(replace(plan, lr=lr), start, 1)
    parameter = torch.nn.Parameter(start.clone())
    other = theirs(plan, [parameter], lr)
    for step in range(steps):
        move.step(row, gradient(row, step))
        parameter.grad = gradient(parameter.detach(), step)
        other.step()
    return row, parameter.detach()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay", [0.0, 1e-5, 0.1])
def test_sgd_is_torchs_to_the_bit(momentum, decay):
    plan = LearningPlan(momentum=momentum, weight_decay=decay)
    mine, other = descend(plan, 0.01)
    assert torch.equal(mine, other)


@pytest.mark.parametrize("decay", [0.0, 0.01, 0.5])
def test_adamw_is_torchs(decay):
    plan = LearningPlan(optimizer="adamw", momentum=0.0, weight_decay=decay)
    mine, other = descend(plan, 3e-3)
    assert float((mine - other).abs().max()) <= 1e-6
    once, first = descend(plan, 3e-3, steps=1)
    assert float((once - first).abs().max()) <= 1e-7


def test_a_parameter_without_a_gradient_stays_where_adamw_has_no_decay():
    plan = LearningPlan(optimizer="adamw", weight_decay=0.0)
    row, move = torch.ones(3), optimizer(plan, torch.ones(3), 1)
    for _ in range(3):
        move.step(row, torch.tensor([0.0, 1.0, -1.0]))
    assert row[0] == 1.0
    assert row[1] < 1.0 < row[2]
    # A step of constant gradients is lr long, whatever their size.
    assert float(row[2] - 1) == pytest.approx(3 * plan.lr, rel=1e-5)


def test_the_rate_is_constant_or_half_a_cosine_that_ends_where_it_should():
    plan = LearningPlan(lr=5e-5, lr_end=1e-6, rounds=50)
    rates = [rate(plan, number) for number in range(1, 51)]
    assert rates[0] == 5e-5
    assert rates[-1] == pytest.approx(1e-6, rel=1e-12)
    assert all(later < earlier for earlier, later in pairwise(rates))
    schedule = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=5e-5)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(schedule, T_max=49, eta_min=1e-6)
    for number in range(1, 51):
        assert rate(plan, number) == pytest.approx(cosine.get_last_lr()[0], rel=1e-9)
        schedule.step()
        cosine.step()
    assert rate(plan, 60) == rates[-1]  # a round beyond the plan goes on at the end
    assert rate(replace(plan, rounds=25), 13) == pytest.approx((5e-5 + 1e-6) / 2)
    for constant in (replace(plan, lr_end=0.0), replace(plan, rounds=0), replace(plan, rounds=1)):
        assert {rate(constant, number) for number in (1, 2, 50)} == {5e-5}


@pytest.mark.parametrize("name", ["local", "ipfl"])
def test_rounds_of_adamw_are_those_written_down_plainly(name):
    """Two rounds with a falling rate; every round begins with fresh moments, and ipfl pulls in the second."""
    plan = LearningPlan(
        clients=3, steps=12, split_beta=1.0, optimizer="adamw", lr=5e-3, lr_end=1e-3, rounds=2, weight_decay=0.05,
        momentum=0.0, lam=2.0,
    )  # fmt: skip
    with Trainer(plan, name, backend="rows") as trainer:
        for number, lr in ((1, 5e-3), (2, 1e-3)):
            starts = trainer.state.rows.clone()
            targets = trainer.state.slots["target"].clone() if name == "ipfl" else starts
            pull = plan.lam / plan.eta if name == "ipfl" and number == 2 else 0.0
            trainer.train(number)
            for client in range(3):
                plain = plain_sgd(
                    trainer, client, number, starts[client], pull, targets[client],
                    adamw={"lr": lr, "weight_decay": 0.05},
                )  # fmt: skip
                moved = trainer.state.rows[client]
                assert float((moved - starts[client]).abs().max()) > lr
                # Where a gradient is nearly 0 its sign decides a step of AdamW: few numbers, and never by much.
                assert float((moved - plain).abs().quantile(0.99)) <= 1e-5
                assert float((moved - plain).abs().max()) <= 2 * lr * plan.steps
            trainer.aggregate(~np.eye(3, dtype=bool))
