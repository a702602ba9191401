"""The difference matrix of 200 clients with 44,426 parameters each, against a loop over pairs of clients."""

from __future__ import annotations

import statistics
import sys
import time

import torch
import torch.nn.functional as F
from figure import Figure, told

from learning.backends.backend import one_thread
from learning.differences import geometry

TARGET = 12.0
"""Least accepted ratio of the pairwise loop's seconds to ours."""

CLIENTS, PARAMETERS, REPEATS = 200, 44_426, 3


def pairwise(rows: torch.Tensor, initial: torch.Tensor) -> torch.Tensor:
    """Return 1 - cos(u_i, u_j) [m, m], one pair i < j at a time, with torch's own cosine similarity."""
    updates = rows - initial
    out = torch.zeros(len(rows), len(rows))
    for i in range(len(rows)):
        for j in range(i + 1, len(rows)):
            out[i, j] = out[j, i] = 1 - F.cosine_similarity(updates[i], updates[j], dim=0)
    return out


def main() -> int:
    """Print the figure in one line; return 1 if it misses the target."""
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
    return told(
        [Figure(name, slow / fast, TARGET, "x", True, f"ours {1e3 * fast:.0f} ms", f"{other} {1e3 * slow:.0f} ms")]
    )


if __name__ == "__main__":
    sys.exit(main())
