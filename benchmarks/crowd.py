"""A run of 1,000 clients of whom 100 take part in a round: what each of its parts takes.

The clients are owners of a table made of the digits in scikit-learn, one or two rows each; the method is the repaired
market with lambda 1. Seconds are those of the processor. Exit status 1 if a target is missed.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from figure import Figure, told

CLIENTS, ROUNDS, STEPS = 1_000, 5, 10
A_ROUND, AUDIT, GIBIBYTES = 20.0, 120.0, 2.0


def table(path: Path) -> None:
    """Write the digits with an owner for each row."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    rows = len(digits.target)
    owner = np.random.default_rng(0).permutation(np.arange(rows) % CLIENTS)
    heads = ",".join(("writer", "digit", *(f"p{k}" for k in range(64))))
    cells = np.column_stack([owner, digits.target, digits.data]).astype(int)
    path.write_text("\n".join([heads, *(f"w{row[0]:04d}," + ",".join(map(str, row[1:])) for row in cells.tolist())]))


def timed(seconds: dict[str, float], name: str, owner: Any, attribute: str) -> None:
    """Add up what every call of a function takes."""
    real: Callable[..., Any] = getattr(owner, attribute)

    def called(*given: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return real(*given, **named)
        finally:
            seconds[name] += time.process_time() - start

    setattr(owner, attribute, called)


def main() -> int:
    """Print a line for each figure; return 1 if one misses its target."""
    from analysis.page import report
    from learning.trainer import Trainer
    from marketproof.cli import execute
    from marketproof.running import finish, loop
    from marketproof.running.recorder import Recorder

    seconds: dict[str, float] = defaultdict(float)
    parts = {
        "training": (Trainer, "train"), "tests": (Trainer, "evaluate"), "differences": (Trainer, "differences"),
        "clearing": (loop, "clear_and_settle"), "optimum": (loop, "objectives"), "aggregation": (Trainer, "aggregate"),
        "record": (Recorder, "keep"), "all rounds": (loop, "run_unit"), "audit": (finish, "audit_markets"),
        "report": (report, "write_report"),
    }  # fmt: skip
    for name, (owner, attribute) in parts.items():
        timed(seconds, name, owner, attribute)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "digits.csv"
        table(data)
        status = execute(
            ["run", "--data", str(data), "--owner", "writer", "--target", "digit", "--population", "sampled",
             "--methods", "ipfl/ipfl-exact", "--rounds", str(ROUNDS), "--steps", str(STEPS), "--backend", "rows",
             "--out", str(Path(folder) / "run"), "--quiet"]
        )  # fmt: skip
        if status:
            return 1
    each = ", ".join(f"{name} {spent / ROUNDS:.2f}" for name, spent in list(seconds.items()) if name in list(parts)[:7])
    name = f"run of {CLIENTS:,} clients, a tenth a round"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return told([
        Figure(f"{name}: a round", seconds["all rounds"] / ROUNDS, A_ROUND, "s", False, f"of it {each} s", ""),
        Figure(f"{name}: audit, lies of a sample", seconds["audit"], AUDIT, "s", False, "",
               f"report {seconds['report']:.1f} s"),
        Figure(f"{name}: peak memory", peak, GIBIBYTES, "GiB", False, "whole process", ""),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
