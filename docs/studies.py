"""Attackers, free-riders and liars on Fashion-MNIST; poison and effective data on digits: tables the guide points to.

    python docs/studies.py [FOLDER] [NAME…]   # runs are kept in FOLDER (default runs/studies) and gone on with there

Writes docs/results/NAME.md and NAME.json of `marketproof study` at scale reduced (40 steps x 10 rounds),
and backdoor.json.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from analysis.run.files import unit_key
from learning.adversaries import triggered
from learning.algorithms import method_named
from learning.data import load
from learning.models.build import network
from marketproof.running.config import load_run
from marketproof.running.loop import participants_of

FASHION = ("--task", "fashion-niid", "--seeds", "1")
EFFECTIVE = ",".join(f"ipfl-effective/{rule}" for rule in ("pooled-price", "clock-price", "ipfl-exact"))
STUDIES = {
    "robustness": ("robustness", *FASHION),
    "poisoning": ("poisoning", "--task", "digits-niid", "--seeds", "3"),
    "liars": ("liars", *FASHION),
    "liars-effective": ("liars", "--task", "digits-skew", "--seeds", "3", "--methods", EFFECTIVE),
}
OUT = Path(__file__).parent / "results"


def main(folder: Path, names: list[str]) -> int:
    """Run or go on with each study, and copy its tables."""
    for name in names or STUDIES:
        command = [sys.executable, "-m", "marketproof", "study", *STUDIES[name], "--out", str(folder / name)]
        subprocess.run(command, check=True)
        shutil.copyfile(folder / name / "study.json", OUT / f"{name}.json")
        told = (folder / name / "study.md").read_text()
        told = re.sub(r"\n*^!\[.*\.png\)$", "", told, flags=re.MULTILINE)  # the pictures stay in the folder
        (OUT / f"{name}.md").write_text(told)
        if name == "poisoning":
            (OUT / "backdoor.json").write_text(json.dumps(fooled(folder / name), indent=1) + "\n")
    return 0


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
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/studies"), sys.argv[2:]))
