"""Reading arrays out of .npz files without trusting them: everything is checked before anything is unpacked."""

import math
import os
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from learning.errors import DataError, said

_MOST_FILE = 1 << 30  # bytes of an archive
_MOST_HEADER = 4096  # characters of the header of an array, which numpy parses as Python literals

MOST_TEXT = 200
"""Characters of a text in an array."""

WHOLE = ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64")
"""Names of the dtypes of whole numbers."""


@dataclass(frozen=True)
class Member:
    """What an array of an archive has to be: names of dtypes, shape (None: any length) and most bytes unpacked.

    A dtype may be "text", of up to `MOST_TEXT` characters; no shape is any of 2 to 4 axes.
    """

    dtypes: tuple[str, ...]
    shape: tuple[int | None, ...] | None
    most: int = 1 << 28

    def fits(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
        """Return whether an array of this dtype and shape may be read."""
        name = "text" if dtype.kind == "U" and 0 < dtype.itemsize <= 4 * MOST_TEXT else dtype.name
        if self.shape is None:
            return name in self.dtypes and 2 <= len(shape) <= 4
        return (
            name in self.dtypes
            and len(shape) == len(self.shape)
            and all(wanted in (None, found) for wanted, found in zip(self.shape, shape, strict=True))
        )

    def __str__(self) -> str:
        sizes = " x ".join("N" if n is None else str(n) for n in self.shape or (None, None))
        kinds = ["whole numbers", *self.dtypes[len(WHOLE) :]] if self.dtypes[: len(WHOLE)] == WHOLE else self.dtypes
        return f"{sizes}{'' if self.shape else ' x …'} of {' or '.join(kinds)}"


def header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether columns come first, and dtype that a .npy stream declares; leave it at the first value.

    `ValueError` if the stream does not start as one does, whatever it holds instead.
    """
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of the format")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            shape, columns_first, dtype = readers[version](file, max_header_size=_MOST_HEADER)
    except Exception as error:  # of many kinds, where the header is no literal (tokenize.TokenError, MemoryError, ...)
        raise ValueError(str(error)) from None
    if dtype.hasobject or any(n < 0 for n in shape):
        raise ValueError(f"dtype {dtype} and shape {shape}")
    return shape, columns_first, dtype


def read_npz(
    path: Path, members: Mapping[str, Member], optional: Mapping[str, Member] = MappingProxyType({})
) -> dict[str, NDArray[Any]]:
    """Return the arrays called ``members`` of an .npz file, and the ``optional`` ones that it has.

    Others in it are left alone, whatever they are.

    Names, dtypes, shapes and sizes are checked against the table of contents and the header of each array before the
    values are unpacked, and no pickled object is ever loaded. `DataError` in one line names the file and the array.
    """
    try:
        if path.stat().st_size > _MOST_FILE:
            raise DataError(f"{path} has {path.stat().st_size} bytes; expected at most {_MOST_FILE}")
        with zipfile.ZipFile(path) as archive:
            held = set(archive.namelist())
            wanted = {name: member for name, member in members.items() if name not in optional}
            wanted |= {name: member for name, member in optional.items() if f"{name}.npy" in held}
            return {name: _member(archive, path, name, member) for name, member in wanted.items()}
    # RuntimeError: encrypted; NotImplementedError: packed in a way that zipfile does not know
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read as an .npz file ({said(error)}); fetch the file again") from None


def _member(archive: zipfile.ZipFile, path: Path, name: str, member: Member) -> NDArray[Any]:
    try:
        entry = archive.getinfo(f"{name}.npy")
    except KeyError:
        held = ", ".join(entry.filename.removesuffix(".npy")[:40] for entry in archive.infolist()[:10])
        raise DataError(f"{path} holds no array {name!r} but {held or 'nothing'}; fetch the file again") from None
    with archive.open(entry) as file:
        try:
            shape, columns_first, dtype = header(file)
        except ValueError as error:
            raise DataError(
                f"{path}: {name!r} is not a plain array ({said(error)}); expected {member}; fetch the file again"
            ) from None
        size = math.prod(shape) * dtype.itemsize
        if not member.fits(dtype, shape):
            found = " x ".join(map(str, shape)) or "one"
            raise DataError(f"{path}: {name!r} is {found} of {dtype}; expected {member}; fetch the file again")
        if size > member.most:
            raise DataError(f"{path}: {name!r} declares {size} bytes; expected at most {member.most}")
        if file.tell() + size != entry.file_size:
            raise DataError(
                f"{path}: {name!r} declares {size} bytes but {entry.file_size - file.tell()} follow; "
                "fetch the file again"
            )
        body = file.read(size + 1)  # one more than there is, so that zipfile compares the checksum
    if len(body) != size:
        raise DataError(f"{path}: {name!r} ends early; expected {size} bytes; fetch the file again")
    return np.frombuffer(body, dtype=dtype).reshape(shape, order="F" if columns_first else "C")


def labels(values: NDArray[Any], classes: int, what: str, path: Path) -> NDArray[np.int64]:
    """Return ``values`` as int64; `DataError` naming ``what`` and the file unless all are in 0..classes-1."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise DataError(f"{path} holds {what} {wrong}; expected {what}s from 0 to {classes - 1}; fetch the file again")
    return values.astype(np.int64)


def fingerprint(paths: tuple[Path, ...]) -> str:
    """Return a digest of the bytes of files, to tell whether what was made of them is still what they hold."""
    import hashlib

    h = hashlib.blake2b(digest_size=16)
    for path in paths:
        with path.open("rb") as file:
            h.update(f"{os.fstat(file.fileno()).st_size} ".encode())
            while chunk := file.read(1 << 20):
                h.update(chunk)
    return h.hexdigest()
