"""A training round of ours against a plain PyTorch loop: 10 clients, Fashion-MNIST NIID, 40 steps, then evaluation.

The other side keeps a module, a `torch.optim.SGD` and a shuffling `DataLoader` per client, with torch's default number
of threads, and tests every client on all 10,000 test images through a `DataLoader`, as the paper's code does. Both
sides see the same samples, split and initial model; rounds alternate, the first of each is not counted.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from learning.data.dataset import load
from learning.data.splits import split
from learning.plan import LearningPlan
from learning.streams import stream
from learning.trainer import Trainer

TARGET = 0.4
"""Largest accepted ratio of our seconds to the plain loop's."""

ROUNDS = 5
PLAN = LearningPlan(dataset="fashion", split="niid", clients=10, model="cnn", steps=40, batch=64, lam=0.001, eta=5.0)


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


class PlainLoop:
    """The other side: one client after the other, with PyTorch's own modules, optimiser and data loaders."""

    def __init__(self, seed: int = 0) -> None:
        data = load("fashion")
        members = split(PLAN.split, data.train_y, PLAN.clients, 10, stream(seed, "split"), PLAN.split_beta)
        train_x = torch.tensor(data.train_x) * data.scale + data.shift
        train_y = torch.tensor(data.train_y)
        test = TensorDataset(torch.tensor(data.test_x) * data.scale + data.shift, torch.tensor(data.test_y))
        self.test = DataLoader(test, batch_size=256)
        self.loaders = [
            DataLoader(TensorDataset(train_x[i], train_y[i]), batch_size=PLAN.batch, shuffle=True) for i in members
        ]
        counts = [np.bincount(data.train_y[i], minlength=10) for i in members]
        self.weights = torch.from_numpy(np.array(counts) / np.array([len(i) for i in members])[:, None])
        self.models = [PlainCNN() for _ in members]
        for model in self.models:
            model.load_state_dict(self.models[0].state_dict())

    def round(self) -> list[float]:
        """Train and test every client; return personal accuracies."""
        for model, loader in zip(self.models, self.loaders, strict=True):
            model.train()
            optimiser = torch.optim.SGD(
                model.parameters(), lr=PLAN.lr, momentum=PLAN.momentum, weight_decay=PLAN.weight_decay
            )
            batches = iter(loader)
            for _ in range(PLAN.steps):
                try:
                    x, y = next(batches)
                except StopIteration:
                    batches = iter(loader)
                    x, y = next(batches)
                optimiser.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimiser.step()
        return [self.test_client(model, weights) for model, weights in zip(self.models, self.weights, strict=True)]

    def test_client(self, model: PlainCNN, weights: torch.Tensor) -> float:
        """Return per-class accuracy on the whole test set, weighted by the client's label shares."""
        model.eval()
        correct, total = torch.zeros(10), torch.zeros(10)
        with torch.no_grad():
            for x, y in self.test:
                right = (model(x).argmax(1) == y).float()
                correct.index_add_(0, y, right)
                total.index_add_(0, y, torch.ones(len(y)))
        return float((weights * (correct / total)).sum())


def measure() -> tuple[float, float, str]:
    """Return the median seconds of a round of ours and of the plain loop's, and which backend ours took."""
    everybody = ~np.eye(PLAN.clients, dtype=bool)
    plain, ours, theirs = PlainLoop(), [], []
    with Trainer(PLAN, "ipfl", backend="auto", device="cpu") as trainer:
        for number in range(ROUNDS + 1):
            begin = time.perf_counter()
            trainer.train(number + 1)
            trainer.differences()
            trainer.aggregate(everybody)
            accuracy, _ = trainer.evaluate()
            middle = time.perf_counter()
            reference = plain.round()
            end = time.perf_counter()
            if number:
                ours.append(middle - begin)
                theirs.append(end - middle)
        backend = trainer.backend
    if abs(float(accuracy.mean()) - float(np.mean(reference))) > 0.05:
        raise RuntimeError(f"the two sides did not train alike: {accuracy.mean():.3f} and {np.mean(reference):.3f}")
    return statistics.median(ours), statistics.median(theirs), backend


def main() -> int:
    """Print the figure in one line; return 1 if it misses the target."""
    ours, theirs, backend = measure()
    ratio = ours / theirs
    verdict = "ok" if ratio <= TARGET else "MISSED"
    print(
        f"training round (10 clients, Fashion-MNIST NIID, 40 steps, with evaluation; auto took {backend}): "
        f"ours {ours:.2f} s, plain per-client PyTorch loop {theirs:.2f} s, ratio {ratio:.2f} "
        f"(target <= {TARGET}): {verdict}"
    )
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
