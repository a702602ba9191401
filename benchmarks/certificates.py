"""What a certificate of a clearing costs: clearing alone, with its certificate, and the check.

``python benchmarks/certificates.py`` prints for m = 10, 200 and 1,000 clients, two kinds of market each (prices apart
for everybody; penalties besides), the least seconds of a few tries, and what was proved. "certified" is clearing and
making the certificate; "check" is the whole of `marketproof check` on the file, but for starting Python. Exit status 1
if certifying makes a clearing more than three times as long, or the check at m = 200 takes more than a second.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from figure import Figure, told

from mechanism import Market, Reports, market_mechanism
from mechanism.market.allocation.certificate_file import certified, check_file
from mechanism.market.allocation.certifying import certify
from mechanism.market.allocation.purchases import Purchases

Result = TypeVar("Result")


def timed(run: Callable[[], Result], tries: int) -> tuple[float, Result]:
    """Return the least seconds of some tries, and what came out."""
    least, found = float("inf"), run()  # the first loads and compiles
    for _ in range(tries):
        started = time.perf_counter()
        found = run()
        least = min(least, time.perf_counter() - started)
    return least, found


def measure(m: int, lam: float, tries: int) -> list[Figure]:
    """Return what certifying costs beside clearing, and at m = 200 what checking takes."""
    rng = np.random.default_rng(m)
    d = rng.uniform(0, 1, (m, m))
    np.fill_diagonal(d, 0)
    reports = Reports(rng.integers(50, 500, m).astype(float), rng.uniform(0, 2, m), rng.uniform(1e2, 2e4, m))
    market, rule = Market(d if lam else None, lam), market_mechanism("ipfl-exact")
    clear, outcome = timed(lambda: rule.clear(reports, market), tries)
    purchases = Purchases.of(reports, market)
    proof, _ = timed(lambda: certify(purchases, outcome.imports, critical=True), tries)
    told, _ = certified([str(k) for k in range(m)], reports, market, outcome, rule.id, rule.payment)
    text = json.dumps(told)
    check, found = timed(lambda: check_file(json.loads(text), "it"), 1)
    ratio = (clear + proof) / clear
    proved = f"{found.optimal} of {m} optimal, {found.imports} imports, gap <= {found.gap.max():.1e}"
    name, sizes = f"certificate, m = {m}, lambda {lam:g}", f"check {check:.3f} s, {len(text) / 2**20:.2f} MiB"
    alone, both = f"clearing alone {clear:.4f} s", f"with certificate {clear + proof:.4f} s"
    figures = [
        Figure(f"{name}, times clearing alone", ratio, 3.0, "x", False, f"{both}, {proved}, {sizes}", alone),
        Figure(f"{name}, proved", float(found.proved), 1.0, "", True),
    ]
    return figures + ([Figure(f"{name}, check", check, 1.0, "s")] if m == 200 else [])


def main() -> int:
    """Print a line for each figure; return the exit status."""
    sizes = ((10, 200), (200, 20), (1000, 3))
    return told(figure for m, tries in sizes for lam in (0.0, 1.0) for figure in measure(m, lam, tries))


if __name__ == "__main__":
    sys.exit(main())
