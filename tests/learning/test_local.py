"""Local training is what torch.optim.SGD does on the same batches, with the paper's pull."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from learning.algorithms.algorithm import LocalSpec
from learning.backends.backend import one_thread
from learning.local import TrainTask, batch_order, train_client
from learning.plan import LearningPlan
from learning.streams import stream
from learning.trainer import Trainer

PLAN = LearningPlan(clients=4, steps=12, batch=32, lam=2.0, eta=5.0, split_beta=1.0)


def reference_row(trainer: Trainer, client: int, round_index: int, pull: float) -> torch.Tensor:
    """One local round as one would write it: a plain module, torch's optimiser, the pull as a term of the loss."""
    plan, work = trainer.plan, trainer._backend.work
    layout = work.network.layout
    row = work.tensors["rows"][client].clone()
    parameters = [torch.nn.Parameter(view.clone()) for view in layout.views(row)]
    targets = layout.views(work.tensors["slot/target"][client].clone()) if pull else []
    optimiser = torch.optim.SGD(parameters, lr=plan.lr, momentum=plan.momentum, weight_decay=plan.weight_decay)
    members = work.members(client)
    order, cuts = batch_order(
        len(members), plan.batch, plan.steps, stream(trainer.seed, "batches", round_index, client)
    )
    for start, end in pairwise(cuts):
        index = members[torch.from_numpy(order[start:end])]
        x = work.tensors["train_x"][index].float() / 16.0
        optimiser.zero_grad()
        loss = F.cross_entropy(work.network.forward(parameters, x), work.tensors["train_y"][index])
        for parameter, target in zip(parameters, targets, strict=False):
            loss = loss + plan.lam / (2 * plan.eta) * (parameter - target).square().sum()
        loss.backward()
        optimiser.step()
    return torch.cat([p.detach().reshape(-1) for p in parameters])


@pytest.mark.parametrize(
    "changes", [{}, {"momentum": 0.0}, {"weight_decay": 0.0}, {"batch": 1000}, {"weight_decay": 0.1, "lr": 0.1}]
)
def test_a_plain_round_is_torch_sgd_bitwise(changes):
    with Trainer(replace(PLAN, **changes), "local", backend="rows", seed=3) as trainer, one_thread():
        expected = [reference_row(trainer, client, 1, 0.0) for client in range(4)]
        trainer.train(1)
        for client in range(4):
            assert torch.equal(trainer.state.rows[client], expected[client])


def test_a_pulled_round_is_torch_sgd_with_the_proximal_term_in_the_loss():
    with Trainer(PLAN, "ipfl", backend="rows", seed=3) as trainer, one_thread():
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
    with Trainer(plan, "local", backend="rows", seed=0) as trainer, one_thread():
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
