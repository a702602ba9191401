"""The sellers of a large market, sorted once for all importers."""

from __future__ import annotations

import math

import numpy as np

from mechanism.market.allocation.selection import kernel
from mechanism.market.allocation.sellers import Floats, Ints, Rows, Sellers
from mechanism.market.clients import Reports
from mechanism.market.large.sparse import LargeMarket, SparseMatrix

DEPTHS = (32, 512, 8192)
"""How many may dominate a seller of the shorter streams."""

_BUCKETS = 32
_ROUNDS = 3  # of moving the centres of clusters: more do not pay
_CELLS = 1 << 24  # cosines at once


def sellers_of(reports: Reports, market: LargeMarket) -> Sellers:
    """Return the table of the sellers of one market."""
    size, cost, gain = (np.ascontiguousarray(part) for part in (reports.size, reports.cost, reports.gain))
    m = len(size)
    lam = market.lam if market.vectors is not None or market.pairs is not None else 0.0
    told = lam > 0.0
    vectors = market.vectors if told and market.vectors is not None else np.empty((m, 0))
    vectors.setflags(write=False)  # as those of a market are: one type for the compiler
    ratio = cost / size
    by_ratio = np.lexsort((-size, ratio))
    effective = market.effective
    ahead, held = np.zeros(m, dtype=np.int64), np.zeros(m)  # what who buys one holds besides, at least
    depths = np.empty(0, dtype=np.int64)
    edge = reach = np.empty((0, _BUCKETS))
    centres, radius = np.empty((1, 0)), np.ones(1)
    if effective is not None:
        streams = []
    elif not told:
        rank = np.unique(-size, return_inverse=True)[1]
        kernel("count_ahead", 32 * m)(np.lexsort((-size, cost)), rank, ahead)
        fewer = [depth for depth in DEPTHS if depth < m]
        streams = [*(by_ratio[ahead[by_ratio] < depth] for depth in fewer), by_ratio]
        depths = np.array([*fewer, m + 2])
        held = np.maximum(ahead - 2, 0) * size
        edge, reach = np.stack([_outside(by_ratio[ahead[by_ratio] >= depth], ratio, held) for depth in depths], axis=1)
    elif vectors.shape[1]:
        centres, radius, cluster = clusters(vectors)
        streams = np.split(by_ratio[np.argsort(cluster[by_ratio], kind="stable")], np.cumsum(np.bincount(cluster))[:-1])
    else:
        streams = [by_ratio]
    order = np.concatenate([np.empty(0, dtype=np.int64), *streams])
    return Sellers(
        size, cost, gain, lam, vectors, _rows(market.pairs if told else None), _rows(effective), effective is not None,
        float(size.sum() if effective is None else effective.row_sums().max(initial=0.0)),
        order, np.cumsum([0, *(len(stream) for stream in streams)]), ratio[order],
        _to_the_end(np.maximum, [size[stream] for stream in streams]), centres, radius, ahead, depths,
        _to_the_end(np.minimum, [held[stream] for stream in streams]),
        edge, reach, float(cost.min() if told else cost[cost > 0.0].min(initial=np.inf)),
        np.argsort(-size, kind="stable"),
    )  # fmt: skip


def _rows(matrix: SparseMatrix | None) -> Rows:
    if matrix is None:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0), 0.0
    return matrix.indptr, matrix.columns, matrix.values, float(matrix.rest)


def _to_the_end(best: np.ufunc, streams: list[Floats]) -> Floats:
    """Return the best value from each place of each stream to its end."""
    return np.concatenate([np.empty(0), *(best.accumulate(stream[::-1])[::-1] for stream in streams)])


def _outside(sellers: Ints, ratio: Floats, held: Floats) -> Floats:
    """Return ``edge`` and ``reach`` of `Sellers` for sellers by rising ratio; +inf where there are none."""
    edge, reach = np.full(_BUCKETS, np.inf), np.full(_BUCKETS, np.inf)
    if len(sellers):
        first = np.unique(len(sellers) * np.arange(_BUCKETS) ** 2 // _BUCKETS**2)  # finer where it matters
        edge[: len(first)] = ratio[sellers[first]]
        reach[: len(first)] = np.minimum.reduceat(held[sellers], first)
    return np.stack([edge, reach])


def clusters(vectors: Floats) -> tuple[Floats, Floats, Ints]:
    """Return centres ``[c, k]`` of length 1, the least cosine of a member with each, and the cluster of each vector.

    About the square root of their number of clusters, by spherical k-means from evenly spaced vectors; none is empty.
    What is cleared does not depend on how good they are, only how many differences are worked out.
    """
    m = len(vectors)
    centres = vectors[np.linspace(0, m - 1, max(1, math.isqrt(m))).astype(np.int64)]
    for last in (False,) * _ROUNDS + (True,):
        rows = max(1, _CELLS // len(centres))
        cluster = np.concatenate([(vectors[a : a + rows] @ centres.T).argmax(axis=1) for a in range(0, m, rows)])
        used, cluster = np.unique(cluster, return_inverse=True)
        centres = centres[used]
        if not last:
            sums = np.zeros(centres.shape)
            np.add.at(sums, cluster, vectors)
            length = np.sqrt((sums * sums).sum(axis=1))
            centres = np.where((length > 0.0)[:, None], sums / np.maximum(length, 1e-300)[:, None], centres)
    cosines = np.einsum("ij,ij->i", vectors, centres[cluster])
    radius = np.ones(len(centres))
    np.minimum.at(radius, cluster, cosines)
    return np.ascontiguousarray(centres), radius, cluster
