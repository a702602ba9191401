"""A round of every method, ours against its plain rendering: training, differences, server's step, evaluation.

Both sides test the trained models and those that the server changed, as the record holds both. Ours is a run's round
and clears a market whatever the method. 10 clients, Fashion-MNIST NIID, 40
steps of 64 samples; `plain_methods` is the other side, with torch's default number of threads or with one, whichever a
trial finds quicker: on a machine that others use too, the default can be ten times slower. Rounds alternate; the first
of each method is not counted, and the ratio is of the medians of the others. Last, or alone where "effective" is asked
for: a round of `ipfl-effective` against one of `ipfl`, both ours, on four tasks (`EFFECTIVE`).
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
from figure import Figure, told
from plain_methods import PLAIN
from plain_rounds import Local, PlainData, plain_data

from learning.plan import LearningPlan
from learning.trainer import Trainer
from marketproof.running.config import load_task, resolve
from marketproof.running.execution import plan_of
from marketproof.running.loop import play_round, types_of
from mechanism import Types

TARGETS = dict.fromkeys(PLAIN, 0.4) | {"fedfomo": 0.15}
"""Largest accepted ratio of our seconds to the plain rendering's."""
EFFECTIVE = {("fashion-niid", 10): 2.0, ("digits-skew", 10): 2.0, ("digits-cluster", 9): 2.0, ("digits-skew", 100): 3.0}
"""Largest accepted ratio of the seconds of a round of `ipfl-effective` to those of `ipfl`, by task and clients."""

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


def our_round(trainer: Trainer, rule: str, number: int) -> float:
    """Play one round as a run does, with C = 1 and K = 5e5; return the mean personal accuracy."""
    same = np.ones(PLAN.clients)
    types = Types(trainer.sizes.astype(float), same, 5e5 * same)
    return float(play_round(trainer, types, PLAN.lam, rule, number).accuracy.mean())


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
            mine = our_round(trainer, "ipfl", number)
            middle = time.perf_counter()
            with threads_set(threads):
                reference = plain.round()
            end = time.perf_counter()
            if number > 1:
                ours.append(middle - begin)
                theirs.append(end - middle)
        backend = trainer.backend
    means = (mine, float(np.mean(reference)))
    return Measured(statistics.median(ours), statistics.median(theirs), backend, threads, means)


def effective(task: str, clients: int) -> Figure:
    """Return what a round of `ipfl-effective` takes beside one of `ipfl`, by processor time, without the first."""
    medians = []
    for method, rule in (("ipfl", "ipfl"), ("ipfl-effective", "ipfl-exact")):
        options = {"scale": "reduced", "clients": clients, "methods": [method], "mechanism": rule}
        config = resolve(task, load_task(task), options | {"seed": 0, "seeds": 1})
        with Trainer(plan_of(config, 0), method, backend="rows", device="cpu") as trainer:
            types, clock = types_of(config.market, trainer.sizes, 0), []
            for number in range(1, ROUNDS + 2):
                play_round(trainer, types, config.market.lam, rule, number)
                clock.append(time.process_time())
        medians.append(float(np.median(np.diff(clock))))
    ours, other = f"ipfl-effective/ipfl-exact {medians[1]:.3f} s", f"ipfl/ipfl {medians[0]:.3f} s"
    name = f"a round of ipfl-effective on {task}, {clients} clients, ratio to ipfl"
    return Figure(name, medians[1] / medians[0], EFFECTIVE[task, clients], "", False, ours, other)


def against_plain(name: str, data: PlainData) -> list[Figure]:
    """Return the ratio of one method's round to its plain rendering's, and how far their accuracies are apart."""
    found = measure(name, data)
    mine, reference = found.accuracies
    return [
        Figure(
            f"a round of {name}, ratio to plain PyTorch", found.ours / found.plain, TARGETS[name], "", False,
            f"ours {found.ours:.2f} s ({found.backend})", f"plain {found.plain:.2f} s (threads: {found.threads})",
        ),
        Figure(f"{name}, accuracies apart", abs(mine - reference), ALIKE, "", False, f"{mine:.3f}", f"{reference:.3f}"),
    ]  # fmt: skip


def main(names: list[str]) -> int:
    """Print lines for each method; return 1 if a target is missed or two sides did not train alike."""
    methods = [name for name in names or PLAIN if name != "effective"]
    data = {held: plain_data(PLAN, 0, held) for held in (False, True)} if methods else {}
    print("rounds: 10 clients, Fashion-MNIST NIID, 40 steps, with evaluation", flush=True)
    missed = told(figure for name in methods for figure in against_plain(name, data[name == "fedfomo"]))
    return missed | (told(effective(*one) for one in EFFECTIVE) if not names or "effective" in names else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
