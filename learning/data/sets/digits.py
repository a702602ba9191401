"""The embedded default: scikit-learn's handwritten digits, so that a run needs nothing fetched."""

from pathlib import Path

import numpy as np

from learning.data.dataset import Dataset
from learning.data.splits import holdout


def digits(data_dir: Path | None = None) -> Dataset:
    """Return 1,797 images of 64 pixels from 0 to 16, of each class four fifths for training and a fifth for testing.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, as embedded in scikit-learn.
    """
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x, y = x.astype(np.uint8), y.astype(np.int64)
    first, second = holdout(y, "digits test set", 0.8)
    return Dataset("digits", "scikit-learn", x[first], y[first], x[second], y[second], 10, 1.0 / 16.0, 0.0)
