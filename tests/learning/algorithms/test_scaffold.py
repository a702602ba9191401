"""SCAFFOLD against Algorithm 1 of its paper, written down plainly with modules' gradients by autograd."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from learning.local import batch_order
from learning.streams import stream
from learning.trainer import Trainer
from tests.learning.algorithms.rendering import PLAN, agree, play

SGD = replace(PLAN, momentum=0.0, weight_decay=0.0, lr=0.05)


def local_steps(
    trainer: Trainer, client: int, number: int, x: torch.Tensor, correction: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return y_i after K steps on g + correction, heavy ball and weight decay as the plan has them, and the mean g."""
    plan, work = trainer.plan, trainer._backend.work
    y, velocity, total = x.clone(), torch.zeros_like(x), torch.zeros_like(x)
    members = work.members(client)
    order, cuts = batch_order(len(members), plan.batch, plan.steps, stream(trainer.seed, "batches", number, client))
    for begin, end in pairwise(cuts):
        index = members[torch.from_numpy(order[begin:end])]
        parameters = [view.clone().requires_grad_() for view in work.network.layout.views(y)]
        scores = work.network.forward(parameters, work.tensors["train_x"][index].float() / 16.0)
        found = torch.autograd.grad(F.cross_entropy(scores, work.tensors["train_y"][index]), parameters)
        g = torch.cat([part.reshape(-1) for part in found])
        total += g
        velocity = plan.momentum * velocity + g + correction + plan.weight_decay * y
        y = y - plan.lr * velocity
    return y, total / plan.steps


@pytest.mark.parametrize("plan", [SGD, replace(PLAN, lr=0.05)], ids=["plain", "momentum"])
def test_rounds_are_those_of_the_papers_algorithm(plan):
    """Client 4 is away in round 2 and keeps its control, which still counts in c; with plain SGD c_i is option II."""
    with Trainer(plan, "scaffold", backend="rows", seed=3) as trainer:
        x = trainer.state.rows[0].clone()
        c, controls = torch.zeros_like(x), torch.zeros_like(trainer.state.rows)
        for number in (1, 2, 3):
            here = np.arange(5 if number != 2 else 4)
            trainer.train(number, np.isin(np.arange(5), here))
            trainer.aggregate(trainer.implied_imports())
            moved, change = torch.zeros_like(x), torch.zeros_like(x)
            for i in here.tolist():
                y, mean = local_steps(trainer, i, number, x, c - controls[i])
                new = controls[i] - c + (x - y) / (plan.steps * plan.lr) if plan is SGD else mean
                moved, change, controls[i] = moved + (y - x), change + (new - controls[i]), new
            x, c = x + moved / len(here), c + change / 5
            agree(trainer.state.rows, x.expand(5, -1), 1e-5)
            agree(trainer.state.slots["control"], controls, 1e-4)
            agree(trainer.state.slots["correction"], c - controls, 1e-4)
        assert float(trainer.state.slots["correction"].abs().max()) > 1e-2


def test_without_controls_it_would_be_another_model():
    with Trainer(SGD, "scaffold", backend="rows") as one, Trainer(SGD, "fedavg", backend="rows") as other:
        play(one, 1)
        play(other, 1)
        other.state.rows.copy_(one.state.rows)
        play(one, 2)
        play(other, 2)
        assert float((one.state.rows - other.state.rows).abs().max()) > 1e-4


def test_clients_weigh_alike_however_many_samples_they_have():
    with Trainer(PLAN, "scaffold", backend="rows") as trainer:
        trainer.train(1)
        trained = trainer.state.rows.clone()
        trainer.aggregate(trainer.implied_imports())
        agree(trainer.state.rows, trained.double().mean(0).float().expand(5, -1), 1e-6)
        assert len(set(trainer.sizes.tolist())) > 1
