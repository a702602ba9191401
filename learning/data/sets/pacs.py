"""PACS, seven kinds of things in four domains: from a copy of the hub's folder, or from a small JPEG copy."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.data.files.archive import WHOLE, Member, labels, read_npz
from learning.data.files.images import kept, npz_images
from learning.data.files.parquet import Shards
from learning.data.files.places import Layout, find, hub
from learning.data.splits import holdout
from learning.errors import DataError

DOMAINS = ("photo", "art_painting", "cartoon", "sketch")
"""The domains in order, as the hub's copy calls them; their numbers are the groups."""

CLASSES = ("dog", "elephant", "giraffe", "guitar", "horse", "house", "person")
"""The classes in order."""

HUB = "flwrlabs/pacs"
LAYOUTS = (
    Layout("hub", ("data/train-*.parquet",), (HUB,)),
    Layout("npz", ("pacs64_jpeg.npz",), ("", "pacs")),
)
"""Where it can lie in a data folder."""

_SIZE, _HUB_SIZE = 64, 227
_MEAN, _DEVIATION = 0.7400, 0.3095  # of the pixels of all channels together, on a scale of 0 to 1


def pacs(data_dir: Path | None = None) -> Dataset:
    """Return PACS (Li and others 2017): 9,991 images [3, 64, 64], 7 classes, ``groups`` the four domains.

    Of each class in each domain four fifths are for training, the same whatever the seed. The cells in which accuracy
    is counted are domain * 7 + class, so that a client with photos is judged on photos. The hub's 227 x 227 pixels are
    scaled down to 64 x 64. `DataError` names the command that fetches the data if they are nowhere, and the file if
    one is damaged.
    """
    found = find("PACS", data_dir, LAYOUTS, hub(HUB))
    read = _hub if found.layout == "hub" else _npz
    x, y, domains = read(found.files[0])
    cells = domains * len(CLASSES) + y
    train, test = holdout(cells, "pacs test set", 0.8)
    scale, shift = 1.0 / (255.0 * _DEVIATION), -_MEAN / _DEVIATION
    return Dataset(
        "pacs",
        str(found.folder),
        x[train],
        y[train],
        x[test],
        y[test],
        len(CLASSES),
        scale,
        shift,
        train_strata=cells[train],
        test_strata=cells[test],
        groups=domains[train],
        owners=dict(enumerate(DOMAINS)),
        strata=len(DOMAINS) * len(CLASSES),
    )


_Parts = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]


def _npz(paths: tuple[Path, ...]) -> _Parts:
    """Return images, labels and domains."""
    (path,) = paths
    arrays = read_npz(path, {"y": Member(WHOLE, (None,)), "domain": Member(WHOLE, (None,))})
    y = labels(arrays["y"], len(CLASSES), "label", path)
    domains = labels(arrays["domain"], len(DOMAINS), "domain", path)
    if len(y) != len(domains):
        raise DataError(f"{path} holds {len(y)} labels and {len(domains)} domains; fetch the file again")
    return kept("pacs", paths, (len(y), 3, _SIZE, _SIZE), lambda: npz_images(path, len(y))), y, domains


def _hub(paths: tuple[Path, ...]) -> _Parts:
    shards = Shards(paths, "image", ("label",), ("domain",))
    y = shards.labels("label", len(CLASSES))
    names = shards.texts("domain")
    strange = sorted(set(names.tolist()) - set(DOMAINS))
    if strange:
        raise DataError(f"{paths[0]} holds domain {strange[0][:40]!r}; expected one of {', '.join(DOMAINS)}")
    domains = np.array([DOMAINS.index(name) for name in names.tolist()], dtype=np.int64)
    shape = (len(y), 3, _SIZE, _SIZE)
    return kept("pacs", paths, shape, lambda: shards.blobs().__getitem__, (_HUB_SIZE,)), y, domains
