"""Decoded images kept between runs, so that decoding is paid for once."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.data.files.archive import header

VARIABLE = "MARKETPROOF_CACHE"
"""The environment variable that names the cache folder."""

_DIGEST = 16  # bytes behind the array
_VERSION = "1"  # a new one whenever the same file would be decoded otherwise


def folder() -> Path | None:
    """Return the cache folder: MARKETPROOF_CACHE, else ``marketproof`` in XDG_CACHE_HOME or ~/.cache; None: no home."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "marketproof"
    try:
        return Path.home() / ".cache" / "marketproof"
    except RuntimeError:
        return None


def cached(name: str, source: str, shape: tuple[int, ...], make: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return ``make()``, an array uint8 of ``shape``, from the cache if it lies there.

    ``source`` is a digest of all that the array is made of. The file is a .npy (never pickled objects) followed by a
    digest of its values: one that has another shape, dtype or digest is made anew. It is written beside its place and
    then renamed, so that no reader sees half of it. A cache that cannot be read or written only costs time.
    """
    place = folder()
    if place is None:
        return make()
    path = place / f"{name}-{_VERSION}-{source}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):
        return _read(path, shape)
    array = make()
    with contextlib.suppress(OSError):
        _write(path, array)
    return array


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    size = math.prod(shape)
    with path.open("rb") as file:
        found, columns_first, dtype = header(file)
        if found != shape or columns_first or dtype != np.uint8:
            raise ValueError("another array")
        if os.fstat(file.fileno()).st_size != file.tell() + size + _DIGEST:
            raise ValueError("another length")
        array = np.fromfile(file, dtype=np.uint8, count=size).reshape(shape)
        if hashlib.blake2b(array.data, digest_size=_DIGEST).digest() != file.read():
            raise ValueError("other values")
    return array


def _write(path: Path, array: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.ascontiguousarray(array)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.lib.format.write_array(file, array, allow_pickle=False)
            file.write(hashlib.blake2b(array.data, digest_size=_DIGEST).digest())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
