"""Peak memory of a run of 200 clients with 582,026 parameters each: the whole command, its workers and all it writes.

`marketproof run` in a process of its own trains iPFL, which carries two matrices of models, and Ditto, which carries
three, the most of all methods, for two rounds on Fashion-MNIST. Counted is the proportional set size (Linux) of the
command and its worker processes, added up four times a second: shared memory counts once, files that are mapped too.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figure import Figure, told

TARGET = 4.0
"""Largest accepted peak, GiB."""

INTERVAL = 0.25
"""Seconds between two looks: about as long as a matrix of models takes to fill."""

CLIENTS, PARAMETERS = 200, 582_026
TASK = f"""
title = "Many clients, large models"

[data]
dataset = "fashion"
clients = {CLIENTS}
test = 200

[split]
kind = "niid"
beta = 100.0

[model]
name = "cnn-582k"

[training]
batch = 64
lr = 0.01

[market]
lam = 0.001
eta = 5.0
cost = 1.0
gain = 5e5

[scale.smoke]
rounds = 2
steps = 1
"""


def family(pid: int) -> list[int]:
    """Return a process with all processes that it and they started."""
    found = [pid]
    for process in found:
        try:
            lists = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")]
        except OSError:  # it has ended
            continue
        found += [int(child) for children in lists for child in children.split()]
    return found


def held(pid: int) -> float:
    """Return the proportional set size of a process in GiB, 0 if it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(float(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 2**20


def peak_of(command: list[str]) -> tuple[float, float]:
    """Run a command; return its peak memory in GiB and how many seconds it took."""
    begin, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(command)
    try:
        while process.poll() is None:
            peak = max(peak, sum(held(pid) for pid in family(process.pid)))
            time.sleep(INTERVAL)
    finally:
        process.kill()
    if process.returncode:
        raise RuntimeError(f"the run ended with exit status {process.returncode}")
    return peak, time.perf_counter() - begin


def main() -> int:
    """Print the figure in one line; return 1 if it misses the target."""
    with tempfile.TemporaryDirectory() as root:
        task = Path(root) / "many.toml"
        task.write_text(TASK)
        options = ["--methods", "ipfl,ditto", "--scale", "smoke", "--out", str(Path(root) / "run"), "--quiet"]
        peak, seconds = peak_of([sys.executable, "-m", "marketproof", "run", str(task), *options])
    name = f"memory of a run, m = {CLIENTS}, P = {PARAMETERS:,}, ipfl and ditto, with workers"
    matrix = f"one matrix of models is {CLIENTS * PARAMETERS * 4 / 2**30:.2f} GiB"
    return told([Figure(name, peak, TARGET, "GiB", False, f"{seconds:.0f} s", matrix)])


if __name__ == "__main__":
    sys.exit(main())
