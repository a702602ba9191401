"""A million clients: how the time of clearing grows, what penalties cost, and what plain renderings take.

(a) Growth: `ipfl-exact` with prices, and `ipfl`, from 10^4 to 10^6 clients without penalties, and the exponent of the
    straight line through the logarithms. Seconds are those of the processor, of all cores together.
(b) Penalties from 16-dimensional vectors: in clusters at 10^5 clients, uniform on the sphere at 10^4; with the share of
    all differences that were worked out.
(c) `marketproof clear` of 10^5 clients from Parquet to Parquet, in a process of its own.
(d) Against the paper's rule in plain Python at m = 200, and against relax and round in numpy and scipy at m = 2,000.
(e) Two Dask workers on this machine against this process, where Dask is installed.

`--figure FILE` draws (a), `--json FILE` keeps all figures. Kernels are compiled before any clock starts.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from clearing import clients, plain_reference_rule
from figure import Figure
from numpy.typing import NDArray
from scipy.optimize import brentq

from mechanism import Types
from mechanism.market.large.clearing import LargeClearing, clear_large
from mechanism.market.large.sparse import LargeMarket
from mechanism.market.mechanisms import market_mechanism

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
EXPONENT, GIBIBYTES = 1.2, 8.0
LIMITS = {100_000: 40.0, 1_000_000: 600.0}
"""Most seconds of the processor: twice those on the clock of two cores, 20 s and 5 minutes."""

CLUSTERED_LIMIT, UNIFORM_LIMIT = 600.0, 600.0
DIMENSIONS, SPREAD = 16, 0.1


def processor(work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds of the processor (all threads) and of the clock that some work takes."""
    clock, spent = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - spent, time.perf_counter() - clock


def cleared(types: Types, market: LargeMarket, rule: str) -> tuple[int, float, int]:
    """Clear block by block, keeping nothing; return imports, the largest gap, and differences worked out."""
    imports, gap, computed = 0, 0.0, 0
    for block in LargeClearing(types.truthful(), market, market_mechanism(rule)).blocks():  # type: ignore[arg-type]
        imports += len(block.sellers)
        gap = max(gap, float(block.gap.max(initial=0.0)))
        computed += block.computed
    return imports, gap, computed


