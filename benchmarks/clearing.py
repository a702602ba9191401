"""Clearing against the plain ways of doing it: speed, size and batches, every figure with its other side in one run.

(a) The reference rule at m = 200 against a plain rendering: one `scipy.optimize.fsolve` per pair, Python loops; and
    against the same with the root finding tuned by hand.
(b) Exact selection with critical-value payments at m = 1000 and 3000, beside the reference rule on the same markets.
(c) A batch of markets of 5 clients against the same markets one at a time.

Each kernel is called once on a small market before the clock starts, so that compilation is not in the figures.
Run as a script; exit status 1 if a target is missed.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from figure import Figure, told
from scipy.optimize import fsolve

from mechanism import Market, MarketMechanism, Types, market_mechanism


def clients(m: int, seed: int = 0) -> Types:
    """Sizes uniform on 500..10000, costs on [.05, .3], K = 5e5."""
    rng = np.random.default_rng(seed)
    return Types(rng.uniform(500, 10_000, m), rng.uniform(0.05, 0.3, m), np.full(m, 5e5))


def differences(m: int, seed: int = 1) -> np.ndarray:
    """Entries uniform on [0, 2], zero diagonal."""
    d = np.random.default_rng(seed).uniform(0.0, 2.0, (m, m))
    np.fill_diagonal(d, 0.0)
    return d


def seconds(work: Callable[[], object], repeat: int = 1) -> float:
    """Return the best of some runs."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def warm() -> None:
    """Compile: one clearing of each mechanism above the size where the compiled kernels are used."""
    types = clients(60)
    for name in ("ipfl", "ipfl-exact"):
        market_mechanism(name).clear(types.truthful(), Market(differences(60), 0.1))


def plain_root(k: float, n: float, price: float) -> float:
    """The threshold as one would first write it."""

    def lacking(x: np.ndarray) -> np.ndarray:
        return np.sqrt(k / (x - n)) - np.sqrt(k / x) - price

    # convex and falling, positive at twice the size: Newton's steps come from the left and stay in the domain
    return float(fsolve(lacking, 2.0 * n)[0])


def tuned_root(k: float, n: float, price: float) -> float:
    """The same with scalar arithmetic and a start near the root (price = n times the slope there)."""

    def lacking(x: np.ndarray, /) -> list[float]:
        total = float(x[0])
        return [math.sqrt(k / (total - n)) - math.sqrt(k / total) - price]

    return float(fsolve(lacking, n + (0.5 * math.sqrt(k) * n / price) ** (2 / 3))[0])


def plain_reference_rule(
    size: list[float], cost: list[float], gain: list[float], root: Callable[[float, float, float], float] = plain_root
) -> tuple[list[list[int]], list[dict[int, float]]]:
    """The paper's graph step and payments without differences, as one would first write them."""
    m = len(size)
    bought: list[list[int]] = []
    paid: list[dict[int, float]] = []
    for i in range(m):
        k, own = gain[i], size[i]
        thresholds = {j: root(k, size[j], cost[j]) for j in range(m) if j != i}
        held, chosen = own, []
        for j in sorted(thresholds, key=lambda j: (-thresholds[j], j)):
            if held + size[j] < thresholds[j]:
                chosen.append(j)
                held += size[j]
            else:
                break
        bought.append(sorted(chosen))
        paid.append({j: math.sqrt(k / (held - size[j])) - math.sqrt(k / held) for j in chosen})
    return bought, paid


