"""How training samples are divided over clients: the paper's NIID, Cluster and Skew splits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learning.errors import DataError

LEAST = 10
"""Every client holds at least this many samples: a split that gives one fewer is drawn again."""

_DRAWS = 10_000
Indices = NDArray[np.int64]


def split(
    name: str, labels: Indices, clients: int, classes: int, rng: np.random.Generator, beta: float = 0.1
) -> list[Indices]:
    """Return the indices of each client's samples: disjoint, ascending, together all of 0..N-1.

    ``labels`` [N] in 0..classes-1; ``name`` one of niid, cluster, skew; ``beta`` is Dirichlet's parameter of niid.
    `DataError` if no draw gives every client `LEAST` samples.
    """
    if name not in _RULES:
        raise DataError(f"there is no split {name!r}; expected one of {', '.join(_RULES)}")
    if clients * LEAST > len(labels):
        raise DataError(f"{len(labels)} samples cannot give {clients} clients {LEAST} each; take fewer clients")
    totals = np.bincount(labels, minlength=classes)
    for _ in range(_DRAWS):
        counts = _RULES[name](totals, clients, rng, beta)
        if counts is not None and counts.sum(1).min() >= LEAST:
            return _assign(labels, counts, rng)
    raise DataError(
        f"{_DRAWS} draws of split {name!r} left some of {clients} clients below {LEAST} samples; "
        "take fewer clients or a larger split_beta"
    )


def _assign(labels: Indices, counts: Indices, rng: np.random.Generator) -> list[Indices]:
    """Give client i ``counts[i, c]`` samples of class c, chosen at random: the columns of counts sum to the totals."""
    shares: list[list[Indices]] = [[] for _ in counts]
    for label in range(counts.shape[1]):
        members = rng.permutation(np.flatnonzero(labels == label))
        for client, part in enumerate(np.split(members, np.cumsum(counts[:-1, label]))):
            shares[client].append(part)
    return [np.sort(np.concatenate(parts)) for parts in shares]


def _divide(total: int, shares: NDArray[np.float64]) -> Indices:
    """Return whole counts that sum to ``total``, cut at the cumulated shares."""
    # rounded, not cut off: a cumulated share of 1 - 1e-16 must not leave one sample for a client whose share is 0
    cuts = np.rint(np.cumsum(shares)[:-1] * total).astype(np.int64)
    return np.diff(np.concatenate([[0], np.minimum(cuts, total), [total]]))


def _niid(totals: Indices, clients: int, rng: np.random.Generator, beta: float) -> Indices | None:
    """Dirichlet(beta) over clients for each class; who already holds N/m samples gets no more of a class."""
    counts = np.zeros((clients, len(totals)), dtype=np.int64)
    for label, total in enumerate(totals):
        shares = rng.dirichlet(np.full(clients, beta)) * (counts.sum(1) < totals.sum() / clients)
        if not shares.sum() > 0:  # every client with room drew a share that rounds to nothing
            return None
        counts[:, label] = _divide(int(total), shares / shares.sum())
    return counts


def _cluster(totals: Indices, clients: int, rng: np.random.Generator, beta: float) -> Indices:
    """Classes over three groups of neighbouring clients by Dirichlet(0.1), inside a group by Dirichlet(10)."""
    if clients < 3:
        raise DataError(f"split 'cluster' has three groups; {clients} clients cannot form them; take at least 3")
    groups = np.array_split(np.arange(clients), 3)
    counts = np.zeros((clients, len(totals)), dtype=np.int64)
    for label, total in enumerate(totals):
        for group, share in zip(groups, _divide(int(total), rng.dirichlet(np.full(3, 0.1))), strict=True):
            counts[group, label] = _divide(int(share), rng.dirichlet(np.full(len(group), 10.0)))
    return counts


def _skew(totals: Indices, clients: int, rng: np.random.Generator, beta: float) -> Indices:
    """Half of the classes, chosen at random, evenly over the first half of the clients; the rest over the others."""
    if clients < 2:
        raise DataError("split 'skew' has two groups; 1 client cannot form them; take at least 2")
    groups = np.array_split(np.arange(clients), 2)
    counts = np.zeros((clients, len(totals)), dtype=np.int64)
    for group, half in zip(groups, np.array_split(rng.permutation(len(totals)), 2), strict=True):
        for label in half:
            counts[group, label] = _divide(int(totals[label]), np.full(len(group), 1.0 / len(group)))
    return counts


_RULES = {"niid": _niid, "cluster": _cluster, "skew": _skew}
