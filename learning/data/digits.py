"""The embedded default: scikit-learn's handwritten digits, so that a run needs nothing fetched."""

from __future__ import annotations

import numpy as np

from learning.data.dataset import Dataset
from learning.streams import stream

_SPLIT_SEED = 20250505  # the test set is part of the data set: it does not change with the seed of a run


def digits() -> Dataset:
    """Return 1,797 images of 64 pixels from 0 to 16, of each class four fifths for training and a fifth for testing.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, as embedded in scikit-learn.
    """
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x, y = x.astype(np.uint8), y.astype(np.int64)
    train, test = [], []
    for label in range(10):
        members = stream(_SPLIT_SEED, "digits test set", client=label).permutation(np.flatnonzero(y == label))
        cut = round(0.8 * len(members))
        train.append(members[:cut])
        test.append(members[cut:])
    first, second = np.sort(np.concatenate(train)), np.sort(np.concatenate(test))
    return Dataset("digits", "scikit-learn", x[first], y[first], x[second], y[second], 10, 1.0 / 16.0, 0.0)
