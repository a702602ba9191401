"""The nine methods on Fashion-MNIST over several seeds: the figures that the tests hold later runs against.

    python docs/fashion.py [FOLDER]        # runs are kept in FOLDER (default runs/fashion) and gone on with there

Writes docs/results/fashion.json: per task the settings and the summary of `marketproof run TASK --methods … --seeds N`
at scale reduced (40 steps x 10 rounds), without the seconds, and the same of each seed. Utility is per client and
round.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from analysis.run.ledger import unit_figures
from analysis.run.records import read_market
from marketproof.commands.run import settings
from marketproof.running.execution import Place, run
from marketproof.running.methods import parse
from marketproof.running.recorder import CONFIG, Unit
from marketproof.studies.performance import ALL_METHODS

TASKS = ("fashion-niid", "fashion-cluster", "fashion-skew")
SEEDS = 3
OUT = Path(__file__).parent / "results" / "fashion.json"


def without_seconds(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the figures that do not depend on the machine's speed."""
    return {key: value for key, value in figures.items() if not key.startswith("seconds")}


def market_of(folder: Path, unit: Unit) -> Path:
    """Return the file of a unit's recorded markets."""
    return folder / "markets" / f"{unit.key}.safetensors"


def main(folder: Path) -> int:
    """Run or go on, and write the results."""
    results = {}
    for task in TASKS:
        options = {"methods": ",".join(ALL_METHODS), "scale": "reduced", "seeds": SEEDS}
        out = folder / task
        config, resuming = settings(task, options, out, resume=(out / CONFIG).is_file())
        done = run(config, out, Place(), resume=resuming, quiet=False)
        methods = {name: without_seconds(figures) for name, figures in done.summary.methods.items()}
        by_seed = {
            method.name: {
                seed: without_seconds(unit_figures(read_market(market_of(out, Unit(method, seed)))))
                for seed in config.seed_list
            }
            for method in parse(config.methods, config.mechanism)
        }
        results[task] = {
            "rounds": config.rounds, "steps": config.steps, "seeds": config.seed_list,
            "methods": methods, "by_seed": by_seed,
        }  # fmt: skip
        print(f"{task}: done")
    OUT.write_text(json.dumps(results, indent=1) + "\n")
    print(f"written: {OUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/fashion")))
