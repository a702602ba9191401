"""Who holds what: a plan's data set, divided over its clients, with what each is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.data.load import load
from learning.data.splits.clients import split
from learning.data.splits.testing import thinned
from learning.plan import LearningPlan
from learning.streams import stream


@dataclass(frozen=True, eq=False)
class Holdings:
    """A data set and its division.

    ``members``: each client's training samples; ``sizes`` int64 [m]: how many; ``weights`` float64 [m, strata]: the
    shares of a client's samples in each stratum; ``stratum_sizes`` int64 [strata]: test samples.
    """

    dataset: Dataset
    members: list[NDArray[np.int64]]
    sizes: NDArray[np.int64]
    weights: NDArray[np.float64]
    stratum_sizes: NDArray[np.int64]


def hold(plan: LearningPlan, seed: int, data_dir: Path | None) -> Holdings:
    """Load and divide; `DataError` if the data is missing, damaged or too small for the split."""
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
    return Holdings(dataset, members, sizes, counts / sizes[:, None], tests)
