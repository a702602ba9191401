"""A labelled data set in memory, training and test samples apart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.errors import DataError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples as whole numbers 0..255 and labels 0..classes-1; a network sees ``x * scale + shift``.

    ``train_x`` uint8 [N, *shape], ``train_y`` int64 [N], and the same for the test set, which is kept sorted by class
    so that the test samples of a class are one slice. ``source`` says where the data came from.
    """

    name: str
    source: str
    train_x: NDArray[np.uint8]
    train_y: NDArray[np.int64]
    test_x: NDArray[np.uint8]
    test_y: NDArray[np.int64]
    classes: int
    scale: float
    shift: float

    def __post_init__(self) -> None:
        for part, x, y in (("training", self.train_x, self.train_y), ("test", self.test_x, self.test_y)):
            if len(x) != len(y):
                raise DataError(f"{self.name}: {len(x)} {part} samples but {len(y)} labels in {self.source}")
            if len(y) == 0 or int(y.min()) < 0 or int(y.max()) >= self.classes:
                raise DataError(f"{self.name}: {part} labels in {self.source} are not all in 0..{self.classes - 1}")
        missing = sorted(set(range(self.classes)) - set(np.unique(self.test_y).tolist()))
        if missing:
            raise DataError(f"{self.name}: the test set in {self.source} has no sample of class {missing[0]}")
        order = np.argsort(self.test_y, kind="stable")
        object.__setattr__(self, "test_x", np.ascontiguousarray(self.test_x[order]))
        object.__setattr__(self, "test_y", self.test_y[order])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.train_x.shape[1:])

    def digest(self) -> str:
        """Return a fingerprint of every sample and label, to tell whether two runs saw the same data."""
        h = hashlib.blake2b(digest_size=16)
        for array in (self.train_x, self.train_y, self.test_x, self.test_y):
            h.update(str(array.shape).encode())
            h.update(np.ascontiguousarray(array).data)
        return h.hexdigest()


def load(name: str, data_dir: Path | None = None) -> Dataset:
    """Return the data set called ``name``, looked for in ``data_dir`` first where it is not embedded."""
    if name == "digits":
        from learning.data.digits import digits

        return digits()
    if name == "fashion":
        from learning.data.fashion import fashion

        return fashion(data_dir)
    raise DataError(f"there is no data set {name!r}; expected digits or fashion")
