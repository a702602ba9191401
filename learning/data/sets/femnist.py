"""FEMNIST, handwritten characters by writer: LEAF's own 5 % sample, or a twentieth of the writers of the hub's copy."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.data.files.archive import WHOLE, Member, labels, read_npz
from learning.data.files.images import kept
from learning.data.files.parquet import Shards
from learning.data.files.places import Layout, find, hub
from learning.data.splits import holdout
from learning.errors import DataError

CLASSES = 62
"""Ten digits, then 26 capital and 26 small letters."""

HUB = "flwrlabs/femnist"
LAYOUTS = (
    Layout("hub", ("data/train-*.parquet",), (HUB,)),
    Layout("npz", ("femnist_leaf.npz",), ("", "femnist")),
)
"""Where it can lie in a data folder."""

_MEAN, _DEVIATION = 0.0388, 0.1656  # of the ink of LEAF's training samples, 0 paper to 1 black
_EVERY = 20  # one writer in so many of the hub's 3,597: LEAF's 5 % of 814,277 images
_MOST_WRITERS = 1_000_000


def femnist(data_dir: Path | None = None) -> Dataset:
    """Return FEMNIST (Caldas and others 2018, LEAF): images [1, 28, 28], 62 classes, ``groups`` the writers.

    LEAF stores paper as 255 and ink as 0. A network sees (ink - mean) / deviation with ink = 1 - pixel / 255, so that
    ink is bright as in MNIST: a negative scale. The test set holds the test samples of all writers that have training
    samples; LEAF's sample has others, with test samples only, which are left out.

    The hub's copy holds all writers and no test set: every twentieth writer in the order of their names is taken, and
    of each writer's samples nine tenths are for training, the same whatever the seed (LEAF's share). Images whose
    paper is dark are inverted. `DataError` names the command that fetches the data if they are nowhere, and the file
    if one is damaged.
    """
    found = find("FEMNIST", data_dir, LAYOUTS, hub(HUB))
    read = _hub if found.layout == "hub" else _npz
    x, y, writers, train, test = read(found.files[0])
    scale, shift = -1.0 / (255.0 * _DEVIATION), (1.0 - _MEAN) / _DEVIATION
    names = {int(writer): f"writer {writer}" for writer in np.unique(writers)}
    return Dataset(
        "femnist", str(found.folder), x[train], y[train], x[test], y[test], CLASSES, scale, shift,
        groups=writers[train], owners=names,
    )  # fmt: skip


_Parts = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[Any], NDArray[Any]]


def _npz(paths: tuple[Path, ...]) -> _Parts:
    """Return images, labels, writers, and which samples are for training and for testing."""
    (path,) = paths
    column = Member(WHOLE, (None,))
    members = {"x": Member(("uint8",), (None, 28, 28)), "y": column, "writer": column, "split": column}
    arrays = read_npz(path, members)
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{n} {name}" for name, n in lengths.items())
        raise DataError(f"{path} holds {said}; expected as many of each; fetch the file again")
    y = labels(arrays["y"], CLASSES, "label", path)
    writers = labels(arrays["writer"], _MOST_WRITERS, "writer", path)
    part = labels(arrays["split"], 2, "split", path)
    train = part == 0
    if not train.any():
        raise DataError(f"{path} holds no training sample (split 0); fetch the file again")
    return arrays["x"][:, None], y, writers, train, (part == 1) & np.isin(writers, writers[train])


def _hub(paths: tuple[Path, ...]) -> _Parts:
    shards = Shards(paths, "image", ("character",), ("writer_id",))
    writers = np.unique(shards.texts("writer_id"), return_inverse=True)[1]
    taken = writers % _EVERY == 0
    y = shards.labels("character", CLASSES)[taken]
    x = kept("femnist", paths, (len(y), 1, 28, 28), lambda: shards.blobs(taken).__getitem__)
    if np.median(x[:1000]) < 128:  # most of an image is paper
        x = 255 - x
    owners = writers[taken].astype(np.int64) // _EVERY
    return x, y, owners, *holdout(owners, "femnist test set", 0.9)
