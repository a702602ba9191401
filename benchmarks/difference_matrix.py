"""The difference matrix of models with 44,426 parameters: of 200 clients against a loop over pairs of them.

And of 10,000 clients, whose models lie in a memory map, against the plain product of the normalised updates in memory;
both sides on two cores, seconds of the processor, and both held to float64 on 200 of the clients.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from figure import Figure, told

from learning.backends.backend import one_thread
from learning.differences import geometry

TARGET = 12.0
"""Least accepted ratio of the pairwise loop's seconds to ours."""

CLIENTS, PARAMETERS, REPEATS = 200, 44_426, 3
MANY, CORES = 10_000, 2


def pairwise(rows: torch.Tensor, initial: torch.Tensor) -> torch.Tensor:
    """Return 1 - cos(u_i, u_j) [m, m], one pair i < j at a time, with torch's own cosine similarity."""
    updates = rows - initial
    out = torch.zeros(len(rows), len(rows))
    for i in range(len(rows)):
        for j in range(i + 1, len(rows)):
            out[i, j] = out[j, i] = 1 - F.cosine_similarity(updates[i], updates[j], dim=0)
    return out


def against_product(m: int = MANY) -> list[Figure]:
    """Return what m clients' matrix takes, tile by tile out of a memory map, and what the plain product takes."""
    generator = torch.Generator().manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        made = np.lib.format.open_memmap(path, "w+", np.float32, (m, PARAMETERS))
        initial = torch.randn(PARAMETERS, generator=generator) * 0.05
        for start in range(0, m, 1000):
            made[start : start + 1000] = (
                initial + torch.randn(min(1000, m - start), PARAMETERS, generator=generator) * 0.02
            )
        del made
        rows = torch.from_numpy(np.load(path, mmap_mode="c"))
        with one_thread():
            begin, clock = time.process_time(), time.perf_counter()
            ours = geometry(rows, initial, workers=CORES).cosines
            fast, waited = time.process_time() - begin, time.perf_counter() - clock
        torch.set_num_threads(CORES)
        held = rows.clone()
        begin, clock = time.process_time(), time.perf_counter()
        held -= initial
        held /= held.norm(dim=1, keepdim=True)
        theirs = held @ held.T
        slow, their = time.process_time() - begin, time.perf_counter() - clock
        some = np.sort(np.random.default_rng(0).choice(m, min(m, 200), replace=False))
        units = rows[some].double() - initial.double()
        units /= units.norm(dim=1, keepdim=True)
        exact = (units @ units.T).numpy()
    off = np.abs(ours[np.ix_(some, some)] - exact).max()
    plain = np.abs(theirs[some][:, some].numpy() - exact).max()
    name = f"difference matrix, m = {m:,}, P = {PARAMETERS:,}, out of a memory map"
    return [
        Figure(
            f"{name}, ratio", slow / fast, 1.0, "x", True,
            f"ours {fast:.0f} s of the processor, {waited:.0f} on the clock of {CORES} cores",
            f"plain float32 product in memory {slow:.0f} and {their:.0f} s",
        ),
        Figure(f"{name}, largest error of a cosine", off, 1e-6, "", False, "", f"plain float32 product {plain:.0e}"),
    ]  # fmt: skip


def main() -> int:
    """Print a line for each figure; return 1 if one misses its target."""
    generator = torch.Generator().manual_seed(0)
    initial = torch.randn(PARAMETERS, generator=generator) * 0.05
    rows = initial + torch.randn(CLIENTS, PARAMETERS, generator=generator) * 0.02
    ours, theirs = [], []
    for number in range(REPEATS + 1):
        with one_thread():  # both sides: on a busy machine two threads slow the loop down tenfold
            begin = time.perf_counter()
            mine = geometry(rows, initial).differences
            middle = time.perf_counter()
            reference = pairwise(rows, initial)
            end = time.perf_counter()
        if number:
            ours.append(middle - begin)
            theirs.append(end - middle)
    if not torch.allclose(torch.from_numpy(mine).float(), reference, atol=1e-5):
        raise RuntimeError("the two sides disagree")
    fast, slow = statistics.median(ours), statistics.median(theirs)
    name, other = (
        f"difference matrix, m = {CLIENTS}, P = {PARAMETERS}, ratio",
        "pairwise loop of torch cosine_similarity",
    )
    figure = Figure(name, slow / fast, TARGET, "x", True, f"ours {1e3 * fast:.0f} ms", f"{other} {1e3 * slow:.0f} ms")
    return told([figure]) | told(against_product())


if __name__ == "__main__":
    sys.exit(main())
