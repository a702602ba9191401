"""Attackers, liars, roles and dropout on Fashion-MNIST and digits, poison, recorded markets: tables of the guide.

    python -m docs.studies [FOLDER] [NAME…]   # runs are in FOLDER (default runs/studies), gone on with there

Writes docs/results/NAME.json of `marketproof study` at scale reduced (40 steps x 10 rounds), with what it was made by,
and its page (`docs/pages.py`).
"""

from __future__ import annotations

import json
import resource
import shlex
import subprocess
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from docs.pages import main as pages
from marketproof.studies.findings import BY_SEED
from marketproof.studies.units import commit, machine

FASHION = ("--task", "fashion-niid", "--seeds", "1")
SKEW = ("--task", "digits-skew", "--seeds", "3", "--no-audit")
MARKETS = ",".join((
    *(f"ipfl/{rule}" for rule in ("ipfl", "ipfl-exact", "pooled-price", "realised")),
    *(f"ipfl-effective/{rule}" for rule in ("ipfl-exact", "clock-price", "pooled-price")),
))  # fmt: skip
MARKETS_ON = {"digits": SKEW, "fashion": ("--task", "fashion-niid", "--seeds", "3", "--no-audit")}
"""Tasks on which all markets are studied, by the end of a record's name."""
PRIVATE = ("--steps", "10", "--seeds", "3", "--methods", "local,ipfl/ipfl-exact", "--dp-report", "--no-audit")
USUAL = "runs/studies"
PARTS = ("market-niid", "market-cluster")
"""Studies whose runs another one measures, and which have no page of their own."""
MEASURED = (
    *(f"{run}/benign" for run in ("robustness-digits", *PARTS)),
    *(f"performance/fashion-{split}" for split in ("niid", "cluster", "skew")),
)
"""Runs that study market measures; those on Fashion-MNIST are of `study performance --tasks` (docs/performance.py)."""
STUDIES = {
    "robustness": ("robustness", *FASHION),
    **{
        f"{study}-{data}": (study, *words, "--methods", f"local,{MARKETS}")
        for study, (data, words) in product(("robustness", "inclusive", "dropout"), MARKETS_ON.items())
    },
    "poisoning": ("poisoning", "--task", "digits-niid", "--seeds", "3"),
    "liars": ("liars", *FASHION),
    "liars-digits": ("liars", "--task", "digits-skew", "--seeds", "5", "--no-audit", "--methods", MARKETS),
    "market-niid": ("market", "--task", "digits-niid", "--seeds", "3", "--no-audit"),
    "market-cluster": ("market", "--task", "digits-cluster", "--seeds", "3", "--no-audit"),
    "privacy-niid": ("run", "digits-niid", *PRIVATE),
    "privacy-skew": ("run", "digits-skew", *PRIVATE),
    "market": ("market", "--runs", ",".join(f"{USUAL}/{run}" for run in MEASURED)),
}
"""Words of each study, or of a run at several budgets, by the name of its record."""
OUT = Path(__file__).parent / "results"


def main(folder: Path, names: list[str]) -> int:
    """Run or go on with each study, record it, and make the pages."""
    for name in names or STUDIES:
        words = list(STUDIES[name]) if STUDIES[name][0] == "run" else ["study", *STUDIES[name]]
        here = [word.replace(USUAL, str(folder)) for word in words]
        began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([sys.executable, "-m", "marketproof", *here, "--out", str(folder / name)], check=True)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began
        told = json.loads((folder / name / f"{'privacy' if words[0] == 'run' else 'study'}.json").read_text())
        if name not in PARTS:
            how = made(shlex.join(words), folder / f"{name}.made.json", spent)
            (OUT / f"{name}.json").write_bytes(compact({**told, "made": how}))
    return pages([])


def made(words: str, path: Path, seconds: float) -> dict[str, Any]:
    """Return by which command, code and machine a study was made, and how many minutes of the processor it took.

    With those of earlier calls, which a file keeps.
    """
    before = json.loads(path.read_text()) if path.is_file() else {"seconds": 0.0, "commits": []}
    commits = list(dict.fromkeys([*before["commits"], commit()]))
    path.write_text(json.dumps({"seconds": before["seconds"] + seconds, "commits": commits}))
    place = {"command": f"marketproof {words}", "commit": ", ".join(commits), "machine": machine()}
    return {**place, "minutes": round((before["seconds"] + seconds) / 60, 1)}


def compact(told: Mapping[str, Any]) -> bytes:
    """Return the JSON of a study with one line for each row and seed."""
    rows = {key: told[key] for key in ("rows", BY_SEED)}
    text = json.dumps({**told, **{key: [] for key in rows}}, indent=1, ensure_ascii=False)
    for key, each in rows.items():
        lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in each)
        text = text.replace(f'"{key}": []', f'"{key}": [\n{lines}\n ]')
    return f"{text}\n".encode()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(USUAL), sys.argv[2:]))
