"""A private round is the definition of DP-SGD, the same again from the same key, and nothing but its noise is new."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.algorithms.algorithm import LocalSpec
from learning.backends.backend import perform
from learning.errors import LearningError
from learning.local import TrainTask
from learning.plan import LearningPlan
from learning.privacy.keys import normals, poisson_sample, seeded_keys, subkey
from learning.privacy.training import masks, train_client_privately
from learning.work import Facts, Work

CLIENTS, SAMPLES = 2, 40
PLAN = LearningPlan(clients=CLIENTS, steps=4, batch=10, lr=0.1, dp_epsilon=8.0, dp_clip=0.5)
KEYS = seeded_keys(5, CLIENTS)
TINY = 1e-12


def make(plan=PLAN, sizes=(SAMPLES, 25), slots=("target", "personal"), shape=(6,), seed=0):
    rng = np.random.default_rng(seed)
    count = sum(sizes)
    starts = tuple(int(k) for k in np.concatenate([[0], np.cumsum(sizes)]))
    facts = Facts(plan, 1, shape, 3, 1.0 / 16.0, 0.0, starts, (0, 0, 0, 0))
    tensors = {
        "rows": torch.empty(0),
        "train_x": torch.from_numpy(rng.integers(0, 17, (count, *shape)).astype(np.uint8)),
        "train_y": torch.from_numpy(rng.integers(0, 3, count)),
        "members": torch.from_numpy(rng.permutation(count)),
    }
    work = Work(facts, tensors)
    tensors["train_x"] = work.network.prepare(tensors["train_x"]).contiguous()
    for name in ("rows", *(f"slot/{slot}" for slot in slots)):
        tensors[name] = torch.from_numpy(np.stack([work.network.initial(rng) for _ in sizes]))
    return work


def task(client=0, round_index=1, noise=1.0, **spec):
    return TrainTask(client, round_index, LocalSpec(**({"steps": PLAN.steps} | spec)), KEYS[client], noise)


def by_hand(work, todo, plan, pull=0.0):
    """The algorithm as its paper writes it, with torch's optimiser."""
    net, client = work.network, todo.client
    members = work.members(client)
    q, row = min(1.0, plan.batch / len(members)), work.tensors["rows"][client].clone()
    parameter = torch.nn.Parameter(row.clone())
    optimiser = torch.optim.SGD([parameter], lr=plan.lr, momentum=plan.momentum, weight_decay=plan.weight_decay)
    batches, setting = [], (q, todo.noise, plan.dp_clip)
    start = row.numpy().tobytes() + (work.tensors["slot/target"][client].numpy().tobytes() if pull else b"")
    for step in range(todo.spec.steps):
        drawn, added = (
            subkey(todo.key, f"{purpose}/", client, todo.round_index, step, setting, start)
            for purpose in ("sample", "noise")
        )
        batches.append(poisson_sample(drawn, len(members), q))
        whole = torch.from_numpy(normals(added, len(row)).astype(np.float32)) * todo.noise * plan.dp_clip
        for k in members[torch.from_numpy(batches[-1])].tolist():
            x = net.inputs(work.tensors["train_x"][k : k + 1], 1.0 / 16.0, 0.0)
            loss = net.loss(net.forward(net.layout.views(parameter), x), work.tensors["train_y"][k : k + 1])
            (gradient,) = torch.autograd.grad(loss, parameter)
            whole += gradient / max(1.0, float(gradient.norm()) / plan.dp_clip)
        parameter.grad = whole / (q * len(members))
        if pull:
            parameter.grad += pull * (parameter.detach() - work.tensors["slot/target"][client])
        optimiser.step()
    return parameter.detach(), batches


@pytest.mark.parametrize(
    ("changes", "pull"),
    [({}, 0.0), ({}, 0.7), ({"momentum": 0.0, "weight_decay": 0.1}, 0.0), ({"batch": 100}, 0.3), ({"batch": 1}, 0.0)],
)
def test_a_private_round_is_dp_sgd(changes, pull):
    plan = replace(PLAN, **changes)
    work = make(plan)
    todo = task(pull=pull, target="target")
    expected, batches = by_hand(work, todo, plan, pull)
    other = work.tensors["rows"][1].clone()
    loss = perform(work, todo)  # a task with a key is private
    assert torch.allclose(work.tensors["rows"][0], expected, atol=1e-5)
    assert torch.equal(work.tensors["rows"][1], other)
    assert np.isfinite(loss)
    assert len({len(batch) for batch in batches}) > 1 or plan.batch == 100


def test_with_everybody_drawn_no_clip_and_hardly_noise_it_is_plain_sgd_on_the_whole_data():
    plan = replace(PLAN, batch=SAMPLES, dp_clip=1e6)
    private, plain = make(plan), make(plan)
    loss = perform(private, task(noise=TINY))
    mean = perform(plain, replace(task(), key=b""))
    assert torch.allclose(private.tensors["rows"][0], plain.tensors["rows"][0], atol=1e-5)
    assert loss == pytest.approx(mean, abs=1e-5)


