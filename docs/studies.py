"""Attackers, free-riders and liars on Fashion-MNIST: the tables that the guide points to.

    python docs/studies.py [FOLDER]        # runs are kept in FOLDER (default runs/studies) and gone on with there

Writes docs/results/NAME.md and NAME.json of `marketproof study NAME --scale reduced --seeds 1` (40 steps x 10 rounds).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("robustness", "liars")
OUT = Path(__file__).parent / "results"


def main(folder: Path) -> int:
    """Run or go on with each study, and copy its tables."""
    for name in NAMES:
        command = [sys.executable, "-m", "marketproof", "study", name, "--task", "fashion-niid", "--seeds", "1"]
        subprocess.run([*command, "--out", str(folder / name)], check=True)
        for kind in ("md", "json"):
            shutil.copyfile(folder / name / f"study.{kind}", OUT / f"{name}.{kind}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/studies")))
