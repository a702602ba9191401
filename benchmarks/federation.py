"""What asking clients in messages costs over the plain loop, all in one process, and that nothing piles up.

Both sides train the same models to the same bits, one optimiser step a round, so that what is left is the cost of
messages: written, read, checked and copied. Times are processor seconds of one thread; each round is timed on both
sides in turn, and the medians are compared. 200 clients on handwritten digits are a whole `marketproof run`.
"""

from __future__ import annotations

import csv
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from figure import Figure, told
from sklearn.datasets import load_digits

from learning.plan import LearningPlan
from learning.trainer import Trainer

ROUNDS = 7
WIDE = """
import torch

def {name}():
    return torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, {width}), torch.nn.ReLU(), torch.nn.Linear({width}, 10)
    )
"""


def play(trainer: Trainer, number: int) -> float:
    """Play a round of iPFL in which everybody imports one model; return its processor seconds."""
    began = time.process_time()
    trainer.train(number)
    trainer.differences()
    trainer.evaluate()
    trainer.aggregate(np.roll(np.eye(trainer.plan.clients, dtype=bool), 1, axis=1))
    return time.process_time() - began


def overhead(folder: Path, width: int, most: float) -> Figure:
    """Return by how much a round of ten clients takes longer; a model has 75 ``width`` + 10 parameters."""
    (folder / "wide.py").write_text(WIDE.format(name=f"net{width}", width=width))
    plan = LearningPlan(model=f"{folder / 'wide.py'}:net{width}", clients=10, steps=1, split_beta=10.0)
    with Trainer(plan, "ipfl", "rows") as rows, Trainer(plan, "ipfl", "federated") as federated:
        times = [(play(rows, number), play(federated, number)) for number in range(1, ROUNDS + 1)]
        same = bool((rows.state.rows == federated.state.rows).all())
    plain, asked = (statistics.median(side) for side in zip(*times, strict=True))
    name = f"overhead of a round over rows, ten clients, {75 * width + 10:,} parameters{'' if same else ', OTHER BITS'}"
    return Figure(name, asked - plain, most if same else -1.0, "s", ours=f"{asked:.3f} s", other=f"rows {plain:.3f} s")


def memory(rounds: int = 1000) -> Figure:
    """Return by which factor the peak memory of the process grows from the first tenth of the rounds to the last."""
    with Trainer(LearningPlan(clients=2, steps=1, split_beta=10.0), "ditto", "federated") as trainer:
        for number in range(1, rounds + 1):
            play(trainer, number)
            if number == rounds // 10:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Figure(f"peak memory after {rounds:,} rounds of two clients over that after a tenth", after / before, 1.1)


def many(folder: Path, clients: int = 200) -> Figure:
    """Return the seconds of a whole run of so many clients, three rounds of iPFL and of plain averaging."""
    x, y = load_digits(return_X_y=True)
    with (folder / "digits.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["owner", *(f"p{k}" for k in range(64)), "digit"])
        writer.writerows([f"c{k % clients}", *map(int, x[k]), y[k]] for k in range(len(y)))
    words = [
        sys.executable,
        "-m",
        "marketproof",
        "run",
        "--data",
        "digits.csv",
        "--owner",
        "owner",
        "--target",
        "digit",
    ]
    words += ["--backend", "federated", "--rounds", "3", "--methods", "ipfl,fedavg", "--out", "run", "--quiet"]
    began = time.perf_counter()
    subprocess.run(words, cwd=folder, check=True)
    return Figure(f"{clients} clients on digits, a run of two methods", time.perf_counter() - began, 600.0, "s")


def figures(folder: Path) -> Iterator[Figure]:
    """Yield the claims as they are measured; memory first, as later parts take much of it."""
    yield memory()
    yield overhead(folder, 592, 1.0)
    yield overhead(folder, 133_333, 5.0)
    yield many(folder)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        sys.exit(told(figures(Path(place))))
