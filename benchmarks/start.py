"""What a user waits for before anything runs: imports and `--help`; and a drag of a slider of the playground.

Processor seconds, the best of ten; a start in a process of its own. Exit status 1 if one is above its target.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
from figure import Figure, told

TARGET = 0.3
"""Processor seconds that a start, or a drag, may take."""

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


def drag(rule: str) -> float:
    """Return the least processor seconds of what the playground computes when a report of one of 8 clients moves."""
    from analysis.playground import view
    from analysis.playground.state import Client, PlayState

    rng = np.random.default_rng(1)
    clients = tuple(
        Client(f"c{k}", 100.0 + 37 * k, float(rng.uniform(0.2, 2)), float(rng.uniform(500, 5000)), 20.0 * k)
        for k in range(8)
    )
    state, best = PlayState(clients, rule, 0.05, 3, 0.7), float("inf")
    for _ in range(REPEATS):
        began = time.process_time()
        view.words(state, view.look(state)), view.curve(state)
        best = min(best, time.process_time() - began)
    return best


def main() -> int:
    """Print a line each; return 1 if a target is missed."""
    timed = {
        "import mechanism": start("-c", "import mechanism"),
        "marketproof --help": start("-m", "marketproof", "--help"),
        "a drag, ipfl": drag("ipfl"),
        "a drag, ipfl-exact": drag("ipfl-exact"),
    }
    return told(Figure(name, seconds, TARGET, "s") for name, seconds in timed.items())


if __name__ == "__main__":
    sys.exit(main())
