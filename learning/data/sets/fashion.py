"""Fashion-MNIST from a folder of the user's, from MARKETPROOF_DATA, or from Debian's package."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.data.files.idx import read_images, read_labels
from learning.data.files.images import kept
from learning.data.files.parquet import Shards
from learning.data.files.places import Layout, find, hub

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts the four files."""

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
"""The four files, as Zalando named them."""

HUB = "zalando-datasets/fashion_mnist"
LAYOUTS = (
    Layout("idx", FILES, ("", "fashion-mnist", HUB)),
    Layout("hub", ("fashion_mnist/train-*.parquet", "fashion_mnist/test-*.parquet"), (HUB,)),
)
"""Where it can lie in a data folder. Both are exact."""

_MEAN, _DEVIATION = 0.2860, 0.3530  # of the training pixels, on a scale of 0 to 1


def fashion(data_dir: Path | None = None) -> Dataset:
    """Return Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), normalised to mean 0 and deviation 1 when it is used.

    The folder holds the four IDX files, has a subfolder ``fashion-mnist`` or ``zalando-datasets/fashion_mnist`` that
    does, or a copy of the hub's folder. `DataError` names the command that fetches them if they are nowhere, and the
    file if one is damaged.
    """
    package = "apt-get install dataset-fashion-mnist"
    found = find("Fashion-MNIST", data_dir, LAYOUTS, hub(HUB), (DEBIAN,), package)
    if found.layout == "idx":
        paths = [path for (path,) in found.files]
        train_x, test_x = (read_images(paths[k], 28, 28) for k in (0, 2))
        train_y, test_y = (read_labels(paths[k], 10) for k in (1, 3))
    else:
        (train_x, train_y), (test_x, test_y) = (_hub(f"fashion-{k}", found.files[k]) for k in (0, 1))
    scale, shift = 1.0 / (255.0 * _DEVIATION), -_MEAN / _DEVIATION
    return Dataset("fashion", str(found.folder), train_x, train_y, test_x, test_y, 10, scale, shift)


def _hub(name: str, paths: tuple[Path, ...]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    shards = Shards(paths, "image", ("label",))
    y = shards.labels("label", 10)
    return kept(name, paths, (len(y), 1, 28, 28), lambda: shards.blobs().__getitem__), y


def candidates(data_dir: Path | None = None) -> list[Path]:
    """Return the folders in which the four IDX files are looked for."""
    from learning.data.files.places import roots

    return [root / folder for root in roots(data_dir, (DEBIAN,)) for folder in LAYOUTS[0].folders]
