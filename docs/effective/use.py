"""Accuracy, were more or less counted on of what a client's own model is reckoned to owe to having seen its samples.

    python -m docs.effective.use        # some twenty minutes; FEMNIST's data are where MARKETPROOF_DATA says

What clients use moves no money and no training (`learning.mixing.CAUTION`): the rest of a run is the same to the bit.
Of seeds that no table of accuracy has, the mean of each client's best round, and of the last. "free": nothing costs
anything, and no penalty holds imports back. Printed, and written to docs/results/effective_use.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import learning.mixing
from docs.effective.units import NEW, RESULTS, made, recorded_run
from marketproof.running.config import RunConfig
from marketproof.studies.comparison import plan_units

OUT = RESULTS / "effective_use.json"
USUAL = learning.mixing.CAUTION
SHARES = (USUAL, 1.0, 2.0)
NAMES = ("best", "final", "bought")
ASKED = (
    *(("femnist", (100, 101), share, False) for share in SHARES),
    ("femnist", (100, 101), USUAL, True),
    *((task, tuple(range(100, 108)), share, False) for task in ("digits-cluster", "digits-skew") for share in SHARES),
)
"""Task, seeds, share of the optimism that is counted on, and whether trade is free."""


def found(task: str, seeds: Sequence[int], share: float, free: bool) -> dict[str, Any]:
    """Return best and final accuracy in percent, and how many models a client buys in the last round; means."""
    learning.mixing.CAUTION = share
    each = []
    for seed in seeds:
        config = plan_units([task], Path(), scale="reduced", seeds=1, seed=seed, methods=[NEW]).configs[task]
        if free:
            settings = config.model_dump()
            settings["market"] |= {"lam": 0.0, "cost": 0.0}
            config = RunConfig.model_validate(settings)
        record = recorded_run(config, NEW, seed)
        bought = record.imports[-1].sum(axis=-1).mean()
        each.append((100.0 * record.accuracy.max(axis=0).mean(), 100.0 * record.accuracy[-1].mean(), bought))
    means = {name: round(float(mean), 4) for name, mean in zip(NAMES, np.mean(each, axis=0), strict=True)}
    return {"task": task, "seeds": list(seeds), "share": share, "free": free, **means}


def main() -> int:
    """Run all, print and write."""
    rows = []
    for asked in ASKED:
        rows.append(found(*asked))
        print(json.dumps(rows[-1]), flush=True)
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    OUT.write_text(f'{{"made": {json.dumps(made())}, "rows": [\n{lines}\n]}}\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
