"""The nine methods on Fashion-MNIST over three seeds: accuracies and utilities that the tests hold later runs against.

    python docs/fashion.py [FOLDER]        # runs are kept in FOLDER (default runs/fashion) and gone on with there

Writes docs/results/fashion.json: per task the settings and the summary of `marketproof run TASK --methods … --seeds 3`
at scale reduced (40 steps x 10 rounds), without the seconds. Utility is per client and round.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from learning.algorithms import ALGORITHMS
from marketproof.commands.run_settings import settings
from marketproof.recorder import CONFIG
from marketproof.running import Place, run

TASKS = ("fashion-niid", "fashion-cluster", "fashion-skew")
METHODS = [*(name for name in ALGORITHMS if name != "ipfl"), "ipfl/ipfl", "ipfl/ipfl-exact"]
SEEDS = 3
OUT = Path(__file__).parent / "results" / "fashion.json"


def main(folder: Path) -> int:
    """Run or go on, and write the results."""
    results = {}
    for task in TASKS:
        options = {"methods": ",".join(METHODS), "scale": "reduced", "seeds": SEEDS}
        out = folder / task
        config, resuming = settings(task, options, out, resume=(out / CONFIG).is_file())
        done = run(config, out, Place(), resume=resuming, quiet=False)
        methods = {
            name: {key: value for key, value in figures.items() if not key.startswith("seconds")}
            for name, figures in done.summary["methods"].items()
        }
        results[task] = {"rounds": config.rounds, "steps": config.steps, "seeds": config.seed_list, "methods": methods}
        print(f"{task}: done")
    OUT.write_text(json.dumps(results, indent=1) + "\n")
    print(f"written: {OUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/fashion")))
