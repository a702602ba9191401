"""Every method on every task at scale smoke: all of it must train, trade and keep its books.

Each task is one run of all methods (`ipfl` cleared by `ipfl-exact`). Asked of every method: finite losses and
accuracies, books that balance; of `local` a test loss that falls from the first round to the last, averaged over
clients; of `ipfl-exact` no negative utility. Data sets come from ``MARKETPROOF_DATA`` (docs/guide/tasks.md);
a task whose data is not on this machine is named as missing, and the exit status is 1.

    python benchmarks/smoke.py [TASK ...]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from learning.algorithms import ALGORITHMS
from learning.errors import DataError
from marketproof.commands.run import settings
from marketproof.running.config import task_names
from marketproof.running.execution import Place, run

MINUTES = 25
"""Longest accepted time of all tasks together, on 2 cores."""


def check(task: str, folder: Path, device: str = "auto", methods: Sequence[str] = ()) -> list[str]:
    """Run a task with these methods, all if none is named; return what is wrong with the outcome, one line each."""
    config, _ = settings(task, {"methods": ",".join(methods or ALGORITHMS), "scale": "smoke"}, None, resume=False)
    done = run(config, folder, Place(device=device), resume=False, quiet=True)
    rounds = pl.read_parquet(folder / "rounds.parquet")
    ledger = pl.read_parquet(folder / "ledger.parquet")
    wrong = []
    for name in config.methods:
        rows = rounds.filter(pl.col("method") == name)
        numbers = rows.select("accuracy", "loss", "gain", "cost", "paid", "received", "utility").to_numpy()
        if not np.isfinite(numbers).all():
            wrong.append(f"{name}: a number is not finite")
        money = ledger.filter(pl.col("method") == name)["payment"].sum()
        paid, received = rows["paid"].sum(), rows["received"].sum()
        if max(abs(paid - received), abs(paid - money)) > 1e-6 * max(1.0, abs(paid)):
            wrong.append(f"{name}: {paid} paid, {received} received, {money} in the ledger")
        if name == "ipfl" and done.audit.methods[name].lowest_utility["client"] < -1e-9:
            wrong.append(f"{name}: a client loses under ipfl-exact")
    losses = rounds.filter(pl.col("method") == "local").group_by("round").agg(pl.col("loss").mean()).sort("round")
    first, last = losses["loss"][0], losses["loss"][-1]
    if not last < first:
        wrong.append(f"local: the mean test loss goes from {first:.4f} to {last:.4f}")
    return wrong


def main(names: list[str]) -> int:
    """Run the tasks named, all if none is; print a line for each; return 1 if anything is wrong."""
    begin, status = time.perf_counter(), 0
    with tempfile.TemporaryDirectory() as root:
        for task in names or task_names():
            start = time.perf_counter()
            try:
                wrong = check(task, Path(root) / task)
            except DataError as error:
                wrong = [f"missing: {error}"]
            seconds = time.perf_counter() - start
            print(f"{task}: {len(ALGORITHMS)} methods in {seconds:.0f} s: {'; '.join(wrong) or 'ok'}", flush=True)
            status |= bool(wrong)
    minutes = (time.perf_counter() - begin) / 60
    late = minutes > MINUTES
    print(f"smoke: {minutes:.1f} minutes (target <= {MINUTES} on 2 cores): {'MISSED' if late or status else 'ok'}")
    return int(status or late)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
