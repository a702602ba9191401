"""The paper's eleven tasks under all methods: what is trained is taken over, or a unit is trained again and compared.

    python -m docs.performance FOLDER                       # of `study performance --tasks all --seeds 5 --out FOLDER`
    python -m docs.performance --check [TASK METHOD SEED]   # one unit again, chosen at random where none is named

The first adds what is in FOLDER so far to docs/results/performance.*, be the study at work there or not; a unit that
was recorded before is that of FOLDER now. The second is for who doubts: on the machine and versions that a unit was
trained with every figure must come out again to the last bit. Elsewhere sums of float32 are added up in another order,
and training makes the difference of the last bits larger: there accuracy must agree within POINTS, money within SHARE.
Exit status 1 if not. The data are where MARKETPROOF_DATA says.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Collection, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from docs.pages import main as pages
from learning.backends.backend import one_thread
from learning.data.holdings import hold
from marketproof.running.execution import Place, plan_of
from marketproof.studies.comparison import as_json, plan_units, size_of, write_comparison
from marketproof.studies.units import Trained, Units, figures, machine, played
from mechanism.errors import InputError

RESULTS = Path(__file__).parent / "results"
SCALE, SEEDS = "reduced", 5
POINTS, SHARE = 0.005, 0.05


def take_over(folder: Path) -> int:
    """Write what is trained so far, and the pages that say what follows from it."""
    units = plan_units(["all"], folder, scale=SCALE, seeds=SEEDS)
    before = json.loads((RESULTS / "performance.json").read_bytes())
    told = as_json(
        units, merged(units, before), f"marketproof study performance --tasks all --scale {SCALE} --seeds {SEEDS}"
    )
    trained = told.pop("units")
    wanted = {(unit["task"], unit["seed"]) for unit in trained}
    told["one_answer"] = one_answer(units, wanted, before.get("one_answer", {}))
    told["units"] = trained
    write_comparison(told, RESULTS)
    print(f"{len(told['units'])} of {told['planned']} units")
    return pages([])


def merged(units: Units, before: Mapping[str, Any]) -> list[Trained]:
    """Return what is in the folder of ``units``; of units that are not, what was recorded ``before`` at this scale."""
    same = {task for task, config in units.configs.items() if before["tasks"].get(task) == size_of(config)}
    known = [
        Trained.model_validate({**unit, "machine": before["machines"][unit["machine"]]})
        for unit in before["units"]
        if unit["task"] in same
    ]
    there = {(done.task, done.method, done.seed): done for done in (*known, *units.trained())}
    return [there[unit] for unit in units if unit in there]


def one_answer(
    units: Units, wanted: Collection[tuple[str, int]], before: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Return by task and seed the accuracy of one answer for each client, its best one, mean of clients.

    As personal accuracy is: by stratum, weighted by own samples. Left out is text, where no sample has one label.
    """
    found: dict[str, dict[str, float]] = {}
    for (task, config), seed in product(units.configs.items(), units.first.seed_list):
        if (task, seed) not in wanted:
            continue
        known = before.get(task, {}).get(str(seed))
        if known is None:
            held = hold(plan_of(config, seed), seed, None)
            data = held.dataset
            if data.test_y.ndim != 1:
                continue
            right = np.zeros((data.strata, data.classes))
            np.add.at(right, (data.test_strata, data.test_y), 1.0)
            shares = held.weights @ (right / np.maximum(right.sum(axis=1, keepdims=True), 1.0))
            known = round(float(shares.max(axis=1).mean()), 12)
        found.setdefault(task, {})[str(seed)] = known
    return found


def check(told: Mapping[str, Any], unit: Mapping[str, Any]) -> bool:
    """Train a recorded unit again, print both, and return whether they agree."""
    task, method, seed = unit["task"], unit["method"], unit["seed"]
    config = plan_units([task], Path(), scale=told["scale"], seeds=1, seed=seed, methods=[method]).configs[task]
    if size_of(config) != told["tasks"][task]:
        raise InputError(f"{task} was trained with {told['tasks'][task]}; this code has {size_of(config)}")
    same = told["machines"][unit["machine"]] == machine()
    print(f"{task}, {method}, seed {seed}, on {'the same' if same else 'another'} machine", flush=True)
    with one_thread():
        again = figures(config, method, seed, played(config, method, seed, Place("rows", "cpu")))
    good = True
    for name, value in again.items():
        before = unit[name]
        most = 0.0 if same else POINTS if name.startswith("accuracy") else SHARE * max(1.0, abs(before))
        good &= abs(value - before) <= most
        print(f"  {name:16} recorded {before!r:24} again {value!r:24} off {abs(value - before):.3g} of {most:.3g}")
    print("agrees" if good else "does NOT agree")
    return good


def main(words: list[str]) -> int:
    """Take results over, or check one."""
    if words[:1] != ["--check"]:
        return take_over(Path(words[0]))
    told = json.loads((RESULTS / "performance.json").read_bytes())
    named = {"task": words[1], "method": words[2], "seed": int(words[3])} if words[1:] else {}
    units = [unit for unit in told["units"] if named.items() <= unit.items()]
    if not units:
        raise InputError(f"no unit {' '.join(words[1:])} is recorded in {RESULTS / 'performance.json'}")
    return 0 if check(told, random.choice(units)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
