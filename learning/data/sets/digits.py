"""The embedded default: scikit-learn's handwritten digits, so that a run needs nothing fetched."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from learning.data.dataset import Dataset
from learning.data.splits import holdout
from learning.errors import DataError


def digits(data_dir: Path | None = None) -> Dataset:
    """Return 1,797 images of 64 pixels from 0 to 16, of each class four fifths for training and a fifth for testing.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, as embedded in scikit-learn: its
    file is read where it lies, since importing all of scikit-learn takes a second.
    """
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise DataError("the digits lie in scikit-learn, which is not installed; pip install scikit-learn")
    table = np.loadtxt(Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz", np.uint8, delimiter=",")
    x, y = table[:, :-1], table[:, -1].astype(np.int64)
    first, second = holdout(y, "digits test set", 0.8)
    return Dataset("digits", "scikit-learn", x[first], y[first], x[second], y[second], 10, 1.0 / 16.0, 0.0)
