"""Accuracy, were more or less counted on of what a client's own model is reckoned to owe to having seen its samples.

    python docs/effective_use.py TASK [SEEDS [SHARES]] [--free]    # of the study's or digits; default 100,101 0.25,1,2

What clients use moves no money and no training (`learning.mixing.CAUTION`): the rest of a run is the same to the bit.
The mean over seeds of each client's best round, and of the last. ``--free``: nothing costs anything, and no penalty
holds imports back. The data are where MARKETPROOF_DATA says.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import learning.mixing
from learning.backends.backend import one_thread
from marketproof.running.config import RunConfig
from marketproof.running.execution import Place
from marketproof.studies.comparison import plan_units
from marketproof.studies.units import played

METHOD = "ipfl-effective/ipfl-exact"


def main(task: str, seeds: str = "100,101", shares: str = "0.25,1,2", *, free: bool) -> None:
    """Print a line for each share."""
    for share in map(float, shares.split(",")):
        learning.mixing.CAUTION = share
        found = []
        for seed in map(int, seeds.split(",")):
            plan = plan_units([task], Path(), scale="reduced", seeds=1, seed=seed, methods=[METHOD])
            config = plan.configs[task]
            if free:
                settings = config.model_dump()
                settings["market"] |= {"lam": 0.0, "cost": 0.0}
                config = RunConfig.model_validate(settings)
            with one_thread():
                record = played(config, METHOD, seed, Place("rows", "cpu"))
            bought = record.imports[-1].sum(axis=-1).mean()
            found.append((100.0 * record.accuracy.max(axis=0).mean(), 100.0 * record.accuracy[-1].mean(), bought))
        best, final, bought = np.mean(found, axis=0)
        line = f"best {best:.2f}, final {final:.2f}, each buys {bought:.1f} at last"
        print(f"{task}, seeds {seeds}, share {share:g}: {line}", flush=True)


if __name__ == "__main__":
    main(*(word for word in sys.argv[1:] if word != "--free"), free="--free" in sys.argv)