def test_the_noise_has_the_promised_deviation():
    """One step from the same model: rows of many rounds differ by lr σ C / (q n) of standard normal noise."""
    noise, clip, plan = 3.0, 0.2, replace(PLAN, batch=SAMPLES, dp_clip=0.2, weight_decay=0.0)
    work = make(plan)
    start, moved = work.tensors["rows"][0].clone(), []
    for round_index in range(1, 301):
        work.tensors["rows"][0] = start
        perform(work, task(round_index=round_index, noise=noise, steps=1))
        moved.append((work.tensors["rows"][0] - start).double())
    deviations = torch.stack(moved).std(0)
    expected = plan.lr * noise * clip / SAMPLES
    assert float(deviations.square().mean().sqrt()) == pytest.approx(expected, rel=0.01)
    assert float(deviations.min()) > 0.8 * expected  # every parameter has it
    assert float(deviations.max()) < 1.2 * expected


def test_removing_a_sample_moves_a_step_by_at_most_the_clip():
    plan = replace(PLAN, batch=SAMPLES, dp_clip=0.05, weight_decay=0.0)
    work, less = make(plan), make(plan)
    less.facts = replace(less.facts, held=(1, 0))  # the last sample of client 0 is held out
    start = work.tensors["rows"][0].clone()
    sums = []
    for one in (work, less):
        perform(one, task(noise=TINY, steps=1))
        count = len(one.members(0))
        sums.append((start - one.tensors["rows"][0]).double() / plan.lr * count)  # the same divisor in the proof
    assert 0.01 < float((sums[0] - sums[1]).norm()) <= 0.05 * (1 + 1e-3)


def test_a_resumed_run_draws_the_same_noise_and_ends_in_the_same_bits():
    whole, first = make(), make()
    for round_index in (1, 2, 3):
        perform(whole, task(round_index=round_index))
    perform(first, task(round_index=1))
    second = make()
    second.tensors["rows"].copy_(first.tensors["rows"])
    for round_index in (2, 3):
        perform(second, task(round_index=round_index))
    assert torch.equal(whole.tensors["rows"], second.tensors["rows"])


def test_noise_is_never_used_twice():
    """The same key, from the same model: another client, round, stream, setting or target has other noise."""
    moved = []
    others = {"round_index": 2}, {"noise": 1.0000001}, {"model": "personal"}, {"client": 1}
    for changes in ({}, {"pull": 1e-9, "target": "target"}, *others):
        work = make(sizes=(25, 25))
        todo = replace(task(**({"steps": 1} | changes)), key=KEYS[0])
        start = torch.linspace(0, 1, len(work.bench.row))
        model = work.models(todo.spec.model)
        model.copy_(start.expand_as(model))
        perform(work, todo)
        moved.append(model[todo.client] - start)
    for k, a in enumerate(moved):
        for b in moved[:k]:
            angle = torch.dot(a, b) / (a.norm() * b.norm())
            assert abs(float(angle)) < 0.7  # the gradient is common, the noise is not
            assert float((a - b).norm()) > 0.5 * float(a.norm())


def test_both_streams_of_ditto_are_private_and_both_are_counted():
    work = make()
    upload = LocalSpec(4)
    spec = {"pull": 1.0, "target": "target", "model": "personal", "then": upload}
    before = {name: work.tensors[name][0].clone() for name in ("rows", "slot/personal")}
    perform(work, task(**spec))
    assert task(**spec).spec.all_steps == 8
    only = make()
    perform(only, replace(task(), spec=upload))
    assert torch.equal(work.tensors["rows"][0], only.tensors["rows"][0])
    assert all(not torch.equal(work.tensors[name][0], before[name]) for name in before)


def test_a_round_that_draws_nobody_is_noise_alone():
    plan = replace(PLAN, batch=1, weight_decay=0.0, momentum=0.0)
    for round_index in range(1, 40):
        work = make(plan)
        start = work.tensors["rows"][0].clone()
        loss = perform(work, task(round_index=round_index, steps=1))
        if loss == 0.0:
            break
    else:
        pytest.fail("40 rounds drew somebody")
    drawn = subkey(KEYS[0], "noise/", 0, round_index, 0, (1 / SAMPLES, 1.0, plan.dp_clip), start.numpy().tobytes())
    expected = start - plan.lr * plan.dp_clip * torch.from_numpy(normals(drawn, len(start)).astype(np.float32))
    assert torch.allclose(work.tensors["rows"][0], expected, atol=1e-6)


def test_dropout_follows_from_the_key_alone():
    work = make(replace(PLAN, dataset="fashion", model="femnist-cnn"), sizes=(3, 3), slots=(), shape=(1, 28, 28))
    first, again, other = (masks(work, 5, secret) for secret in (KEYS[0], KEYS[0], KEYS[1]))
    assert len(first) == len(work.network.drops) > 0
    for (rate, shape), a, b, c in zip(work.network.drops, first, again, other, strict=True):
        assert a.shape == (5, *shape)
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
        assert set(a.unique().tolist()) <= {0.0, torch.tensor(1 / (1 - rate)).item()}


@pytest.mark.parametrize("noise", [0.0, -1.0, float("nan")])
def test_a_task_without_noise_is_refused(noise):
    with pytest.raises(LearningError, match="noise"):
        train_client_privately(make(), task(noise=noise))


def test_divergence_is_told_by_the_loss():
    work = make()
    work.tensors["rows"][0, 0] = float("inf")
    assert not np.isfinite(perform(work, task(steps=1)))
