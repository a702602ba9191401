"""What is tested on: samples set aside, or some of a large test set; the same ones whatever the seed of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.streams import stream

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
