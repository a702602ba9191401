"""The paper's eleven tasks under all methods: what is trained is taken over, or a unit is trained again and compared.

    python -m docs.performance FOLDER                       # of `study performance --tasks all --seeds 5 --out FOLDER`
    python -m docs.performance --check [TASK METHOD SEED]   # one unit again, chosen at random where none is named

The first writes docs/results/performance.* of what is in FOLDER so far, be the study at work there or not. The second
is for who doubts: on the machine and versions that a unit was trained with every figure must come out again to the last
bit. Elsewhere sums of float32 are added up in another order, and training makes the difference of the last bits larger:
there accuracy must agree within POINTS, money within SHARE. Exit status 1 if not. The data are where MARKETPROOF_DATA
says.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docs.pages import main as pages
from learning.backends.backend import one_thread
from marketproof.running.execution import Place
from marketproof.studies.comparison import as_json, plan_units, size_of, write_comparison
from marketproof.studies.units import figures, machine, played
from mechanism.errors import InputError

RESULTS = Path(__file__).parent / "results"
SCALE, SEEDS = "reduced", 5
POINTS, SHARE = 0.005, 0.05


def take_over(folder: Path) -> int:
    """Write what is trained so far, and the pages that say what follows from it."""
    units = plan_units(["all"], folder, scale=SCALE, seeds=SEEDS)
    told = as_json(units, units.trained(), f"marketproof study performance --tasks all --scale {SCALE} --seeds {SEEDS}")
    write_comparison(told, RESULTS)
    print(f"{len(told['units'])} of {told['planned']} units")
    return pages([])


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
