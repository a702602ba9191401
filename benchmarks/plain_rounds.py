"""A round of training and testing as one writes it in plain PyTorch: what the plain methods have in common.

A module, a `torch.optim.SGD` and a shuffling `DataLoader` per client, pulls as terms of the loss, dictionaries of
tensors for the server's arithmetic, pairs of clients in double loops, and every client's model tested on all test
images through a `DataLoader`, as research code does. Both sides have the same samples, split and initial model.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from learning.data import load
from learning.data.holdings import hold_out
from learning.data.splits import split
from learning.models.build import network
from learning.plan import LearningPlan
from learning.streams import stream

Weights = dict[str, torch.Tensor]
Loader = DataLoader[tuple[torch.Tensor, ...]]


class PlainCNN(torch.nn.Module):
    """SimpleCNN as one would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = torch.nn.Conv2d(1, 6, 5), torch.nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = torch.nn.Linear(256, 120), torch.nn.Linear(120, 84), torch.nn.Linear(84, 10)
        self.pool, self.relu = torch.nn.MaxPool2d(2), torch.nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores [n, 10] of images [n, 1, 28, 28]."""
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x))).flatten(1)
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))


@dataclass(frozen=True, eq=False)
class PlainData:
    """What every method starts from: loaders, numbers of samples, label shares [m, 10], and θ_0."""

    loaders: list[Loader]
    checks: list[Loader]
    test: Loader
    sizes: list[int]
    shares: torch.Tensor
    initial: Weights


def plain_data(plan: LearningPlan, seed: int, held_out: bool) -> PlainData:
    """Return Fashion-MNIST as floats, divided as our side divides it; ``held_out``: a tenth is for validation."""
    data = load("fashion")
    members = split(plan.split, data.train_y, plan.clients, 10, stream(seed, "split"), plan.split_beta)
    ordered, held = hold_out(members, seed) if held_out else (members, [0] * len(members))
    train_x, train_y = torch.tensor(data.train_x) * data.scale + data.shift, torch.tensor(data.train_y)
    test = TensorDataset(torch.tensor(data.test_x) * data.scale + data.shift, torch.tensor(data.test_y))
    parts = [(own[: len(own) - k], own[len(own) - k :]) for own, k in zip(ordered, held, strict=True)]
    net = network(plan.model, data.shape, 10)
    views = net.layout.views(torch.from_numpy(net.initial(stream(seed, "initial"))))
    counts = np.array([np.bincount(data.train_y[own], minlength=10) for own in members])
    return PlainData(
        [DataLoader(TensorDataset(train_x[a], train_y[a]), batch_size=plan.batch, shuffle=True) for a, _ in parts],
        [DataLoader(TensorDataset(train_x[b], train_y[b]), batch_size=256) for _, b in parts],
        DataLoader(test, batch_size=256),
        [len(own) for own in members],
        torch.from_numpy(counts / counts.sum(1, keepdims=True)),
        {name: view.clone() for name, view in zip(PlainCNN().state_dict(), views, strict=True)},
    )


def mean_of(models: list[Weights], weights: list[float]) -> Weights:
    """Return Σ w_j θ_j."""
    return {name: sum(w * m[name] for w, m in zip(weights, models, strict=True)) for name in models[0]}  # type: ignore[misc]


def flat(model: Weights) -> torch.Tensor:
    """Return all parameters in one vector."""
    return torch.cat([tensor.flatten() for tensor in model.values()])


def cosines_of(models: list[Weights], origins: list[Weights]) -> np.ndarray:
    """Return cos(θ_i − origin_i, θ_j − origin_j) [m, m], a pair at a time."""
    moved = [flat(model) - flat(origin) for model, origin in zip(models, origins, strict=True)]
    out = np.eye(len(models))
    for i in range(len(models)):
        for j in range(len(models)):
            if i != j:
                out[i, j] = float(F.cosine_similarity(moved[i], moved[j], dim=0))
    return out


class Local:
    """Everybody trains alone; the other methods differ in ``pull``, `train` and `server`."""

    pull = 0.0
    common = False
    """Whether the server's model counts, not those that clients trained."""
    moves = False
    """Whether the server changes the models that clients use; then they are tested once more."""

    def __init__(self, plan: LearningPlan, data: PlainData) -> None:
        self.plan, self.data, self.m = plan, data, plan.clients
        self.models = [PlainCNN() for _ in range(self.m)]
        self.targets: list[Weights | None] = [None] * self.m
        self.shares = [size / sum(data.sizes) for size in data.sizes]
        self.number = 0
        for model in self.models:
            model.load_state_dict(data.initial)

    def round(self) -> list[float]:
        """Train every client, do the server's step, test every client before and after; return what counts."""
        self.number += 1
        self.start = self.weights()
        self.train()
        uploads = self.weights()
        trained = self.tested()
        self.server(uploads)
        aggregated = self.tested() if self.moves else trained
        return aggregated if self.common else trained

    def tested(self) -> list[float]:
        """Return the personal accuracy of each client's model."""
        return [self.test(model, shares) for model, shares in zip(self.deployed(), self.data.shares, strict=True)]

    def weights(self) -> list[Weights]:
        """Return copies of all models."""
        return [copy.deepcopy(model.state_dict()) for model in self.models]

    def deployed(self) -> list[PlainCNN]:
        """Return the models that clients use."""
        return self.models

    def train(self) -> None:
        """Do every client's local work."""
        for i, model in enumerate(self.models):
            self.fit(i, model, self.targets[i])

    def server(self, uploads: list[Weights]) -> None:
        """Combine what clients upload; here nothing."""

    def fit(self, client: int, model: PlainCNN, target: Weights | None) -> None:
        """Train one model by SGD, pulled to ``target`` if there is one."""
        plan = self.plan
        model.train()
        optimiser = torch.optim.SGD(
            model.parameters(), lr=plan.lr, momentum=plan.momentum, weight_decay=plan.weight_decay
        )
        batches = iter(self.data.loaders[client])
        for _ in range(plan.steps):
            try:
                x, y = next(batches)
            except StopIteration:
                batches = iter(self.data.loaders[client])
                x, y = next(batches)
            optimiser.zero_grad()
            loss = F.cross_entropy(model(x), y)
            if target is not None and self.pull:
                away = sum(((p - target[name]) ** 2).sum() for name, p in model.named_parameters())
                loss = loss + self.pull / 2 * away
            loss.backward()
            optimiser.step()

    def give(self, models: list[Weights]) -> None:
        """Load what the server made into the clients' modules."""
        for model, weights in zip(self.models, models, strict=True):
            model.load_state_dict(weights)

    def test(self, model: PlainCNN, shares: torch.Tensor) -> float:
        """Return per-class accuracy on the whole test set, weighted by the client's label shares."""
        model.eval()
        correct, total = torch.zeros(10), torch.zeros(10)
        with torch.no_grad():
            for x, y in self.data.test:
                right = (model(x).argmax(1) == y).float()
                correct.index_add_(0, y, right)
                total.index_add_(0, y, torch.ones(len(y)))
        return float((shares * (correct / total)).sum())
