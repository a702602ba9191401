"""CIFAR-10 from a copy of the hub's folder, or from a JPEG copy in two .npz files."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.data.files.archive import WHOLE, Member, labels, read_npz
from learning.data.files.images import kept, npz_images
from learning.data.files.parquet import Shards
from learning.data.files.places import Layout, find, hub

HUB = "uoft-cs/cifar10"
LAYOUTS = (
    Layout("hub", ("plain_text/train-*.parquet", "plain_text/test-*.parquet"), (HUB,)),
    Layout("npz", ("cifar10_train_jpeg.npz", "cifar10_test_jpeg.npz"), ("", "cifar10")),
)
"""Where it can lie in a data folder. The hub's copy is exact (PNG) and comes first."""

_MEAN, _DEVIATION = 0.4734, 0.2516  # of the training pixels of all channels together, on a scale of 0 to 1


def cifar10(data_dir: Path | None = None) -> Dataset:
    """Return CIFAR-10 (Krizhevsky 2009): 50,000 + 10,000 images [3, 32, 32], 10 classes.

    A network sees (pixel / 255 - mean) / deviation with one mean and one deviation for the three channels together;
    theirs are .491 .482 .447 and .247 .244 .262, so that none is off by more than a ninth of a deviation. `DataError`
    names the command that fetches the data if they are nowhere, and the file if one is damaged.
    """
    found = find("CIFAR-10", data_dir, LAYOUTS, hub(HUB))
    read = _hub if found.layout == "hub" else _npz
    (train_x, train_y), (test_x, test_y) = (read(f"cifar10-{k}", found.files[k]) for k in (0, 1))
    scale, shift = 1.0 / (255.0 * _DEVIATION), -_MEAN / _DEVIATION
    return Dataset("cifar10", str(found.folder), train_x, train_y, test_x, test_y, 10, scale, shift)


def _hub(name: str, paths: tuple[Path, ...]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    shards = Shards(paths, "img", ("label",))
    y = shards.labels("label", 10)
    return kept(name, paths, (len(y), 3, 32, 32), lambda: shards.blobs().__getitem__), y


def _npz(name: str, paths: tuple[Path, ...]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    (path,) = paths
    y = labels(read_npz(path, {"y": Member(WHOLE, (None,))})["y"], 10, "label", path)
    return kept(name, paths, (len(y), 3, 32, 32), lambda: npz_images(path, len(y))), y
