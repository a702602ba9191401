"""What runs on a GPU, and how fast: one command writes the page (``make gpu``).

Asked in turn, each part on its own so that one that breaks is a line of the page and not the end of it:

- parity: every method on the digits, and every network on samples drawn at random, trained by `rows` and by `stacked`;
  how far models are apart, relative to how far they moved, at most `APART` in float32;
- smoke: every task that has its data here, every method, at scale smoke (``benchmarks/smoke.py``);
- privacy: a round of DP-SGD; an adapter of the tiny language model by plain and by private gradients; and loading in 8
  bits, where a folder is named (``--base-model DIR``);
- speed: rounds a second of ten clients against plain PyTorch, a module, `torch.optim.SGD` and a loop, on that device;
- memory: the most that each part held (CUDA), or the process (elsewhere).

    python benchmarks/gpu.py [--device cuda|cuda:N|cpu] [--reduced] [--base-model DIR] [--out FILE.md]

Without CUDA everything runs on the CPU, smaller, and the page says so; the exit status is 1 if a part fails.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from learning.algorithms import ALGORITHMS
from learning.algorithms.algorithm import LocalSpec
from learning.backends.backend import RowsBackend
from learning.backends.stacked import StackedBackend, stackable
from learning.begin import device_named
from learning.data.dataset import Dataset
from learning.data.holdings import Holdings
from learning.local import TrainTask
from learning.models import MODELS
from learning.plan import LearningPlan
from learning.privacy.keys import seeded_keys
from learning.trainer import Trainer
from learning.work import Work, begun
from mechanism.wording import number, plural

PAGE = Path(__file__).resolve().parents[1] / "docs" / "results" / "gpu.md"
APART = 1e-2
"""Distance of models of two backends, relative to how far they moved, above which they are not the same computation."""

SHAPES: dict[str, tuple[tuple[int, ...], int]] = {
    "mlp": ((1, 8, 8), 10), "logistic": ((1, 8, 8), 10), "cnn": ((1, 28, 28), 10), "femnist-cnn": ((1, 28, 28), 62),
    "cnn-582k": ((1, 28, 28), 10), "lstm": ((80,), 80), "resnet20": ((3, 32, 32), 10), "lora": ((32,), 259),
}  # fmt: skip
"""Of one sample for each network, and the number of classes; tokens for `lstm` and `lora`."""

Line = tuple[str, bool, str]
"""What was asked, whether it holds, and what was seen."""


def drawn(name: str, samples: int) -> Dataset:
    """Return samples of a network's shape, drawn at random: bytes of images, or tokens."""
    rng = np.random.default_rng(0)
    shape, classes = SHAPES[name]
    tokens = len(shape) == 1
    x = rng.integers(0, min(classes, 256), (2 * samples, *shape)).astype(np.int64 if tokens else np.uint8)
    y = rng.integers(0, classes, 2 * samples)
    cells: dict[str, Any] = {}
    if name == "lora":  # each token's target is the next one
        one = np.zeros(samples, dtype=np.int64)
        y, cells = np.roll(x, -1, axis=1), {"train_strata": one, "test_strata": one, "strata": 1}
    else:
        y[samples:] = y[:samples]  # every class of the training samples is tested
    train, test = slice(0, samples), slice(samples, None)
    scale = 1.0 if tokens else 1.0 / 255.0
    return Dataset(MODELS[name][0], "drawn", x[train], y[train], x[test], y[test], classes, scale, 0.0, **cells)


def work_of(name: str, clients: int, samples: int, steps: int, batch: int) -> Work:
    """Return the work of some clients on such samples, before the first round."""
    data, each = drawn(name, clients * samples), np.arange(clients * samples).reshape(clients, samples)
    strata = np.ones((clients, data.strata)) / data.strata
    holdings = Holdings(data, list(each), np.full(clients, samples), strata, np.bincount(data.test_strata))
    plan = LearningPlan(
        dataset=MODELS[name][0], clients=clients, model=name, steps=steps, batch=batch, split="niid", lr=0.01
    )
    return begun(plan, 0, holdings, (), False, ())


def apart(a: torch.Tensor, b: torch.Tensor, start: torch.Tensor) -> float:
    """Return the largest distance of two models of a client, relative to how far the first is from ``start``."""
    a, b, start = a.cpu().double(), b.cpu().double(), start.cpu().double()
    return float(((a - b).norm(dim=1) / (a - start).norm(dim=1).clamp(min=1e-12)).max())


