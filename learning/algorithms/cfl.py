"""CFL: one model per cluster; a cluster is cut in two when it stands still although its members still want to move.

Every client carries the history of its cluster: the rounds in which it was cut, and which half the client was in. Who
is away keeps its history, so a cut is never undone: two clients that a cut has parted are never averaged again.
"""

import numpy as np

from learning.algorithms.algorithm import START, Aggregation, Algorithm, Floats, Uploads

EPS_MEAN = 2.0
"""ε1: a cluster whose mean update is shorter stands still."""

EPS_MAX = 2.5
"""ε2: a cluster of which some update is longer has members that disagree."""

History = tuple[float, ...]
"""The cuts that a client's cluster went through, the first one first: +r for one half of the cut of round r, −r for the
other; empty before the first cut, and for a client that comes for the first time."""


def histories(memory: Floats) -> list[History]:
    """Return each client's history: its row of ``memory`` [k, m] up to the first 0.

    A row always has room: of each cut in it, the other half still holds a client, and each time another one.
    """
    return [tuple(row[: np.argmin(np.append(row, 0.0) != 0)].tolist()) for row in memory]


def outdated(own: list[History]) -> list[int]:
    """Return whose cluster was cut while they were away (or before they came) where somebody of a part is there."""
    return [
        place
        for place, history in enumerate(own)
        if any(len(other) > len(history) and other[: len(history)] == history for other in own)
    ]


def _cosine(uploads: Uploads, client: int, members: list[int]) -> float:
    """Return the cosine of a client's update and the mean update of a cluster that it is not in; 0 if one is 0."""
    lengths = uploads.sizes[members] * uploads.norms[members]
    mean = np.sqrt(max(0.0, float(lengths @ uploads.cosines[np.ix_(members, members)] @ lengths)))
    if mean <= 0.0 or uploads.norms[client] <= 0.0:
        return 0.0
    return float(uploads.cosines[client, members] @ lengths) / mean


def bipartition(cosines: Floats) -> tuple[list[int], list[int]]:
    """Return the two halves of a cluster by complete linkage on 1 − cosine of its members' updates [k, k]."""
    from sklearn.cluster import AgglomerativeClustering

    found = AgglomerativeClustering(n_clusters=2, metric="precomputed", linkage="complete").fit(1.0 - cosines)
    side = found.labels_ == found.labels_[0]
    return np.flatnonzero(side).tolist(), np.flatnonzero(~side).tolist()


def must_split(sizes: Floats, cosines: Floats, norms: Floats) -> bool:
    """Say whether ‖Σ n_j Δ_j / Σ n‖ < ε1 and max ‖Δ_j‖ > ε2 among the members of one cluster, of two at least."""
    if len(sizes) < 2:
        return False
    lengths = sizes / sizes.sum() * norms
    mean = np.sqrt(max(0.0, float(lengths @ cosines @ lengths)))
    return bool(mean < EPS_MEAN and norms.max() > EPS_MAX)


def parted(uploads: Uploads) -> dict[History, list[int]]:
    """Return the clusters of those who are there by their histories, after each that must be cut was cut in two.

    Clients with one history are one cluster. If it was cut while some of them were away, these come back when all cuts
    of the round are made: each joins, of the parts that somebody is in, the one whose mean update Σ n_j Δ_j / Σ n has
    the largest cosine with its own update; so does who comes for the first time, of all clusters. An update or a mean
    of length 0 has cosine 0 with everything. Of equal cosines the part with most members counts, then the one with the
    lowest client.
    """
    own = histories(uploads.memory)
    late = outdated(own)
    settled: dict[History, list[int]] = {}
    for i, history in enumerate(own):
        if i not in late:
            settled.setdefault(history, []).append(i)
    parts: dict[History, list[int]] = {}
    for history, members in settled.items():
        cosines = uploads.cosines[np.ix_(members, members)]
        if must_split(uploads.sizes[members], cosines, uploads.norms[members]):
            one, other = ([members[k] for k in half] for half in bipartition(cosines))
            parts |= {(*history, uploads.round_index): one, (*history, -uploads.round_index): other}
        else:
            parts[history] = members
    joined = {history: list(members) for history, members in parts.items()}
    for i in late:
        open_to = [history for history in parts if history[: len(own[i])] == own[i]]
        best = max(open_to, key=lambda part: (_cosine(uploads, i, parts[part]), len(parts[part]), -min(parts[part])))
        joined[best].append(i)
    return joined


def aggregate(uploads: Uploads) -> Aggregation:
    """Return averages weighted by samples inside each cluster, after each that must be cut was cut in two.

    The updates Δ_i are those of this round, counted from the model from which the client started it. A cluster is cut
    at most once a round: its halves are looked at again after they have trained apart. Who joins a part counts in its
    average, and in its cuts from the next round on, when it too has started from the cluster's model.
    """
    m = len(uploads.sizes)
    weights, memory = np.zeros((m, m)), np.zeros_like(uploads.memory)
    for history, members in parted(uploads).items():
        weights[np.ix_(members, members)] = uploads.sizes[members]
        memory[members, : len(history)] = history
    return Aggregation(weights / weights.sum(1, keepdims=True), memory=memory)


CFL = Algorithm(
    name="cfl",
    citation="Sattler, Müller, Samek, Clustered Federated Learning, IEEE TNNLS 32(8), 2021 (arXiv 1910.01991)",
    summary="one model per cluster of clients; clusters are cut in two where their members' updates disagree",
    deploys="trained",
    slots=(START,),
    aggregate=aggregate,
    memory=True,
    own_memory=True,
    origin=START,
)
"""Clustered federated learning."""