def against_plain(m: int = 200) -> list[Figure]:
    """Part (a): same imports and prices, at least 500 times sooner than the plain rendering."""
    types = clients(m)
    mechanism = market_mechanism("ipfl")
    ours = seconds(lambda: mechanism.clear(types.truthful(), Market()), repeat=5)
    outcome = mechanism.clear(types.truthful(), Market())
    plain = (types.size.tolist(), types.cost.tolist(), types.gain.tolist())
    figures = []
    for words, root, target in (("plain", plain_root, 500), ("tuned by hand", tuned_root, 100)):
        start = time.perf_counter()
        bought, paid = plain_reference_rule(*plain, root)
        spent = time.perf_counter() - start
        same = sum(np.flatnonzero(outcome.imports[i]).tolist() == bought[i] for i in range(m))
        off = max(abs(outcome.prices[i, j] - p) for i in range(m) for j, p in paid[i].items() if outcome.imports[i, j])
        other = f"fsolve per pair and Python loops, {words}: {spent:.2f} s ({same} of {m} importers agree"
        name = f"ipfl, m = {m}, against {words}"
        figures.append(
            Figure(
                f"{name}, ratio",
                spent / ours,
                target,
                "x",
                True,
                f"ours {ours * 1e3:.2f} ms",
                f"{other}, prices to {off:.0e})",
            )
        )
        figures.append(Figure(f"{name}, importers that agree", same, m, "", True, "", ""))
    return figures


def large(m: int, limit: float) -> list[Figure]:
    """Part (b): exact selection and Clarke payments at one size, gap 0, beside the reference rule."""
    figures = []
    types = clients(m)
    markets = [("no penalties", Market()), ("random D, lam .1", Market(differences(m), 0.1))]
    exact, reference = market_mechanism("ipfl-exact"), market_mechanism("ipfl")
    for words, market in markets:
        start = time.perf_counter()
        outcome = exact.clear(types.truthful(), market)
        spent = time.perf_counter() - start
        start = time.perf_counter()
        reference.clear(types.truthful(), market)
        other = time.perf_counter() - start
        imports = outcome.imports.sum(axis=1).mean()
        name = f"ipfl-exact, m = {m}, {words}"
        figures.append(
            Figure(name, spent, limit, "s", False, f"{imports:.1f} imports each", f"ipfl, same market: {other:.2f} s")
        )
        figures.append(Figure(f"{name}, largest gap", float(outcome.gap.max()), 0.0, "money", False, "", ""))
    return figures


def peak_memory() -> Figure:
    """Peak memory of this process so far, GiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Figure("peak memory up to m = 3000", peak, 2.0, "GiB", False, "whole process", "")


def batched(count: int = 200_000, alone: int = 1_000, m: int = 5) -> list[Figure]:
    """Part (c): markets a second, in one batch and one call each."""
    rng = np.random.default_rng(3)
    size, cost = rng.uniform(500, 10_000, (count, m)), rng.uniform(0.05, 0.3, (count, m))
    types = Types(size, cost, np.full((count, m), 5e5))
    singles = [Types(size[b], cost[b], types.gain[b]).truthful() for b in range(alone)]
    figures = []
    for name, target in (("ipfl", 500_000), ("ipfl-exact", 100_000)):
        mechanism: MarketMechanism = market_mechanism(name)  # type: ignore[assignment]
        together = count / seconds(lambda mechanism=mechanism: mechanism.clear(types.truthful(), Market()), repeat=3)  # type: ignore[misc]
        start = time.perf_counter()
        for reports in singles:
            mechanism.clear(reports, Market())
        single = alone / (time.perf_counter() - start)
        figures.append(
            Figure(
                f"{name}, batch of {count:,} markets of {m}",
                together,
                target,
                "markets/s",
                True,
                f"{together / single:.0f} times the other side",
                f"one call each: {single:,.0f} markets/s",
            )
        )
    return figures


def main() -> int:
    """Measure everything, print a line each, return 1 if a target is missed."""
    print("clearing: compiled kernels are loaded by a warm call first; compilation is in no figure")
    warm()
    parts = (lambda: large(1000, 5.0), lambda: large(3000, 45.0), lambda: [peak_memory()], batched, against_plain)
    return told(figure for part in parts for figure in part())


if __name__ == "__main__":
    sys.exit(main())
