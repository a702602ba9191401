"""Accuracy, were more or less counted on of what a client's own model is reckoned to owe to having seen its samples.

    python docs/effective_use.py TASK [SEEDS [SHARES]]    # of the study's tasks or digits; default 100,101 and 0.25,1,2

What clients use moves no money and no training (`learning.mixing.CAUTION`): the rest of a run is the same to the bit.
The mean over seeds of each client's best round, and of the last. The data are where MARKETPROOF_DATA says.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import learning.mixing
from learning.backends.backend import one_thread
from marketproof.running.execution import Place
from marketproof.studies.comparison import plan_units
from marketproof.studies.units import played

METHOD = "ipfl-effective/ipfl-exact"


def main(task: str, seeds: str = "100,101", shares: str = "0.25,1,2") -> None:
    """Print a line for each share."""
    for share in map(float, shares.split(",")):
        learning.mixing.CAUTION = share
        found = []
        for seed in map(int, seeds.split(",")):
            plan = plan_units([task], Path(), scale="reduced", seeds=1, seed=seed, methods=[METHOD])
            with one_thread():
                record = played(plan.configs[task], METHOD, seed, Place("rows", "cpu"))
            found.append((record.accuracy.max(axis=0).mean(), record.accuracy[-1].mean()))
        best, final = 100.0 * np.mean(found, axis=0)
        print(f"{task}, seeds {seeds}, share {share:g}: best {best:.2f}, final {final:.2f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
