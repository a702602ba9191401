"""A round of every method, ours against its plain rendering: training, differences, server's step, evaluation.

Ours tests the trained and the aggregated models, as a run records both, the plain side those that count. 10 clients,
Fashion-MNIST NIID, 40 steps of 64 samples; `plain_methods` is the other side, with torch's default number of threads or
with one, whichever a trial finds quicker: on a machine that others use too, the default can be ten times slower. Rounds
alternate; the first of each method is not counted, and the ratio is of the medians of the others.
"""

from __future__ import annotations

import copy
import math
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from plain_methods import PLAIN
from plain_rounds import Local, PlainData, plain_data

from learning.plan import LearningPlan
from learning.trainer import Trainer
from mechanism import Market, Types, market_mechanism

TARGETS = dict.fromkeys(PLAIN, 0.4) | {"fedfomo": 0.15}
"""Largest accepted ratio of our seconds to the plain rendering's."""

ROUNDS = 3
PLAN = LearningPlan(dataset="fashion", split="niid", clients=10, model="cnn", steps=40, batch=64, lam=0.001, eta=5.0)
ALIKE = 0.1
"""Largest accepted distance of the two sides' mean accuracies after the last round; they draw different batches."""


@dataclass(frozen=True)
class Measured:
    """Median seconds of a round of each side, our backend, the plain side's threads, both final mean accuracies."""

    ours: float
    plain: float
    backend: str
    threads: int
    accuracies: tuple[float, float]


def our_round(trainer: Trainer, number: int) -> NDArray[np.float64]:
    """Play one round as a run does and return personal accuracies; the market has C = 1, K = 5e5."""
    trainer.train(number)
    d, _ = trainer.differences()
    graph = trainer.implied_imports()
    if graph is None:
        types = Types(trainer.sizes.astype(float), np.ones(len(d)), np.full(len(d), 5e5))
        graph = market_mechanism("ipfl").clear(types.truthful(), Market(d, PLAN.lam)).imports
    trained = trainer.evaluate()
    aggregated = trainer.evaluate() if trainer.aggregate(graph) else trained
    return (trained if trainer.judged == "trained" else aggregated)[0]


def quicker_threads(plain: Local) -> int:
    """Return torch's default number of threads or 1: with which the plain side trains and tests one client sooner."""
    seconds: dict[int, float] = {}
    for threads in 2 * (torch.get_num_threads(), 1):
        with threads_set(threads):
            model, begin = copy.deepcopy(plain.models[0]), time.perf_counter()
            plain.fit(0, model, None)
            plain.test(model, plain.data.shares[0])
            seconds[threads] = min(seconds.get(threads, math.inf), time.perf_counter() - begin)
    return min(seconds, key=lambda threads: seconds[threads])


@contextmanager
def threads_set(threads: int) -> Iterator[None]:
    """Compute with that many torch threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measure(name: str, data: PlainData) -> Measured:
    """Return the figures of one method."""
    plain, ours, theirs = PLAIN[name](PLAN, data), [], []
    threads = quicker_threads(plain)
    with Trainer(PLAN, name, backend="auto", device="cpu") as trainer:
        for number in range(1, ROUNDS + 2):
            begin = time.perf_counter()
            mine = our_round(trainer, number)
            middle = time.perf_counter()
            with threads_set(threads):
                reference = plain.round()
            end = time.perf_counter()
            if number > 1:
                ours.append(middle - begin)
                theirs.append(end - middle)
        backend = trainer.backend
    means = (float(mine.mean()), float(np.mean(reference)))
    return Measured(statistics.median(ours), statistics.median(theirs), backend, threads, means)


def main(names: list[str]) -> int:
    """Print a line for each method; return 1 if a target is missed or two sides did not train alike."""
    missed = 0
    data = {held: plain_data(PLAN, 0, held) for held in (False, True)}
    print("a round of each method (10 clients, Fashion-MNIST NIID, 40 steps, with evaluation), ours : plain PyTorch")
    for name in names or list(PLAIN):
        found = measure(name, data[name == "fedfomo"])
        ratio, (mine, reference) = found.ours / found.plain, found.accuracies
        met, alike = ratio <= TARGETS[name], abs(mine - reference) <= ALIKE
        missed += not (met and alike)
        print(
            f"{name:9}: {found.ours:5.2f} s ({found.backend}) : {found.plain:5.2f} s (threads: {found.threads}), "
            f"ratio {ratio:.2f} (target <= {TARGETS[name]}): {'ok' if met else 'MISSED'}; "
            f"accuracies {mine:.3f} and {reference:.3f}{'' if alike else ': NOT ALIKE'}",
            flush=True,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
