"""Fashion-MNIST from a folder of the user's, from MARKETPROOF_DATA, or from Debian's package."""

from __future__ import annotations

import os
from pathlib import Path

from learning.data.dataset import Dataset
from learning.data.idx import read_images, read_labels
from learning.errors import DataError

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts the four files."""

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
"""The four files, as Zalando named them."""

_MEAN, _DEVIATION = 0.2860, 0.3530  # of the training pixels, on a scale of 0 to 1


def candidates(data_dir: Path | None = None) -> list[Path]:
    """Return the folders that are looked into, in order: the given one, MARKETPROOF_DATA, Debian's."""
    roots = [data_dir] if data_dir is not None else []
    if os.environ.get("MARKETPROOF_DATA"):
        roots.append(Path(os.environ["MARKETPROOF_DATA"]))
    inside = [Path(), Path("fashion-mnist"), Path("zalando-datasets", "fashion_mnist")]
    return [Path(root) / sub for root in roots for sub in inside] + [DEBIAN]


def fashion(data_dir: Path | None = None) -> Dataset:
    """Return Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), normalised to mean 0 and deviation 1 when it is used.

    The folder holds the four IDX files, or has a subfolder ``fashion-mnist`` or ``zalando-datasets/fashion_mnist``
    that does. `DataError` names the command that fetches them if they are nowhere, and the file if one is damaged.
    """
    if data_dir is not None and not Path(data_dir).is_dir():
        raise DataError(f"the data folder {data_dir} does not exist; expected a folder holding {FILES[0]} and the rest")
    for folder in candidates(data_dir):
        if all((folder / name).is_file() for name in FILES):
            break
    else:
        raise DataError(
            f"Fashion-MNIST is not on this machine (looked for {FILES[0]} in "
            f"{', '.join(str(folder) for folder in candidates(data_dir))}); fetch it with: "
            "apt-get install dataset-fashion-mnist, or name its folder with --data-dir or MARKETPROOF_DATA"
        )
    train_x, test_x = (read_images(folder / FILES[k], 28, 28) for k in (0, 2))
    train_y, test_y = (read_labels(folder / FILES[k], 10) for k in (1, 3))
    scale, shift = 1.0 / (255.0 * _DEVIATION), -_MEAN / _DEVIATION
    return Dataset("fashion", str(folder), train_x, train_y, test_x, test_y, 10, scale, shift)