def vectors(m: int, clusters: int, seed: int = 2) -> NDArray[np.float64]:
    """Return vectors [m, 16]: around so many random directions, or uniform on the sphere where there are none."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(m, DIMENSIONS))
    if not clusters:
        return noise
    centres = rng.normal(size=(clusters, DIMENSIONS))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return centres[rng.integers(clusters, size=m)] + SPREAD * noise / math.sqrt(DIMENSIONS)


def warm() -> None:
    """Compile: one clearing of each kind."""
    for market in (LargeMarket(), LargeMarket(0.1, vectors=vectors(3_000, 10))):
        for rule in ("ipfl-exact", "ipfl"):
            cleared(clients(3_000), market, rule)


def growth(sizes: tuple[int, ...], drawn: Path | None) -> Iterator[Figure]:
    """Part (a)."""
    taken: dict[str, list[float]] = {}
    for rule in ("ipfl-exact", "ipfl"):
        taken[rule] = []
        for m in sizes:
            types, found = clients(m), (0, 0.0, 0)

            def work(types: Types = types, rule: str = rule) -> None:
                nonlocal found
                found = cleared(types, LargeMarket(), rule)

            spent, clock = processor(work)
            taken[rule].append(spent)
            if m in LIMITS:
                told = f"{clock:.1f} s on the clock, {found[0] / m:.1f} imports each"
                yield Figure(f"{rule}, m = {m:,}", spent, LIMITS[m], "s", False, told, "")
                if rule == "ipfl-exact":
                    yield Figure(f"{rule}, m = {m:,}, largest gap", found[1], 0.0, "money", False, "", "")
        slope = float(np.polyfit(np.log(sizes), np.log(taken[rule]), 1)[0])
        each = ", ".join(f"{m:,}: {spent:.2g} s" for m, spent in zip(sizes, taken[rule], strict=True))
        yield Figure(f"{rule}, exponent of growth, {sizes[0]:,} to {sizes[-1]:,}", slope, EXPONENT, "", False, each, "")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    yield Figure(f"peak memory up to m = {sizes[-1]:,}", peak, GIBIBYTES, "GiB", False, "whole process", "")
    if drawn is not None:
        draw(sizes, taken, drawn)


def draw(sizes: tuple[int, ...], taken: dict[str, list[float]], path: Path) -> None:
    """Draw seconds of the processor over clients, with lines of slope 1 and 2 to compare with."""
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(6, 3.6), layout="constrained")
    axes = drawing.subplots()
    for (rule, spent), marker in zip(taken.items(), "os", strict=True):
        slope = np.polyfit(np.log(sizes), np.log(spent), 1)[0]
        axes.loglog(sizes, spent, marker=marker, label=f"{rule}: grows as $m^{{{slope:.2f}}}$")
    first = taken["ipfl-exact"][0]
    ends = np.array([sizes[0], sizes[-1]], dtype=float)
    axes.loglog(ends, first * ends / ends[0], "k:", linewidth=1, label="$m$")
    axes.loglog(ends, first * (ends / ends[0]) ** 2, "k--", linewidth=1, label="$m^2$, as with matrices")
    axes.set(xlabel="clients m", ylabel="seconds of the processor")
    axes.legend(frameon=False)
    drawing.savefig(path, dpi=150)


def penalised(m_clustered: int, m_uniform: int) -> Iterator[Figure]:
    """Part (b)."""
    for words, m, groups, limit in (
        (f"in {m_clustered // 1000} clusters", m_clustered, m_clustered // 1000, CLUSTERED_LIMIT),
        ("uniform", m_uniform, 0, UNIFORM_LIMIT),
    ):
        types, market, found = clients(m), LargeMarket(0.1, vectors=vectors(m, groups)), (0, 0.0, 0)

        def work(types: Types = types, market: LargeMarket = market) -> None:
            nonlocal found
            found = cleared(types, market, "ipfl-exact")

        spent, clock = processor(work)
        share = found[2] / (m * (m - 1))
        told = f"{clock:.1f} s on the clock; {share:.2%} of all differences worked out"
        name = f"ipfl-exact, m = {m:,}, lam .1, vectors {words}"
        yield Figure(name, spent, limit, "s", False, told, "")
        yield Figure(f"{name}, largest gap", found[1], 0.0, "money", False, "", "")


def from_file_to_file(m: int) -> Iterator[Figure]:
    """Part (c)."""
    import polars as pl

    types = clients(m)
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "clients.parquet", Path(folder) / "out"
        columns = {"size": types.size, "cost": types.cost, "gain": types.gain}
        pl.DataFrame({"client": [f"c{k}" for k in range(m)], **columns}).write_parquet(source)
        command = [sys.executable, "-m", "marketproof", "clear", str(source), "--out", str(out), "--quiet"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run(command, check=True)
        clock = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        rows = pl.scan_parquet(out / "payments.parquet").select(pl.len()).collect().item()
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = f"{clock:.1f} s on the clock, {rows:,} payments, at most {after.ru_maxrss / 2**20:.2f} GiB; audit included"
    yield Figure(f"marketproof clear, m = {m:,}, Parquet to Parquet", spent, 3 * LIMITS[100_000], "s", False, told, "")


def relax_and_round(types: Types, importers: int) -> tuple[list[NDArray[np.int64]], list[dict[int, float]]]:
    """Return for some importers what they buy and pay, as one would first write it with numpy and scipy.

    The relaxed problem, any share of a model for that share of its price, is solved by the order of price per sample
    and one root; then the model that is bought in part is left out or taken whole, whichever is better. A price is what
    the others lose by the seller's absence, and its cost.
    """
    order = np.argsort(types.cost / types.size, kind="stable")

    def best(i: int, without: int) -> tuple[float, NDArray[np.int64]]:
        sellers = order[(order != i) & (order != without)]
        held = types.size[i] + np.concatenate([[0.0], np.cumsum(types.size[sellers])])
        rate = types.cost[sellers] / types.size[sellers]

        def lacking(total: float) -> float:
            k = min(int(np.searchsorted(held, total, side="right")) - 1, len(rate) - 1)
            return float(0.5 * math.sqrt(types.gain[i]) * total**-1.5 - rate[k])

        whole = 0
        if lacking(held[0]) > 0.0:
            end = held[-1]
            root = end if lacking(end) >= 0.0 else brentq(lacking, held[0], end)
            whole = int(np.searchsorted(held, root, side="right")) - 1
        spent = np.concatenate([[0.0], np.cumsum(types.cost[sellers])])
        worth = [
            (math.sqrt(types.gain[i] / held[0]) - math.sqrt(types.gain[i] / held[k]) - spent[k], k)
            for k in {whole, min(whole + 1, len(sellers))}
        ]
        value, taken = max(worth)
        return value, sellers[:taken]

    bought, paid = [], []
    for i in range(importers):
        value, taken = best(i, -1)
        bought.append(taken)
        paid.append({int(j): types.cost[j] + value - best(i, int(j))[0] for j in taken})
    return bought, paid


def against_plain(m: int = 200, larger: int = 2_000) -> Iterator[Figure]:
    """Part (d)."""
    types = clients(m)
    ours = min(processor(lambda: clear_large(types.truthful(), LargeMarket(), "ipfl"))[1] for _ in range(5))
    start = time.perf_counter()
    bought, _ = plain_reference_rule(types.size.tolist(), types.cost.tolist(), types.gain.tolist())
    spent = time.perf_counter() - start
    found = clear_large(types.truthful(), LargeMarket(), "ipfl")
    same = sum(found.sellers[found.indptr[i] : found.indptr[i + 1]].tolist() == bought[i] for i in range(m))
    other = f"fsolve per pair and Python loops, {spent:.2f} s ({same} of {m} importers agree)"
    yield Figure(f"ipfl in rows, m = {m}, ratio", spent / ours, 100, "x", True, f"ours {1e3 * ours:.2f} ms", other)
    types = clients(larger)
    market = LargeMarket()
    ours = min(processor(lambda: clear_large(types.truthful(), market, "ipfl-exact"))[1] for _ in range(3))
    start = time.perf_counter()
    bought_relaxed, _ = relax_and_round(types, larger)
    spent = time.perf_counter() - start
    exact = clear_large(types.truthful(), market, "ipfl-exact")
    lost, same = [], 0
    for i, taken in enumerate(bought_relaxed):
        best = exact.sellers[exact.indptr[i] : exact.indptr[i + 1]]
        values = [
            math.sqrt(types.gain[i] / types.size[i])
            - math.sqrt(types.gain[i] / (types.size[i] + types.size[chosen].sum()))
            - types.cost[chosen].sum()
            for chosen in (best, taken)
        ]
        lost.append(max(0.0, values[0] - values[1]) / max(values[0], 1e-12))
        same += sorted(taken.tolist()) == best.tolist()
    other = (
        f"relax and round in numpy and scipy {spent:.1f} s, {same} of {larger} importers get the best set, "
        f"{np.mean(lost):.2%} of the objective is lost on average, {max(lost):.1%} at most"
    )
    name = f"ipfl-exact, m = {larger:,}, with prices, ratio"
    yield Figure(name, spent / ours, 10, "x", True, f"ours {1e3 * ours:.0f} ms", other)


def on_two_workers(m: int) -> Iterator[Figure]:
    """Part (e)."""
    from marketproof.large.blocks import BlockWork, cleared_here, cleared_on_cluster

    types = clients(m)
    spans = [(first, min(first + 10_000, m)) for first in range(0, m, 10_000)]
    work = BlockWork.of(types, LargeMarket(), market_mechanism("ipfl-exact"))  # type: ignore[arg-type]
    start = time.perf_counter()
    one = sum(len(block.outcome.sellers) for block in cleared_here(work, spans))
    here = time.perf_counter() - start
    start = time.perf_counter()
    two = sum(len(block.outcome.sellers) for block in cleared_on_cluster(work, spans, "local:2"))
    there = time.perf_counter() - start
    if one != two:
        raise RuntimeError("the workers cleared something else")
    other = f"this process {here:.1f} s"
    yield Figure(f"two Dask workers, m = {m:,}, ratio", here / there, 0.3, "x", True, f"{there:.1f} s", other)


def main() -> int:
    """Print a line for each figure; return 1 if one misses its target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="largest number of clients")
    given = parser.parse_args()
    sizes = tuple(m for m in SIZES if m <= given.most)
    warm()
    parts = [growth(sizes, given.figure), penalised(min(100_000, given.most), 10_000),
             from_file_to_file(min(100_000, given.most)), against_plain()]  # fmt: skip
    if importlib.util.find_spec("distributed") is not None:
        parts.append(on_two_workers(min(300_000, given.most)))
    figures = []
    for part in parts:
        for figure in part:
            print(figure.line(), flush=True)
            figures.append(figure)
    if given.json is not None:
        told = [{**vars(figure), "met": figure.met} for figure in figures]
        given.json.write_text(json.dumps(told, indent=2) + "\n")
    return int(not all(figure.met for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
