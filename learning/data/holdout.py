"""Setting samples aside for testing, the same ones whatever the seed of a run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learning.streams import stream

_SEED = 20250505  # the test set is part of the data set: it does not change with the seed of a run


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