def parity_of_networks(device: torch.device, reduced: bool) -> Iterator[Line]:
    """Train every network by both backends from the same start."""
    clients, steps, batch = (2, 2, 4) if reduced else (8, 5, 32)
    for name in SHAPES:
        rows: list[torch.Tensor] = []
        for backend in (RowsBackend, StackedBackend):
            work = work_of(name, clients, 2 * batch, steps, batch)
            if backend is StackedBackend and not stackable(work):
                yield name, True, "is not stacked: the plain loop trains it"
                break
            start, made = work.state.initial.clone(), backend(work, device)
            losses = made.run([TrainTask(client, 1, LocalSpec(steps)) for client in range(clients)])
            if not np.isfinite(losses).all():
                yield name, False, f"losses {losses}"
            rows.append(made.work.state.rows.clone())
            made.close()
        else:
            far = apart(*rows, start)
            yield name, far <= APART, f"{far:.1e} apart"


def parity_of_methods(device: torch.device, reduced: bool) -> Iterator[Line]:
    """Play two rounds of every method by both backends; where a market decides, everybody imports from the next."""
    plan = LearningPlan(clients=4 if reduced else 10, steps=2 if reduced else 20, rounds=2)
    for name in ALGORITHMS:
        rows, scores, used = [], [], []
        for backend in ("rows", "stacked"):
            with Trainer(plan, name, backend, str(device)) as trainer:
                for round_index in (1, 2):
                    trainer.train(round_index)
                    trainer.effective()
                    trainer.differences()
                    graph = trainer.implied_imports()
                    trainer.aggregate(np.roll(np.eye(plan.clients, dtype=bool), 1, axis=1) if graph is None else graph)
                scores.append(trainer.evaluate()[0])
                start = trainer.state.initial.clone()
                rows.append(trainer.state.rows.clone())
                used.append(trainer.backend)
        far, off = apart(*rows, start), float(np.abs(scores[0] - scores[1]).max())
        holds = far <= APART and off <= 0.05 and used == ["rows", "stacked"]
        yield name, holds, f"{far:.1e} apart, accuracies within {number(off, 2)}, by {' and '.join(used)}"


def tasks(device: torch.device, reduced: bool) -> Iterator[Line]:
    """Run every task at scale smoke on the device; one without its data here is named."""
    from smoke import check

    from learning.errors import DataError
    from marketproof.running.config import task_names

    for task in ["digits-niid"] if reduced else task_names():
        with tempfile.TemporaryDirectory() as root:
            try:
                wrong = check(task, Path(root) / "run", str(device), ("local", "ipfl") if reduced else ())
            except DataError as error:
                yield task, True, f"no data here ({str(error)[:60]}…)"
                continue
        yield task, not wrong, "; ".join(wrong) or "ok"


def private_and_adapted(device: torch.device, reduced: bool, base: str) -> Iterator[Line]:
    """Train with differential privacy; adapt a language model; load one in 8 bits where a folder is named."""
    plan = LearningPlan(clients=3, steps=2 if reduced else 10, rounds=1, dp_epsilon=8.0)
    with Trainer(plan, "fedavg", "rows", str(device), keys=seeded_keys(0, 3)) as trainer:
        losses = trainer.train(1)
        spent = float(trainer.epsilon.max())
    yield "DP-SGD", bool(np.isfinite(losses).all()) and 0 < spent <= 8.0, f"ε {spent:.2f} of 8 spent"
    for title, key, noise in (("LoRA, tiny", b"", 0.0), ("LoRA with DP-SGD, tiny", bytes(32), 1.0)):
        work = work_of("lora", 2, 8, 2, 4)
        work.facts.plan.__dict__.update(replace(work.facts.plan, dp_epsilon=8.0 if key else 0.0).__dict__)
        made = RowsBackend(work, device)
        losses = made.run([TrainTask(client, 1, LocalSpec(2), key, noise) for client in range(2)])
        moved = float((made.work.state.rows - made.work.state.initial).abs().max())
        yield title, bool(np.isfinite(losses).all()) and moved > 0, f"loss {np.mean(losses):.2f}"
    if not base:
        yield "LoRA in 8 bits", True, "not asked for (--base-model DIR)"
        return
    from learning.models.lora import lora_network

    net = lora_network(f"{base}@8")
    yield "LoRA in 8 bits", True, f"{base}: adapter of {net.layout.parameters} numbers"


