"""Attackers, free-riders and liars on Fashion-MNIST; poison and effective data on digits: tables the guide points to.

    python docs/studies.py [FOLDER] [NAME…]   # runs are kept in FOLDER (default runs/studies) and gone on with there

Writes docs/results/NAME.md and NAME.json of `marketproof study` at scale reduced (40 steps x 10 rounds).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

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
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/studies"), sys.argv[2:]))
