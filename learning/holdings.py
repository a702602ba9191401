"""Who holds what: a plan's data set, divided over its clients, with what each is tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.data import load
from learning.data.dataset import Dataset
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


def hold(plan: LearningPlan, seed: int, data_dir: Path | None, holds: bool = False) -> Holdings:
    """Load and divide, with some of each client's samples held out if it ``holds`` any.

    `DataError` if the data is missing, damaged or too small for the split.
    """
    dataset = thinned(load(plan.dataset, data_dir, plan.base_model, plan.length), plan.test)
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
    counts = np.array([np.bincount(dataset.train_strata[i], minlength=dataset.strata) for i in members])
    tests = np.bincount(dataset.test_strata, minlength=dataset.strata)
    members, held = hold_out(members, seed) if holds else (members, [])
    return Holdings(dataset, members, sizes, counts / sizes[:, None], tests, held)


def hold_out(members: Sequence[NDArray[np.int64]], seed: int) -> tuple[list[NDArray[np.int64]], list[int]]:
    """Return each client's samples with a tenth of them, drawn by seed, put last, and how many that is.

    At least one is held out, and at least one is left to train on: of a single sample nothing is held out.
    """
    ordered, held = [], []
    for client, indices in enumerate(members):
        count = min(max(1, len(indices) // 10), len(indices) - 1)
        out = np.zeros(len(indices), dtype=bool)
        out[stream(seed, "held-out", 0, client).permutation(len(indices))[:count]] = True
        ordered.append(np.concatenate([indices[~out], indices[out]]))
        held.append(count)
    return ordered, held
