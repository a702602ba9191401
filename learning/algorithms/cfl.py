"""CFL: one model per cluster; a cluster is cut in two when it stands still although its members still want to move."""

from __future__ import annotations

import numpy as np

from learning.algorithms.algorithm import START, Aggregation, Algorithm, Array, Graph, LocalSpec, Uploads, complete
from learning.plan import LearningPlan

EPS_MEAN = 2.0
"""ε1: a cluster whose mean update is shorter stands still."""

EPS_MAX = 2.5
"""ε2: a cluster of which some update is longer has members that disagree."""


def local_spec(plan: LearningPlan, first: bool) -> LocalSpec:
    """Return plain SGD from the cluster's model, without any pull."""
    return LocalSpec(plan.steps)


def clusters_of(memory: Array) -> list[list[int]]:
    """Return the clusters that the last server step left, each in rising order: one of all clients before the first.

    ``memory`` [m, m] is 1 where two clients are in one cluster.
    """
    if not memory.any():
        return [list(range(len(memory)))]
    firsts = np.argmax(memory > 0, axis=1)
    return [np.flatnonzero(firsts == first).tolist() for first in np.unique(firsts)]


def bipartition(cosines: Array) -> tuple[list[int], list[int]]:
    """Return the two halves of a cluster by complete linkage on 1 − cosine of its members' updates [k, k]."""
    from sklearn.cluster import AgglomerativeClustering

    found = AgglomerativeClustering(n_clusters=2, metric="precomputed", linkage="complete").fit(1.0 - cosines)
    side = found.labels_ == found.labels_[0]
    return np.flatnonzero(side).tolist(), np.flatnonzero(~side).tolist()


def must_split(sizes: Array, cosines: Array, norms: Array) -> bool:
    """Say whether ‖Σ n_j Δ_j / Σ n‖ < ε1 and max ‖Δ_j‖ > ε2 among the members of one cluster, of two at least."""
    if len(sizes) < 2:
        return False
    lengths = sizes / sizes.sum() * norms
    mean = np.sqrt(max(0.0, float(lengths @ cosines @ lengths)))
    return bool(mean < EPS_MEAN and norms.max() > EPS_MAX)


def aggregate(uploads: Uploads) -> Aggregation:
    """Return averages weighted by samples inside each cluster, after each that must be cut was cut in two.

    The updates Δ_i are those of this round, counted from the cluster's model. A cluster is cut at most once a round:
    its halves are looked at again after they have trained apart.
    """
    m = len(uploads.sizes)
    same: Graph = np.zeros((m, m), dtype=bool)
    for members in clusters_of(uploads.memory):
        inside = np.ix_(members, members)
        parts = [members]
        if must_split(uploads.sizes[members], uploads.cosines[inside], uploads.norms[members]):
            parts = [[members[k] for k in half] for half in bipartition(uploads.cosines[inside])]
        for part in parts:
            same[np.ix_(part, part)] = True
    weights = same * uploads.sizes[None, :]
    return Aggregation(weights / weights.sum(1, keepdims=True), memory=same.astype(np.float64))


CFL = Algorithm(
    name="cfl",
    citation="Sattler, Müller, Samek, Clustered Federated Learning, IEEE TNNLS 32(8), 2021 (arXiv 1910.01991)",
    summary="one model per cluster of clients; clusters are cut in two where their members' updates disagree",
    deploys="aggregated",
    slots=(START,),
    local_spec=local_spec,
    implied=complete,
    aggregate=aggregate,
    memory=True,
    origin=START,
)
"""Clustered federated learning."""
