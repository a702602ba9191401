"""How samples are divided: over clients (the paper's NIID, Cluster and Skew, and by group), and into training and test.

What is tested on is the same whatever the seed of a run.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from learning.data import GROUPED
from learning.data.dataset import Dataset
from learning.errors import DataError
from learning.streams import stream

LEAST = 10
"""Every client holds at least this many samples: a split that gives one fewer is drawn again, or refused."""

_DRAWS = 10_000
Indices = NDArray[np.int64]
Share = tuple[int, int, int]
"""Of split mixed: a group, how many clients have samples of it, how many samples each has."""


def split(
    name: str,
    labels: Indices,
    clients: int,
    classes: int,
    rng: np.random.Generator,
    beta: float = 0.1,
    groups: Indices | None = None,
    shares: Sequence[Share] = (),
) -> list[Indices]:
    """Return the indices of each client's samples: disjoint, ascending, at least `LEAST` each.

    By class (niid, cluster, skew): ``labels`` [N] in 0..classes-1; ``beta`` is Dirichlet's parameter of niid. Every
    sample goes to a client.

    By group (natural, domain, mixed): ``groups`` [N] says whose a sample is by nature; samples with -1 are left out.

    - natural: each client is one group, drawn at random among those with `LEAST` samples or more, in ascending order;
      samples of other groups are left out.
    - domain: the clients divided evenly over all groups in order (12 over 4: 0-2 have the first), and the samples of a
      group evenly over its clients, at random.
    - owners: client k is group k, of whatever size.
    - mixed: for each of ``shares`` (group, clients, samples each), in order, so many clients with exactly so many
      samples of the group, drawn at random; the rest is left out.

    `DataError` if there are too few samples, groups or clients, or if no draw gives every client `LEAST` samples.
    """
    if name not in (*_RULES, *GROUPED):
        raise DataError(f"there is no split {name!r}; expected one of {', '.join((*_RULES, *GROUPED))}")
    if name != "owners" and clients * LEAST > len(labels):
        raise DataError(f"{len(labels)} samples cannot give {clients} clients {LEAST} each; take fewer clients")
    if name in GROUPED:
        if groups is None:
            raise DataError(
                f"split {name!r} needs samples that belong to groups; take data set femnist, pacs, shakespeare, "
                f"finance, cofinance or own, or split {', '.join(_RULES)}"
            )
        if name == "owners":
            return _owners(groups, clients)
        if name == "mixed":
            return _mixed(groups, clients, rng, shares)
        return (_natural if name == "natural" else _domain)(groups, clients, rng)
    if labels.ndim != 1:
        raise DataError(f"split {name!r} divides classes, and a text has none; take split {', '.join(GROUPED)}")
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


def _natural(groups: Indices, clients: int, rng: np.random.Generator) -> list[Indices]:
    """Each client is one group of at least `LEAST` samples."""
    owners, counts = np.unique(groups[groups >= 0], return_counts=True)
    able = owners[counts >= LEAST]
    if clients > len(able):
        raise DataError(
            f"split 'natural' has {len(able)} groups of {LEAST} samples or more for {clients} clients; "
            f"take at most {len(able)} clients"
        )
    return [np.flatnonzero(groups == owner) for owner in np.sort(rng.choice(able, clients, replace=False))]


def _owners(groups: Indices, clients: int) -> list[Indices]:
    """Each client is one group, however small."""
    having = int(groups.max()) + 1
    if clients != having:
        raise DataError(f"split 'owners' has {having} owners for {clients} clients; take {having} clients")
    return [np.flatnonzero(groups == owner) for owner in range(having)]


def _domain(groups: Indices, clients: int, rng: np.random.Generator) -> list[Indices]:
    """Clients evenly over groups, samples of a group evenly over its clients."""
    owners = np.unique(groups[groups >= 0])
    if clients < len(owners) or not len(owners):
        raise DataError(
            f"split 'domain' divides {clients} clients over {len(owners)} groups; take at least one client for each"
        )
    members: list[Indices] = []
    for owner, having in zip(owners, np.array_split(np.arange(clients), len(owners)), strict=True):
        own = rng.permutation(np.flatnonzero(groups == owner))
        if len(own) < LEAST * len(having):
            raise DataError(
                f"group {owner} has {len(own)} samples for {len(having)} clients; expected {LEAST} each; "
                "take fewer clients"
            )
        members += [np.sort(part) for part in np.array_split(own, len(having))]
    return members


def _mixed(groups: Indices, clients: int, rng: np.random.Generator, shares: Sequence[Share]) -> list[Indices]:
    """So many clients of so many samples each from each group."""
    if sum(having for _, having, _ in shares) != clients:
        parts = " + ".join(str(having) for _, having, _ in shares) or "no shares"
        raise DataError(f"split 'mixed' has {parts} clients; expected {clients}; make the shares fit the clients")
    members: list[Indices] = []
    left: dict[int, Indices] = {}  # of a group that is named more than once
    for owner, having, each in shares:
        if having < 1 or each < LEAST:
            raise DataError(
                f"split 'mixed' gives {having} clients {each} samples of group {owner}; expected at least 1 client "
                f"and {LEAST} samples each"
            )
        own = left[owner] if owner in left else rng.permutation(np.flatnonzero(groups == owner))
        if owner < 0 or len(own) < having * each:
            raise DataError(
                f"group {owner} has {len(own)} samples left; split 'mixed' needs {having} x {each}; "
                "take fewer clients or samples"
            )
        members += [np.sort(part) for part in own[: having * each].reshape(having, each)]
        left[owner] = own[having * each :]
    return members


_SEED = 20250505  # what is tested on is part of the task: it does not change with the seed of a run


def holdout(cells: NDArray[np.int64], purpose: str, share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ascending indices of training and of test samples: of each cell ``share`` for training, at random.

    ``cells`` [N] int64, at least 0. A cell of at least two samples has one in both parts.
    """
    train, test = [], []
    for cell in np.unique(cells).tolist():
        members = stream(_SEED, purpose, client=cell).permutation(np.flatnonzero(cells == cell))
        cut = min(max(round(share * len(members)), 1), max(len(members) - 1, 1))
        train.append(members[:cut])
        test.append(members[cut:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(test))


def thinned(dataset: Dataset, most: int) -> Dataset:
    """Return the data set with at most about ``most`` test samples (0: all), the same share of every stratum.

    At least one sample of each stratum stays, so that every stratum can still be tested.
    """
    total = len(dataset.test_strata)
    if not most or total <= most:
        return dataset
    kept = []
    for cell in np.unique(dataset.test_strata).tolist():
        members = np.flatnonzero(dataset.test_strata == cell)
        count = max(1, round(most * len(members) / total))
        kept.append(np.sort(stream(_SEED, "thinned test set", client=cell).permutation(members)[:count]))
    index = np.concatenate(kept)
    return replace(
        dataset,
        test_x=dataset.test_x[index],
        test_y=dataset.test_y[index],
        test_strata=dataset.test_strata[index],
    )
