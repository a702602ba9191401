"""Every claim of speed and memory, speed beside a named other side in the same run; exit status 1 if one is missed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "start.py", "clearing.py", "certificates.py", "difference_matrix.py", "methods.py", "memory.py",
    "verification.py",
)  # fmt: skip


def main() -> int:
    """Run the scripts one after another, each in a process of its own; return how many missed a target."""
    folder = Path(__file__).resolve().parent
    return sum(
        subprocess.run([sys.executable, str(folder / script)], check=False).returncode != 0 for script in SCRIPTS
    )


if __name__ == "__main__":
    sys.exit(min(1, main()))