def speed(device: torch.device, reduced: bool) -> Iterator[Line]:
    """Time rounds of local work against plain PyTorch; said, not judged: a ratio below 1 is no failure."""
    clients, steps, batch = (4, 5, 16) if reduced else (10, 100, 64)
    for name in ("mlp", "cnn"):
        work = [TrainTask(client, 1, LocalSpec(steps)) for client in range(clients)]
        found = {}
        for title, kind in (("rows", RowsBackend), ("stacked", StackedBackend)):
            made = kind(work_of(name, clients, 4 * batch, steps, batch), device)
            found[title] = _rounds_a_second(partial(made.run, work), device)
        found["plain PyTorch"] = _rounds_a_second(_plain(name, clients, steps, batch, device), device)
        best = max(found["rows"], found["stacked"]) / found["plain PyTorch"]
        told = ", ".join(f"{title} {number(value, 3)}" for title, value in found.items())
        yield (
            f"{name}, {clients} clients of {steps} steps of {batch}",
            True,
            f"{told} rounds/s: {number(best, 3)} ×",
        )


def _rounds_a_second(action: Callable[[], object], device: torch.device) -> float:
    action()  # chooses and compiles kernels
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    begin, rounds = time.perf_counter(), 0
    while rounds < 3 or time.perf_counter() - begin < 0.5:
        action()
        rounds += 1
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return rounds / (time.perf_counter() - begin)


def _plain(name: str, clients: int, steps: int, batch: int, device: torch.device) -> Callable[[], None]:
    """Return a round as one writes it: a module and an optimiser for each client, its samples on the device."""
    from plain_rounds import PlainCNN

    data = drawn(name, clients * 4 * batch)
    x = torch.tensor(data.train_x, device=device).float() / 255
    y = torch.tensor(data.train_y, device=device)

    def module() -> torch.nn.Module:
        if name == "cnn":
            return PlainCNN().to(device)
        layers = torch.nn.Flatten(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
        return torch.nn.Sequential(*layers).to(device)

    modules = [module() for _ in range(clients)]
    optimizers = [torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-5) for m in modules]

    def round_() -> None:
        for client, (net, optimizer) in enumerate(zip(modules, optimizers, strict=True)):
            own = torch.arange(client * 4 * batch, (client + 1) * 4 * batch, device=device)
            order = itertools.cycle(own[torch.randperm(len(own), device=device)].split(batch))
            for index in itertools.islice(order, steps):
                optimizer.zero_grad()
                F.cross_entropy(net(x[index]), y[index]).backward()
                optimizer.step()

    return round_


def memory(device: torch.device) -> str:
    """Return the most memory held since it was asked last: on the GPU, elsewhere by the process so far."""
    if device.type == "cuda":
        held = torch.cuda.max_memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        return f"{held / 2**20:.0f} MiB on the GPU"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return f"{peak / 2**20:.0f} MiB in the process"


def main(arguments: list[str]) -> int:
    """Run all parts, write the page, return 1 if something fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--reduced", action="store_true", help="small: for tests, and what a machine without CUDA does")
    parser.add_argument("--base-model", default="", help="a folder, to be loaded in 8 bits")
    parser.add_argument("--out", type=Path, default=PAGE)
    given = parser.parse_args(arguments)
    device = device_named(given.device, "rows")
    reduced, base = given.reduced or device.type == "cpu", given.base_model
    sys.path.insert(0, str(Path(__file__).parent))
    parts: dict[str, Callable[[], Iterator[Line]]] = {
        "Parity of stacked and rows: networks": lambda: parity_of_networks(device, reduced),
        "Parity of stacked and rows: methods": lambda: parity_of_methods(device, reduced),
        "Every task at scale smoke": lambda: tasks(device, reduced),
        "Privacy and adapters": lambda: private_and_adapted(device, reduced, base),
        "Rounds a second against plain PyTorch": lambda: speed(device, reduced),
    }
    what = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU ({platform.machine()})"
    page, failed = [], 0
    for title, part in parts.items():
        begin, lines = time.perf_counter(), []
        try:
            lines += part()
        except Exception as error:  # the other parts are still asked
            lines.append(("stopped", False, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"))
        failed += sum(not holds for _, holds, _ in lines)
        page += [f"## {title}", "", "| | holds | seen |", "|---|---|---|"]
        page += [f"| {asked} | {'yes' if holds else '**NO**'} | {seen} |" for asked, holds, seen in lines]
        page += ["", f"{time.perf_counter() - begin:.0f} s; {memory(device)} at most.", ""]
        print(f"{title}: {plural(len(lines), 'line')}, {sum(not holds for _, holds, _ in lines)} failed", flush=True)
    head = ["# On a GPU", "", f"Written by `make gpu` on {what}, torch {torch.__version__}."]
    if device.type == "cpu":
        head += [
            "",
            "**This machine has no CUDA device: all of it ran on the CPU, reduced. Nothing here is of a GPU.**",
        ]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text("\n".join([*head, "", *page]).rstrip() + "\n", encoding="utf-8")
    print(f"{given.out}: {'FAILED' if failed else 'ok'}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
