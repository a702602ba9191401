"""Stacked training agrees with the plain loop to rounding, and leaves to it what it cannot stack."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from learning.algorithms import ALGORITHMS
from learning.algorithms.algorithm import LocalSpec
from learning.backends import stacked
from learning.backends.backend import perform
from learning.backends.stacked import StackedBackend, stacked_gradient, train_stacked
from learning.evaluation import EvaluateTask
from learning.local import TrainTask, batch_order
from learning.models.build import network
from learning.plan import LearningPlan
from learning.privacy.keys import seeded_keys
from learning.streams import stream
from learning.trainer import Trainer

pytestmark = pytest.mark.slow  # a minute on one core

PLAN = LearningPlan(clients=5, steps=6, lam=0.5, split_beta=0.5)
FASHION = LearningPlan(dataset="fashion", model="cnn", clients=4, steps=3, lam=0.001, test=200)


def run(plan: LearningPlan, algorithm: str, backend: str, budget: int = 0, rounds: int = 2, keys=()):
    """Return everything that some rounds compute; in the last one client 1 is absent."""
    seen = []
    with Trainer(plan, algorithm, backend="rows", device="cpu", seed=2, keys=keys) as trainer:
        if backend == "stacked":
            trainer._backend = StackedBackend(trainer._backend.work, budget=budget)
        for number in range(1, rounds + 1):
            present = np.arange(plan.clients) != 1 if number == rounds else None
            seen.append(trainer.train(number, present))
            seen += [*trainer.differences()]
            trainer.aggregate(~np.eye(plan.clients, dtype=bool))
            seen += trainer.evaluate()
        return [*seen, *(t.clone().numpy() for t in trainer.state.tensors().values())]


def assert_alike(mine, theirs, tolerance: float = 1e-5) -> None:
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("batch", [8, 64])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_stacked_is_the_plain_loop_for_every_method(algorithm, batch):
    """Clients have about 144 samples, so that batches of 64 differ in size within the six steps."""
    plan = replace(PLAN, batch=batch)
    assert_alike(run(plan, algorithm, "stacked"), run(plan, algorithm, "rows"))


@pytest.mark.usefixtures("fashion_data")
@pytest.mark.parametrize(("model", "batch"), [("cnn", 8), ("cnn", 64), ("femnist-cnn", 8), ("femnist-cnn", 64)])
def test_stacked_is_the_plain_loop_with_convolutions_and_dropout(model, batch):
    plan = replace(FASHION, model=model, batch=batch, steps=3 if model == "cnn" else 2, clients=4 if batch == 8 else 2)
    assert_alike(run(plan, "ditto", "stacked"), run(plan, "ditto", "rows"))


def test_adamw_and_a_falling_rate_are_the_plain_loops():
    plan = replace(PLAN, optimizer="adamw", lr=0.001, lr_end=0.0001, rounds=2)
    assert_alike(run(plan, "ipfl", "stacked"), run(plan, "ipfl", "rows"))


@pytest.mark.parametrize("budget", [1, 600_000])
def test_chunks_of_any_size_give_the_same(budget):
    """One byte: every client alone, which is the plain loop to the last bit; the other: two clients at a time."""
    mine, theirs = run(PLAN, "ditto", "stacked", budget), run(PLAN, "ditto", "rows")
    assert_alike(mine, theirs, 0.0 if budget == 1 else 1e-5)


def test_a_chunk_is_a_power_of_two_that_fits_the_budget():
    with Trainer(PLAN, "local", backend="rows", device="cpu") as trainer:
        work = trainer._backend.work
        one = stacked.client_bytes(work)
        assert [stacked.chunk_of(work, n) for n in (0, one, 4 * one - 1, 4 * one, 7 * one)] == [1, 1, 2, 4, 4]
        assert StackedBackend(work, budget=3 * one).chunk == 2
        vectors, activations = 9 * 4 * 4_810, one - 9 * 4 * 4_810
        assert 2 * 4 * 64 * (64 + 64) < activations < 4 * 4 * 64 * (64 + 64)  # inputs and hidden layer of 64 samples
        work.facts = replace(work.facts, plan=replace(PLAN, batch=128))
        assert stacked.client_bytes(work) == vectors + 2 * activations


def test_a_quarter_of_what_is_free_on_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (4_000, 16_000))
    assert stacked.budget_of(torch.device("cuda")) == 1_000
    assert stacked.budget_of(torch.device("cpu")) == 256 * 2**20


def test_the_work_moves_to_another_device():
    """The meta device stands for one that is not the CPU: tensors move, and nothing is computed on it."""
    with Trainer(PLAN, "local", backend="rows", device="cpu") as trainer:
        work = trainer._backend.work
        assert StackedBackend(work, torch.device("cpu")).work is work
        moved = StackedBackend(work, torch.device("meta")).work
    assert {tensor.device.type for tensor in moved.tensors.values()} == {"meta"}


IMAGES = {
    "mlp": (64,),
    "cnn": (1, 28, 28),
    "femnist-cnn": (1, 28, 28),
    "cnn-582k": (1, 28, 28),
    "resnet20": (3, 16, 16),
}


@pytest.mark.parametrize("name", IMAGES)
def test_each_client_gets_its_own_gradient_and_samples_that_fill_up_do_not_count(name):
    """Two clients with models, samples and masks of their own; the second has one sample less."""
    net = network(name, IMAGES[name], 10)
    generator = torch.Generator().manual_seed(0)
    rows = torch.stack([torch.from_numpy(net.initial(stream(k, "initial"))) for k in range(2)])
    x = net.prepare(torch.randn(6, *IMAGES[name], generator=generator)).unflatten(0, (2, 3))
    y = torch.randint(10, (2, 3), generator=generator)
    masks = [(torch.rand(2, 3, *shape, generator=generator) > 0.5) * 2.0 for _, shape in net.drops]
    y[1, 2] = stacked.UNCOUNTED
    gradients, losses = stacked_gradient(net)(stacked._parameters(net, rows), x, y, tuple(masks))
    for k, count in enumerate((3, 2)):
        leaves = [view.clone().requires_grad_() for view in net.layout.views(rows[k])]
        loss = net.batch_loss(leaves, x[k, :count], y[k, :count], [mask[k, :count] for mask in masks])
        loss.backward()
        torch.testing.assert_close(losses[k], loss.detach(), rtol=1e-5, atol=1e-5)
        for gradient, leaf in zip(gradients, leaves, strict=True):
            torch.testing.assert_close(gradient[k], leaf.grad, rtol=1e-4, atol=1e-5)


def test_batches_are_those_of_each_client_alone():
    """Read off the samples themselves: index, order and the cut between epochs."""
    with Trainer(PLAN, "local", backend="rows", device="cpu") as trainer:
        work = trainer._backend.work
        tasks = [TrainTask(client, 3, LocalSpec(6)) for client in (4, 0, 2)]
        batches, filled = stacked._Batches(work, tasks), 0
        orders = []
        for task in tasks:
            members = work.members(task.client)
            order, cuts = batch_order(len(members), PLAN.batch, 6, stream(0, "batches", 3, task.client))
            orders.append((members[torch.from_numpy(order)], cuts))
        for step in range(6):
            x, y, masks = batches.at(step)
            assert masks == ()
            for k, (visited, cuts) in enumerate(orders):
                index = visited[cuts[step] : cuts[step + 1]]
                assert torch.equal(x[k, : len(index)], work.inputs(work.tensors["train_x"][index]))
                assert torch.equal(y[k, : len(index)], work.tensors["train_y"][index])
                assert (y[k, len(index) :] == stacked.UNCOUNTED).all()
                filled += x.shape[1] - len(index)
    assert filled > 0


def test_private_training_is_left_to_the_plain_loop():
    plan = replace(PLAN, dp_epsilon=8.0, dp_noise=2.0, steps=2, rounds=2)
    keys = seeded_keys(1, plan.clients)
    assert_alike(run(plan, "ipfl", "stacked", keys=keys), run(plan, "ipfl", "rows", keys=keys), 0.0)


def test_what_vmap_does_not_batch_is_not_stacked():
    facts = SimpleNamespace(plan=PLAN)
    names = ("mlp", "femnist-cnn", "lstm", "lora")
    fits = [stacked.stackable(SimpleNamespace(network=SimpleNamespace(name=n), facts=facts)) for n in names]
    assert fits == [True, True, False, False]


def test_results_come_in_the_order_of_the_tasks():
    with Trainer(PLAN, "local", backend="rows", device="cpu") as one, Trainer(PLAN, "local", backend="rows") as other:
        test = EvaluateTask(0, (1,), 1)
        other._backend.run([TrainTask(0, 1, LocalSpec(2))])
        expected = [
            *other._backend.run([test]),
            *other._backend.run([TrainTask(k, 1, LocalSpec(n)) for k, n in ((3, 2), (1, 4), (2, 2))]),
        ]
        one._backend.run([TrainTask(0, 1, LocalSpec(2))])
        mixed = [TrainTask(3, 1, LocalSpec(2)), test, TrainTask(1, 1, LocalSpec(4)), TrainTask(2, 1, LocalSpec(2))]
        got = StackedBackend(one._backend.work).run(mixed)
    assert got[1].correct.tolist() == expected[0].correct.tolist()
    np.testing.assert_allclose([got[0], got[2], got[3]], expected[1:], rtol=1e-6)
    assert len(set(expected[1:])) == 3


def test_divergence_in_further_work_is_told_of_the_client_that_diverged(monkeypatch):
    """As `perform` tells it: the loss of the first work, unless the further one is not finite."""
    spec = LocalSpec(2, then=LocalSpec(3))
    with Trainer(PLAN, "local", backend="rows", device="cpu") as trainer:
        work = trainer._backend.work
        work.tensors["rows"][2] = 1e30
        tasks = [TrainTask(client, 1, spec) for client in (0, 2, 3)]
        losses = train_stacked(work, tasks)
        assert not np.isfinite(losses[1])
        assert np.isfinite([losses[0], losses[2]]).all()
        assert work.tensors["rows"][[0, 3]].isfinite().all()
        with Trainer(PLAN, "local", backend="rows", device="cpu") as other:
            assert losses[0] == pytest.approx(perform(other._backend.work, tasks[0]), rel=1e-6)


def test_cross_entropy_divides_by_the_samples_that_count():
    """What filling up relies on."""
    scores, labels = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 2, -100, -100])
    assert float(F.cross_entropy(scores, labels)) == pytest.approx(float(F.cross_entropy(scores[:2], labels[:2])))
