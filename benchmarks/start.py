"""What a user waits for before anything runs: imports and `--help`; and a drag of a slider of the playground.

Processor seconds, the best of ten; a start in a process of its own. Where there is a Chromium, seconds from a key to
the new words in it as well, as the page itself measures them. Exit status 1 if one is above its target.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import numpy as np
from figure import Figure, told

if TYPE_CHECKING:
    from analysis.playground.state import PlayState

TARGET = 0.3
"""Seconds that a start, or a drag, may take."""

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


def clients(rule: str) -> PlayState:
    """Return 8 clients under a rule, of whom one's report is moved."""
    from analysis.playground.state import Client, PlayState

    rng = np.random.default_rng(1)
    drawn = tuple(
        Client(f"c{k}", 100.0 + 37 * k, float(rng.uniform(0.2, 2)), float(rng.uniform(500, 5000)), 20.0 * k)
        for k in range(8)
    )
    return PlayState(drawn, rule, 0.05, 3, 0.7)


def drag(rule: str) -> float:
    """Return the least processor seconds of what the playground computes when a report of one of 8 clients moves."""
    from analysis.playground import view

    state, best = clients(rule), float("inf")
    for _ in range(REPEATS):
        began = time.process_time()
        view.words(state, view.look(state)), view.curve(state)
        best = min(best, time.process_time() - began)
    return best


WATCH = """() => {
  window.took = [];
  let pressed = null, last = document.getElementById('words').innerText;
  document.addEventListener('keydown', () => { pressed = performance.now(); }, true);
  const look = () => {
    const now = document.getElementById('words')?.innerText ?? last;
    if (now !== last) { last = now; window.took.push((performance.now() - pressed) / 1000); }
    requestAnimationFrame(look);
  };
  look();
}"""
"""Keeps the seconds from each key to other words."""


def seen_drag(rule: str, chromium: str) -> float:
    """Return the least seconds from a key on the playground's slider to the new words, in a browser."""
    from playwright.sync_api import sync_playwright

    from analysis.playground.state import to_query

    command = [sys.executable, "-m", "marketproof", "play", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served, sync_playwright() as playwright:
        assert served.stdout is not None
        address = served.stdout.readline().split()[1]
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.goto(f"{address.split('?')[0]}?{urlencode(to_query(clients(rule)))}")
        page.wait_for_selector("#words")
        page.get_by_role("slider").last.focus()
        page.evaluate(WATCH)
        for k in range(REPEATS):
            page.keyboard.press("ArrowRight")
            page.wait_for_function("k => window.took.length > k", arg=k)
        best = min(page.evaluate("window.took"))
        browser.close()
        served.terminate()
    return float(best)


def main() -> int:
    """Print a line each; return 1 if a target is missed."""
    timed = {
        "import mechanism": start("-c", "import mechanism"),
        "marketproof --help": start("-m", "marketproof", "--help"),
        "a drag, ipfl": drag("ipfl"),
        "a drag, ipfl-exact": drag("ipfl-exact"),
    }
    if chromium := shutil.which("chromium"):
        timed["a drag in the browser, ipfl-exact"] = seen_drag("ipfl-exact", chromium)
    return told(Figure(name, seconds, TARGET, "s") for name, seconds in timed.items())


if __name__ == "__main__":
    sys.exit(main())
