"""What asking clients in messages costs over the plain loop, in one process and over HTTPS, and that nothing piles up.

Both sides train the same models to the same bits, one optimiser step a round, so that what is left is the cost of
messages: written, read, checked, copied and carried. A round is iPFL in which everybody imports one model, tested
before and after. Rounds are timed on both sides in turn, and the medians compared: in one process in processor seconds
of its one thread; over HTTPS, where ten clients are processes of their own on this machine, TLS and keys on, by the
clock, beside the processor seconds of server and clients together. 200 clients on handwritten digits are a whole
`marketproof run`. What goes over HTTPS needs the extra "federation".
"""

from __future__ import annotations

import csv
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from figure import Figure, told
from sklearn.datasets import load_digits

from learning.plan import LearningPlan
from learning.trainer import Trainer

ROUNDS = 7
_LOOK = 0.1
WIDE = """
import torch

def {name}():
    return torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, {width}), torch.nn.ReLU(), torch.nn.Linear({width}, 10)
    )
"""


def wide(folder: Path, width: int, clients: int = 10) -> LearningPlan:
    """Return a plan whose model has 75 ``width`` + 10 parameters."""
    (folder / "wide.py").write_text(WIDE.format(name=f"net{width}", width=width))
    return LearningPlan(model=f"{folder / 'wide.py'}:net{width}", clients=clients, steps=1, split_beta=10.0)


def play(trainer: Trainer, number: int) -> tuple[float, float]:
    """Play a round of iPFL in which everybody imports one model; return its seconds, and those of the processor."""
    began = time.perf_counter(), time.process_time()
    trainer.train(number)
    trainer.differences()
    trainer.evaluate()
    trainer.aggregate(np.roll(np.eye(trainer.plan.clients, dtype=bool), 1, axis=1))
    trainer.evaluate()
    return time.perf_counter() - began[0], time.process_time() - began[1]


def sides(
    plan: LearningPlan, asked: Trainer, rounds: int
) -> tuple[list[tuple[float, float]], list[tuple[float, float]], bool]:
    """Return the seconds of rounds of the plain loop and of ``asked``, in turn, and whether the models are the same."""
    with Trainer(plan, "ipfl", "rows") as rows:
        times = [(play(rows, number), play(asked, number)) for number in range(1, rounds + 1)]
        same = bool((rows.state.rows == asked.state.rows).all())
    return [plain for plain, _ in times], [other for _, other in times], same


def in_process(plan: LearningPlan, most: float) -> Figure:
    """Return by how many processor seconds a round of clients in this process takes longer."""
    with Trainer(plan, "ipfl", "federated") as federated:
        plain, asked, same = sides(plan, federated, ROUNDS)
        parameters = federated.state.rows.shape[1]
    before, after = (statistics.median(cpu for _, cpu in side) for side in (plain, asked))
    name = f"overhead of a round over rows, ten clients, {parameters:,} parameters{'' if same else ', OTHER BITS'}"
    return Figure(
        name, after - before, most if same else -1.0, "s", ours=f"{after:.3f} s", other=f"rows {before:.3f} s"
    )


@dataclass
class Lent:
    """A link as one training sees it."""

    transport: Any
    run: str
    least: int = 2
    within: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The clients' names."""
        return tuple(self.transport.names)

    def exchange(self, requests: Sequence[Any]) -> list[Any]:
        """Hand requests on."""
        return list(self.transport.exchange(requests))

    def close(self) -> None:
        """Nothing: `networked` closes the link."""


@contextmanager
def networked(folder: Path, plan: LearningPlan, method: str) -> Iterator[tuple[Trainer, list[int]]]:
    """Yield a trainer whose clients are processes of their own over HTTPS, and these processes' numbers."""
    from marketproof.federation.https_server import HttpsTransport
    from marketproof.federation.keys import Register, make_identity

    names = tuple(f"client{k}" for k in range(plan.clients))
    server, register = make_identity(folder, "server", ["127.0.0.1"]), Register(folder)
    for name in names:
        register.add(make_identity(folder, name).certificate)
    transport = HttpsTransport("127.0.0.1", 0, server, register, 600.0, names)
    command = [sys.executable, __file__, "client", str(folder), str(transport.port)]
    started = [subprocess.Popen([*command, name], env={**os.environ, "OMP_NUM_THREADS": "1"}) for name in names]
    try:
        while len(transport.online()) < len(names):
            time.sleep(_LOOK)
        with Trainer(plan, method, "federated", transport=Lent(transport, "bench")) as trainer:
            yield trainer, [process.pid for process in started]
    finally:
        transport.close()
        for process in started:
            process.wait()


