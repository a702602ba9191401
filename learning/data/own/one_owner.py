"""The data of one owner of a federation, read as was agreed on: nothing of them is looked at to say how."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.data import OwnTable
from learning.data.agreed import Agreed
from learning.data.dataset import Dataset
from learning.data.own.arrays import from_code, from_npz
from learning.data.own.folders import classed, kind_of
from learning.data.own.samples import TRAINED, Samples
from learning.data.own.tables import agreed_rows
from learning.data.sets.own import own_kind
from learning.data.splits import holdout
from learning.errors import DataError
from mechanism.errors import one_line, shown


def one_owner(file: str, agreed: Agreed) -> Dataset:
    """Return a table, an .npz file, a folder CLASS/ of images or texts, or what ``FILE.py:NAME`` returns as a data set.

    A fifth of each class is tested on, but for arrays that bring x_test and y_test. `DataError` in one line if it is
    none of these, or of classes or columns that were not agreed on.
    """
    samples = _read(file, agreed)
    y = _numbered(samples, agreed.classes)
    if samples.tested is None:
        train, test = holdout(y, "own test set", TRAINED)
    else:
        train, test = np.flatnonzero(~samples.tested), np.flatnonzero(samples.tested)
    lone = np.setdiff1d(y[train], y[test])
    if len(lone):
        told = "one sample only" if samples.tested is None else "no sample to be tested on"
        raise DataError(
            f"{one_line(file)}: class {shown(agreed.classes[lone[0]])} has {told}; add one, or leave the class out"
        )
    x = samples.features(train)
    return Dataset(
        "own", file, x[train], y[train], x[test], y[test], len(agreed.classes), samples.scale, 0.0
    )  # fmt: skip


def _read(file: str, agreed: Agreed) -> Samples:
    table = OwnTable(file, target=agreed.target, by_rule=True, size=agreed.size)
    if Path(file).is_dir():
        kind = kind_of(Path(file), alone=True)
        if kind in ("tables", "speech"):
            raise DataError(
                f"{one_line(file)} has files in the place of folders; expected CLASS/ with images or texts (the next "
                "character of texts without classes is not federated)"
            )
        if kind == "images" and not agreed.channels:
            raise DataError(f"{one_line(file)} holds images, and the task does not say of how many channels, 1 or 3")
        return classed(table, kind, alone=True, channels=agreed.channels)
    kind = own_kind(file)
    if kind in ("npz", "code"):
        return (from_npz if kind == "npz" else from_code)(table)
    if not agreed.columns:
        raise DataError(f"{one_line(file)} is a table, and the task does not say what its columns are")
    return agreed_rows(Path(file), agreed)


def _numbered(samples: Samples, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the classes [N] by number; numbers may be written otherwise than they were agreed on (1, 1.0)."""
    number = {name: k for k, name in enumerate(classes)} | {_plain(name): k for k, name in enumerate(classes)}
    found = [number.get(text, number.get(_plain(text), -1)) for text in samples.targets.tolist()]
    if -1 in found:
        k = found.index(-1)
        raise DataError(
            f"{samples.place(k)}: {shown(str(samples.targets[k]))} is none of the classes agreed on: "
            f"{', '.join(map(shown, classes[:10]))}"
        )
    return np.array(found, dtype=np.int64)


def _plain(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
