"""What a user waits for before anything runs: imports and `--help`.

Processor seconds of a process of its own, the best of ten; exit status 1 if one is above its target.
"""

from __future__ import annotations

import os
import subprocess
import sys

TARGET = 0.3
"""Processor seconds that a start may take."""

REPEATS = 10


def start(*arguments: str) -> float:
    """Return the least processor seconds of Python with these arguments."""
    best = float("inf")
    for _ in range(REPEATS):
        began = os.times()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        spent = os.times()
        best = min(best, sum(spent[2:4]) - sum(began[2:4]))
    return best


def main() -> int:
    """Print a line each; return how many targets are missed."""
    missed = 0
    for name, arguments in (("import mechanism", ("-c", "import mechanism")),
                            ("marketproof --help", ("-m", "marketproof", "--help"))):  # fmt: skip
        seconds = start(*arguments)
        missed += seconds > TARGET
        print(f"{name}: {seconds:.2f} s (at most {TARGET:g}){'' if seconds <= TARGET else '   MISSED'}")
    return missed


if __name__ == "__main__":
    sys.exit(min(1, main()))
