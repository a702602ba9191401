"""Arrays of one's own: an .npz file, or what a function of one's own returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.data import OwnTable
from learning.data.files.archive import WHOLE, Member, read_npz
from learning.data.own.samples import Samples
from learning.errors import DataError
from mechanism.errors import one_line, shown
from mechanism.own_code import explaining, find

_NUMBERS = (*WHOLE, "float16", "float32", "float64", "bool")
_MOST, _MOST_SAMPLES, _LARGEST = 1 << 29, 5_000_000, 1e30
_X, _NAMES = Member(_NUMBERS, None, _MOST), Member((*WHOLE, "bool", "text"), (None,), _MOST)
_MEMBERS = {"x": _X, "y": _NAMES, "owner": _NAMES}
_TESTS = {f"{name}_test": member for name, member in _MEMBERS.items()}


def from_npz(table: OwnTable) -> Samples:
    """Return the arrays x [N, ...], y [N] and owner [N] of an .npz file, and those that end in _test, if it has them.

    Or x, y (and owner) of ``table.test``. x float, whole numbers or, as uint8, images; y and owner whole numbers or
    texts. `DataError` in one line.
    """
    path = Path(table.file)
    arrays = read_npz(path, _MEMBERS, optional={"owner": _NAMES, **_TESTS})
    if table.test:
        if any(name in arrays for name in _TESTS):
            raise DataError(f"{one_line(path)} holds arrays to be tested on itself; leave {shown(table.test)} out")
        tests = read_npz(Path(table.test), _MEMBERS, optional={"owner": _NAMES})
        arrays |= {f"{name}_test": array for name, array in tests.items()}
    return _samples(table, arrays, one_line(path))


def from_code(table: OwnTable) -> Samples:
    """Return the arrays that ``FILE.py:NAME`` returns when it is called: a table of them as in `from_npz`, or a tuple.

    The tuple is (x, y, owner), or (x, y) where a rule divides. `InputError` in one line if the code fails.
    """
    file, function = find(table.file, callable, "function")
    if not callable(function):
        raise DataError(
            f"{one_line(table.file)} is {shown(type(function).__name__)}; expected a function of no argument"
        )
    if table.test:
        raise DataError(
            f"{one_line(table.file)} returns what is tested on as x_test and y_test; drop {shown(table.test)}"
        )
    with explaining(table.file, file, "returns no data"):
        made = function()
        if isinstance(made, tuple):
            if not 2 <= len(made) <= 3:
                raise DataError(f"{one_line(table.file)} returns a tuple of {len(made)}; expected (x, y, owner)")
            made = dict(zip(("x", "y", "owner"), made, strict=False))
        arrays = {str(name): np.asarray(value) for name, value in dict(made).items()}
    unknown = [name for name in arrays if name not in {**_MEMBERS, **_TESTS}]
    if unknown:
        raise DataError(f"{one_line(table.file)} returns {shown(unknown[0])}; expected x, y, owner, and x_test, y_test")
    for name, member in {**_MEMBERS, **_TESTS}.items():
        if name in arrays and not member.fits(arrays[name].dtype, arrays[name].shape):
            found = f"{' x '.join(map(str, arrays[name].shape)) or 'one'} of {arrays[name].dtype}"
            raise DataError(f"{one_line(table.file)}: {name!r} is {found}; expected {member}")
    return _samples(table, arrays, one_line(table.file))


def _samples(table: OwnTable, arrays: Mapping[str, NDArray[Any]], source: str) -> Samples:
    """Return arrays as samples; `DataError` unless they fit each other and every number is finite."""
    tested = "x_test" in arrays
    for end in ("", "_test") if tested or "y_test" in arrays else ("",):
        for name in ("x", "y"):
            if name + end not in arrays:
                raise DataError(f"{source} has no {name + end!r}; expected x, y and owner, and with x_test also y_test")
        count = len(arrays[f"x{end}"])
        for name in ("y", "owner"):
            if name + end in arrays and len(arrays[name + end]) != count:
                raise DataError(f"{source}: x{end} has {count} samples, {name + end} {len(arrays[name + end])}")
    if "owner" not in arrays and not table.by_rule:
        raise DataError(f"{source} has no 'owner', whose each sample is; add it, or divide by a rule (--split niid)")
    x, y = arrays["x"], _texts(arrays["y"])
    if not 0 < len(x) <= _MOST_SAMPLES or 0 in x.shape:
        raise DataError(f"{source}: x is {list(x.shape)}; expected 1 to {_MOST_SAMPLES} samples of at least one number")
    if tested:
        more = arrays["x_test"]
        if more.shape[1:] != x.shape[1:] or more.dtype != x.dtype:
            raise DataError(f"{source}: x_test is {list(more.shape)} of {more.dtype}, x {list(x.shape)} of {x.dtype}")
        x, y = np.concatenate([x, more]), np.concatenate([y, _texts(arrays["y_test"])])
    images = x.dtype == np.uint8 and x.ndim > 2
    if not images:
        finite = np.abs(x.astype(np.float64)).reshape(len(x), -1).max(1) <= _LARGEST
        if not finite.all():
            raise DataError(f"{source}: sample {int(np.argmin(finite))} of x is not finite, or beyond {_LARGEST:g}")
        x = x.astype(np.float32)
    if images and x.ndim == 3:
        x = x[:, None]
    owners = None
    if not table.by_rule:
        nobody = np.full(len(y) - len(arrays["owner"]), "")
        owners = np.concatenate(
            [_texts(arrays["owner"]), _texts(arrays.get("owner_test", nobody)) if tested else nobody]
        )
    mask = np.arange(len(x)) >= len(arrays["x"]) if tested else None
    return Samples(table.file, owners, y, _same(x), mask, 1 / 255 if images else 1.0, lambda k: f"{source}, sample {k}")


def _same(x: NDArray[Any]) -> Callable[[NDArray[np.int64]], NDArray[Any]]:
    return lambda train: x


def _texts(values: NDArray[Any]) -> NDArray[np.str_]:
    return np.char.strip(values.astype(np.str_))