def client(folder: Path, port: int, name: str) -> None:
    """Be one of the clients of `networked`, until that is over."""
    from learning.federation import loading
    from learning.federation.client import Client
    from marketproof.federation.https_client import attend
    from marketproof.federation.keys import Identity

    loading._trusted = lambda start, *limits: LearningPlan(**start.plan)  # a network that a server names is refused
    asked = Client(loading.own_part(), keep=folder / f"{name}.memory")
    key = Identity.at(folder / f"{name}.key")
    attend("127.0.0.1", port, folder / "server.crt", key, lambda payload, most: asked.answer(payload), 60.0)


def used(pids: Sequence[int]) -> float:
    """Return the processor seconds of other processes so far."""
    ticks = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in pids]
    return sum(int(tick) for pair in ticks for tick in pair) / os.sysconf("SC_CLK_TCK")


def over_https(folder: Path, plan: LearningPlan, most: float, rounds: int = ROUNDS) -> Figure:
    """Return by how many seconds a round of clients in processes of their own takes longer."""
    with networked(folder, plan, "ipfl") as (federated, pids):
        before = used(pids)
        plain, asked, same = sides(plan, federated, rounds)
        theirs = (used(pids) - before) / rounds
        parameters = federated.state.rows.shape[1]
    ours, other = (statistics.median(wall for wall, _ in side) for side in (asked, plain))
    mine = statistics.median(cpu for _, cpu in asked)
    name = f"overhead of a round over HTTPS, ten processes, {parameters:,} parameters{'' if same else ', OTHER BITS'}"
    story = f"{ours:.3f} s (processor: server {mine:.2f} s, all clients {theirs:.2f} s)"
    return Figure(name, ours - other, most if same else -1.0, "s", ours=story, other=f"rows {other:.3f} s")


def resident(pid: int) -> float:
    """Return the memory of a process, MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def grown(trainer: Trainer, pids: Sequence[int], rounds: int, name: str) -> Figure:
    """Return the largest factor by which one process's memory has changed from a tenth of the rounds to the last."""
    for number in range(1, rounds + 1):
        play(trainer, number)
        if number == rounds // 10:
            before = [resident(pid) for pid in pids]
    after = [resident(pid) for pid in pids]
    factor = max(max(now / then, then / now) for then, now in zip(before, after, strict=True))
    story = ", ".join(f"{then:.0f} to {now:.0f} MiB" for then, now in zip(before, after, strict=True))
    return Figure(f"memory after {rounds:,} rounds over that after a tenth, {name}", factor, 1.1, ours=story)


def memory(folder: Path, rounds: int = 1000) -> Iterator[Figure]:
    """Yield by how much memory grows with two clients, in this process and over HTTPS."""
    plan = LearningPlan(clients=2, steps=1, split_beta=10.0)
    with networked(folder, replace(plan, rounds=rounds), "ditto") as (trainer, pids):
        yield grown(trainer, [os.getpid(), *pids], rounds, "two clients over HTTPS, server first")
    with Trainer(plan, "ditto", "federated") as trainer:
        yield grown(trainer, [os.getpid()], rounds, "two clients in this process")


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
    places = [folder / name for name in ("memory", "small", "large")]
    for place in places:
        place.mkdir()
    yield from memory(places[0])
    for place, width, most in ((places[1], 592, 1.0), (places[2], 133_333, 5.0)):
        plan = wide(place, width)
        yield in_process(plan, most)
        yield over_https(place, plan, most, ROUNDS if most == 1.0 else 3)
    yield many(folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["client"]:
        sys.exit(client(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
    with tempfile.TemporaryDirectory() as place:
        sys.exit(told(figures(Path(place))))
