"""Who holds which samples of a run, by its plan: what is loaded, divided, held out and poisoned."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.adversaries import poisoned
from learning.data import load
from learning.data.dataset import Dataset
from learning.data.division import division
from learning.data.splits import split, thinned
from learning.plan import LearningPlan
from learning.streams import stream


@dataclass(frozen=True, eq=False)
class Holdings:
    """A data set and its division.

    ``members``: each client's samples, of which the last ``held`` (empty: none) are held out of training; ``sizes``
    int64 [m]: how many; ``weights`` float64 [m, strata]: the shares of a client's samples in each stratum;
    ``stratum_sizes`` int64 [strata]: test samples.
    """

    dataset: Dataset
    members: list[NDArray[np.int64]]
    sizes: NDArray[np.int64]
    weights: NDArray[np.float64]
    stratum_sizes: NDArray[np.int64]
    held: list[int] = field(default_factory=list)


def hold(plan: LearningPlan, seed: int, data_dir: Path | None, share: float = 0.0, most: int = 10**9) -> Holdings:
    """Load and divide, with a ``share`` of each client's samples held out, at most ``most``; none if it is 0.

    `DataError` if the data is missing, damaged or too small for the split.
    """
    dataset = thinned(load(plan.dataset, data_dir, plan.base_model, plan.length, plan.own), plan.test)
    if plan.split_file:
        dataset = division(plan.split_file).applied(dataset, plan.split_file)
    labelled = dataset.train_y.ndim == 1
    members = split(
        plan.split,
        dataset.train_y if labelled else dataset.train_strata,
        plan.clients,
        dataset.classes if labelled else dataset.strata,
        stream(seed, "split"),
        plan.split_beta,
        groups=dataset.groups,
        shares=plan.shares,
    )
    sizes = np.array([len(indices) for indices in members], dtype=np.int64)
    members, held = hold_out(members, seed, share, most) if share else (members, [])
    dataset = poisoned(dataset, members, plan.conduct)
    counts = np.array([np.bincount(dataset.train_strata[i], minlength=dataset.strata) for i in members])
    tests = np.bincount(dataset.test_strata, minlength=dataset.strata)
    return Holdings(dataset, members, sizes, counts / sizes[:, None], tests, held)


def hold_out(
    members: Sequence[NDArray[np.int64]], seed: int, share: float = 0.1, most: int = 10**9
) -> tuple[list[NDArray[np.int64]], list[int]]:
    """Return each client's samples with a ``share`` of them, at most ``most``, put last, and how many; drawn by seed.

    At least one is held out, and at least one is left to train on: of a single sample nothing is held out.
    """
    ordered, held = [], []
    for client, indices in enumerate(members):
        count = min(max(1, int(len(indices) * share)), most, len(indices) - 1)
        out = np.zeros(len(indices), dtype=bool)
        out[stream(seed, "held-out", 0, client).permutation(len(indices))[:count]] = True
        ordered.append(np.concatenate([indices[~out], indices[out]]))
        held.append(count)
    return ordered, held
