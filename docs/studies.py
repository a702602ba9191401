"""Attackers, liars, roles and dropout on Fashion-MNIST and digits, poison, recorded markets: tables of the guide.

    python -m docs.studies [FOLDER] [NAME…]   # runs are in FOLDER (default runs/studies), gone on with there

Writes docs/results/NAME.json of `marketproof study` at scale reduced (40 steps x 10 rounds), with what it was made by,
its page (`docs/pages.py`), and backdoor.json.
"""

from __future__ import annotations

import json
import resource
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from analysis.run.files import unit_key
from docs.pages import main as pages
from learning.adversaries import triggered
from learning.algorithms import method_named
from learning.data import load
from learning.models.build import network
from marketproof.running.config import load_run
from marketproof.running.loop import participants_of
from marketproof.studies.findings import BY_SEED
from marketproof.studies.units import commit, machine

FASHION = ("--task", "fashion-niid", "--seeds", "1")
SKEW = ("--task", "digits-skew", "--seeds", "3", "--no-audit")
MARKETS = ",".join((
    *(f"ipfl/{rule}" for rule in ("ipfl", "ipfl-exact", "pooled-price", "realised")),
    *(f"ipfl-effective/{rule}" for rule in ("ipfl-exact", "clock-price", "pooled-price")),
))  # fmt: skip
PRIVATE = ("--seeds", "3", "--methods", "local,ipfl/ipfl-exact", "--dp-report", "--no-audit")
USUAL = "runs/studies"
PARTS = ("market-niid", "market-cluster")
"""Studies whose runs another one measures, and which have no page of their own."""
STUDIES = {
    "robustness": ("robustness", *FASHION),
    "robustness-digits": ("robustness", *SKEW, "--methods", f"local,{MARKETS}"),
    "poisoning": ("poisoning", "--task", "digits-niid", "--seeds", "3"),
    "inclusive-digits": ("inclusive", *SKEW, "--methods", f"local,{MARKETS}"),
    "dropout-digits": ("dropout", *SKEW, "--methods", f"local,{MARKETS}"),
    "liars": ("liars", *FASHION),
    "liars-digits": ("liars", *SKEW, "--methods", MARKETS),
    "market-niid": ("market", "--task", "digits-niid", "--seeds", "3", "--no-audit"),
    "market-cluster": ("market", "--task", "digits-cluster", "--seeds", "3", "--no-audit"),
    "privacy-niid": ("run", "digits-niid", *PRIVATE),
    "privacy-skew": ("run", "digits-skew", *PRIVATE),
    "market": ("market", "--runs", ",".join(f"{USUAL}/{run}/benign" for run in ("robustness-digits", *PARTS))),
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
        if name == "poisoning":
            (OUT / "backdoor.json").write_text(json.dumps(fooled(folder / name), indent=1) + "\n")
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


def fooled(study: Path) -> dict[str, dict[str, float]]:
    """Return by method and population the share of test digits other than 0 that a trigger makes 0.

    The mean over the honest clients of the run with the backdoor, of the models that they use after the last round,
    and over seeds; of the same clients where all are honest, too.
    """
    runs = {name: load_run(study / name / "config.toml") for name in ("benign", "attackers-backdoor")}
    data = load("digits")
    x = torch.from_numpy(triggered(data.test_x[data.test_y > 0], data)).float() * data.scale
    net = network("mlp", data.shape, data.classes)
    shares: dict[str, dict[str, float]] = {}
    for method in runs["benign"].methods:
        slot = method_named(method.partition("/")[0]).deployed
        for name, run in runs.items():
            each = []
            for seed in run.seed_list:
                models = load_file(study / name / "models" / f"{unit_key(method, seed)}.safetensors")
                rows = models[f"slot/{slot}" if slot else "rows"]
                honest = np.array(participants_of(runs["attackers-backdoor"], seed).roles) == "honest"
                made = [net.forward(net.layout.views(row), x).argmax(1) == 0 for row in rows[honest]]
                each.append(float(torch.stack(made).double().mean()))
            shares.setdefault(method, {})[name] = round(float(np.mean(each)), 4)
    return shares


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(USUAL), sys.argv[2:]))
