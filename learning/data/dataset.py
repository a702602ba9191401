"""A labelled data set in memory, training and test samples apart."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.errors import DataError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples and labels; a network sees ``x * scale + shift`` of images, and tokens as they are.

    ``train_x`` uint8 or int64 [N, *shape], ``train_y`` int64 [N] in 0..classes-1, or [N, L] targets of a language model
    (-100: not counted), and the same for the test set. ``train_strata``, ``test_strata`` int64 [N] are the cells in
    which a client's accuracy is counted, 0..strata-1: the labels unless given. The test set is kept sorted by cell, so
    that the test samples of one are one slice. ``groups`` int64 [N] says whose each training sample is by nature
    (writer, role, domain, source; -1: nobody's), where the data knows, ``owners`` what these are called. ``source``
    says where the data came from.
    """

    name: str
    source: str
    train_x: NDArray[Any]
    train_y: NDArray[np.int64]
    test_x: NDArray[Any]
    test_y: NDArray[np.int64]
    classes: int
    scale: float
    shift: float
    train_strata: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    test_strata: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    groups: NDArray[np.int64] | None = None
    strata: int = 0
    owners: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.strata:
            for name, value in (
                ("strata", self.classes), ("train_strata", self.train_y), ("test_strata", self.test_y)
            ):  # fmt: skip
                object.__setattr__(self, name, value)
        for part, x, y, cells in (
            ("training", self.train_x, self.train_y, self.train_strata),
            ("test", self.test_x, self.test_y, self.test_strata),
        ):
            if len(x) != len(y) or len(x) != len(cells):
                raise DataError(f"{self.name}: {len(x)} {part} samples but {len(y)} labels in {self.source}")
            if len(y) == 0:
                raise DataError(f"{self.name}: {self.source} holds no {part} samples; fetch the data again")
            if int(y.max()) >= self.classes or (y.ndim == 1 and int(y.min()) < 0):
                raise DataError(f"{self.name}: {part} labels in {self.source} are not all in 0..{self.classes - 1}")
            if int(cells.min()) < 0 or int(cells.max()) >= self.strata:
                raise DataError(f"{self.name}: {part} cells in {self.source} are not all in 0..{self.strata - 1}")
        if self.groups is not None and len(self.groups) != len(self.train_y):
            raise DataError(f"{self.name}: {len(self.groups)} owners of {len(self.train_y)} samples in {self.source}")
        missing = sorted(set(np.unique(self.train_strata).tolist()) - set(np.unique(self.test_strata).tolist()))
        if missing:
            what = "class" if self.strata == self.classes else "cell"
            raise DataError(f"{self.name}: the test set in {self.source} has no sample of {what} {missing[0]}")
        order = np.argsort(self.test_strata, kind="stable")
        for name in ("test_x", "test_y", "test_strata"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name)[order]))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.train_x.shape[1:])

    def digest(self) -> str:
        """Return a fingerprint of every sample and label, to tell whether two runs saw the same data."""
        h = hashlib.blake2b(digest_size=16)
        owners = () if self.groups is None else (self.groups,)
        cells = (self.train_strata, self.test_strata) if self.train_strata is not self.train_y else ()
        for array in (self.train_x, self.train_y, self.test_x, self.test_y, *cells, *owners):
            h.update(f"{array.shape} {array.dtype}".encode())
            h.update(np.ascontiguousarray(array).data)
        return h.hexdigest()
