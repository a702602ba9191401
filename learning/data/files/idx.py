"""Reading IDX files, the format of MNIST and its relatives, without trusting them."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.errors import DataError

_MOST_SAMPLES = 1_000_000
_LABELS, _IMAGES = 0x0801, 0x0803  # unsigned bytes in one and in three dimensions


def _read(path: Path, magic: int, sample: tuple[int, ...]) -> NDArray[np.uint8]:
    header = 4 * (2 + len(sample))
    try:
        with gzip.open(path, "rb") as file:
            head = file.read(header)
            if len(head) < header:
                raise DataError(f"{path} ends inside its header; expected {header} bytes; fetch the file again")
            found, count, *dims = struct.unpack(f">{2 + len(sample)}I", head)
            if found != magic:
                raise DataError(f"{path} starts with 0x{found:08x}; expected the IDX mark 0x{magic:08x}")
            if tuple(dims) != sample or not 0 < count <= _MOST_SAMPLES:
                shown = "x".join(str(n) for n in (count, *dims))
                wanted = "x".join(str(n) for n in ("N", *sample))
                raise DataError(f"{path} declares {shown} values; expected {wanted} with N from 1 to {_MOST_SAMPLES}")
            size = count * int(np.prod(sample, dtype=np.int64))
            body = file.read(size + 1)  # never more than declared, however much the archive would unpack to
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read as a gzip file ({error}); fetch the file again") from None
    if len(body) != size:
        what = "ends early" if len(body) < size else "goes on after its last value"
        raise DataError(f"{path} {what}; expected exactly {size} bytes after the header; fetch the file again")
    return np.frombuffer(body, dtype=np.uint8).reshape(count, *sample)


def read_images(path: Path, rows: int, columns: int) -> NDArray[np.uint8]:
    """Return images [N, 1, rows, columns] of a gzipped IDX file; `DataError` if it is anything else."""
    return _read(path, _IMAGES, (rows, columns))[:, None]


def read_labels(path: Path, classes: int) -> NDArray[np.int64]:
    """Return labels [N] in 0..classes-1 of a gzipped IDX file; `DataError` if it is anything else."""
    labels = _read(path, _LABELS, ())
    if int(labels.max()) >= classes:
        raise DataError(f"{path} holds label {int(labels.max())}; expected labels from 0 to {classes - 1}")
    return labels.astype(np.int64)
