"""A test set of bounded size: some samples of every stratum, the same in every run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from learning.data.dataset import Dataset
from learning.streams import stream

_SEED = 20250505  # what is tested on is part of the task: it does not change with the seed of a run


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
