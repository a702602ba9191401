"""Rounds of a method written down plainly, with modules and `torch.optim.SGD`, for the methods' own tests."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from learning.algorithms import ALGORITHMS, Aggregation, Uploads
from learning.differences import geometry
from learning.local import batch_order
from learning.plan import LearningPlan
from learning.streams import stream
from learning.trainer import Trainer

PLAN = LearningPlan(clients=5, steps=5, split_beta=0.5, weight_decay=1e-3)
"""Digits at the scale of a smoke run."""

PULLED = replace(PLAN, lr=0.1, steps=25)
"""Steps long enough that a pull of 0.01 shows: models without it are an order of magnitude further off than 1e-5."""

SIZES = np.array([40.0, 10.0, 25.0, 100.0, 60.0])


def models(seed: int = 0, m: int = 5, p: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
    """Return random uploads [m, p] with something in common, and θ_0."""
    generator = torch.Generator().manual_seed(seed)
    initial = torch.randn(p, generator=generator)
    common = torch.randn(p, generator=generator)
    return initial + 0.3 * common + 0.5 * torch.randn(m, p, generator=generator), initial


def server(name: str, rows: torch.Tensor, origin: torch.Tensor, **given) -> Aggregation:
    """Return a method's server step on uploads."""
    m = len(rows)
    found = geometry(rows, origin)
    values = {
        "plan": PLAN,
        "imports": ~np.eye(m, dtype=bool),
        "sizes": SIZES[:m],
        "cosines": found.cosines,
        "norms": found.norms,
        "memory": np.zeros((m, m)),
    }
    step = ALGORITHMS[name].aggregate(Uploads(**(values | given)))
    assert step is not None
    return step


def plain_sgd(
    trainer: Trainer,
    client: int,
    number: int,
    start: torch.Tensor,
    pull: float = 0.0,
    target: torch.Tensor | None = None,
    purpose: str = "batches",
    adamw: dict[str, float] | None = None,
) -> torch.Tensor:
    """Return one client's model after a round of local steps, the proximal term written as a term of the loss.

    By torch's SGD with the plan's settings, or by its AdamW with those that are given.
    """
    plan, work = trainer.plan, trainer._backend.work
    layout = work.network.layout
    parameters = [torch.nn.Parameter(view.clone()) for view in layout.views(start.clone())]
    if adamw is not None:
        optimiser: torch.optim.Optimizer = torch.optim.AdamW(parameters, **adamw)
    else:
        optimiser = torch.optim.SGD(parameters, lr=plan.lr, momentum=plan.momentum, weight_decay=plan.weight_decay)
    members = work.members(client)
    order, cuts = batch_order(len(members), plan.batch, plan.steps, stream(trainer.seed, purpose, number, client))
    for begin, end in pairwise(cuts):
        index = members[torch.from_numpy(order[begin:end])]
        optimiser.zero_grad()
        scores = work.network.forward(parameters, work.tensors["train_x"][index].float() / 16.0)
        loss = F.cross_entropy(scores, work.tensors["train_y"][index])
        if target is not None:
            for parameter, goal in zip(parameters, layout.views(target.clone()), strict=True):
                loss = loss + pull / 2 * (parameter - goal).square().sum()
        loss.backward()
        optimiser.step()
    return torch.cat([p.detach().reshape(-1) for p in parameters])


def loss_of(trainer: Trainer, row: torch.Tensor, index: torch.Tensor) -> float:
    """Return the mean cross entropy of a model on training samples."""
    work = trainer._backend.work
    scores = work.network.forward(work.network.layout.views(row), work.tensors["train_x"][index].float() / 16.0)
    return float(F.cross_entropy(scores.double(), work.tensors["train_y"][index]))


def play(trainer: Trainer, number: int) -> list[np.ndarray]:
    """Play one round as the round loop does; return what it shows, the graph last, complete if a market decides it."""
    losses = trainer.train(number)
    d, zero = trainer.differences()
    implied = trainer.implied_imports()
    graph = ~np.eye(trainer.plan.clients, dtype=bool) if implied is None else implied
    trainer.aggregate(graph)
    return [losses, d, zero, *trainer.evaluate(), graph]


def agree(found: torch.Tensor, expected: torch.Tensor, within: float) -> None:
    """Assert that models agree entry by entry, and that there is something to agree on."""
    assert found.shape == expected.shape
    assert float((found.double() - expected.double()).abs().max()) <= within


def same_in_a_pool(name: str, plan: LearningPlan = PLAN) -> None:
    """Assert that two rounds in worker processes are bitwise those of the plain loop, with every slot."""

    def everything(backend: str) -> list[np.ndarray]:
        with Trainer(plan, name, backend=backend, seed=2, processes=1) as trainer:
            seen = [value for number in (1, 2) for value in play(trainer, number)]
            return [*seen, *(tensor.clone().numpy() for tensor in trainer.state.tensors().values())]

    for mine, theirs in zip(everything("pool"), everything("rows"), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def same_when_resumed(name: str, folder: Path, plan: LearningPlan = PLAN) -> None:
    """Assert that a run stopped after a round, and one stopped before a server step, go on as if they had not."""
    after, between = folder / "after.safetensors", folder / "between.safetensors"
    with Trainer(plan, name, backend="rows", seed=1) as trainer:
        play(trainer, 1)
        trainer.save(after)
        seen = play(trainer, 2)
        trainer.train(3)
        trainer.save(between)
        trainer.aggregate(~np.eye(plan.clients, dtype=bool))
        kept = {key: tensor.clone() for key, tensor in trainer.state.tensors().items()}
    with Trainer(plan, name, backend="rows", seed=1) as trainer:
        trainer.load(after)
        for mine, theirs in zip(play(trainer, 2), seen, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        trainer.train(3)
        trainer.aggregate(~np.eye(plan.clients, dtype=bool))
        assert all(torch.equal(tensor, kept[key]) for key, tensor in trainer.state.tensors().items())
    with Trainer(plan, name, backend="rows", seed=1) as trainer:
        trainer.load(between)
        trainer.aggregate(~np.eye(plan.clients, dtype=bool))
        assert all(torch.equal(tensor, kept[key]) for key, tensor in trainer.state.tensors().items())


def weighted_mean(rows: torch.Tensor, sizes: np.ndarray) -> torch.Tensor:
    """Return Σ_j n_j θ_j / Σ n as a loop."""
    total = torch.zeros(rows.shape[1], dtype=torch.float64)
    for row, size in zip(rows, sizes, strict=True):
        total += float(size) * row.double()
    return (total / float(sum(sizes))).to(rows.dtype)
