"""Arrays of affine forms that NumPy code takes for arrays of floats.

A rule's own operations run on them: comparisons, sorting, selecting and linear arithmetic. Wherever one of these arrays
takes part, an array of floats that comes out is such an array again, so that reports can be written into it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from proofs_checks.symbolic.affine import EITHER, Affine, GivesUp

_MADE = ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like")
_TAKEN = ("array", "asarray", "asanyarray", "ascontiguousarray")


class Traced(np.ndarray[Any, Any]):
    """An array whose numbers may be affine forms (dtype object), or of whole numbers or truths that came from such."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and ufunc in (np.isfinite, np.isnan, np.isinf):  # a report is finite
            return _each(lambda x: bool(ufunc(x)), ufunc is np.isfinite, inputs[0])
        out = kwargs.get("out")
        if out is not None:
            kwargs["out"] = tuple(None if x is None else x.view(np.ndarray) for x in out)
        if isinstance(where := kwargs.get("where"), Traced):
            kwargs["where"] = where.view(np.ndarray)
        result = getattr(ufunc, method)(*(_plain(x) for x in inputs), **kwargs)
        return traced(result) if out is None or len(out) > 1 else out[0]

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return traced(super().__array_function__(func, types, args, kwargs))

    @property
    def dtype(self) -> Any:
        """Objects, as NumPy and the house see; other code that asks could answer otherwise than on floats.

        And compiled code, told that they were floats, would read addresses.
        """
        kind, asking = super().dtype, sys._getframe(1).f_globals.get("__name__", "")
        if kind.kind == "O" and not asking.startswith(("numpy", "mechanism.", __name__)):
            self._give_up("it asks of which kind its numbers are")
        return kind

    def _give_up(self, reason: str) -> NoReturn:
        form = next((entry for entry in np.ndarray.tolist(self.ravel()) if isinstance(entry, Affine)), None)
        if form is None:
            raise GivesUp(reason)
        form.decider.give_up(reason)

    def tobytes(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Give up: the bytes would be addresses."""
        self._give_up("it takes the bytes of its numbers")

    tofile = dump = dumps = tobytes
    data = ctypes = __array_interface__ = __array_struct__ = property(tobytes)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Return a copy; of floats, one that still holds the forms."""
        return traced(super().astype(object if _float(dtype) else dtype, *args, **kwargs))

    def argsort(self, axis: Any = -1, kind: Any = None, order: Any = None, **kwargs: Any) -> Any:
        """Rank by ``<`` alone, equal ones by index."""
        if not symbolic(self):
            return super().argsort(axis, kind, order)
        return _along(self, axis, lambda row: sorted(range(len(row)), key=lambda k: _Less(row[k])), np.intp)

    def sort(self, axis: Any = -1, kind: Any = None, order: Any = None, **kwargs: Any) -> None:
        """Sort in place; which of two equal numbers is first plays no part."""
        if symbolic(self):
            self[...] = _along(self, axis, lambda row: sorted(row, key=_Below), object)
        else:
            super().sort(axis, kind, order)

    def partition(self, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> None:
        """Sort: what a partition leaves open is in order."""
        self.sort(axis)

    def argpartition(self, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
        """Rank: what a partition leaves open is in order."""
        return self.argsort(axis)


class _Less:
    """A key that is compared by ``<`` of the numbers, the one comparison that Python's sorting makes."""

    def __init__(self, number: Any) -> None:
        self.number = number

    def __lt__(self, other: Any) -> Any:
        return self.number < other.number


class _Below(_Less):
    """A key for values: either order of equal ones will do, so that no tie is told apart that plays no part."""

    def __lt__(self, other: Any) -> Any:
        a, b = self.number, other.number
        if isinstance(a, Affine) or isinstance(b, Affine):
            gap = a - b
            return gap < 0 if isinstance(gap, float) else not gap._is(EITHER)
        return a < b


def _along(array: Any, axis: Any, function: Callable[[list[Any]], list[Any]], kind: Any) -> Any:
    if axis is None:
        array, axis = array.reshape(-1), -1
    rows = np.moveaxis(array.view(np.ndarray), axis, -1)
    result = np.empty(rows.shape, dtype=kind)
    for place in np.ndindex(rows.shape[:-1]):
        result[place] = function(list(rows[place]))
    return np.moveaxis(result, -1, axis).view(Traced)


def _each(function: Callable[[Any], bool], of_form: bool, values: Any) -> Any:
    array = np.asarray(values, dtype=object).view(np.ndarray)
    found = np.array([of_form if isinstance(x, Affine) else function(x) for x in array.flat], dtype=bool)
    return found.reshape(array.shape).view(Traced) if array.ndim else bool(found[0])


def symbolic(value: Any) -> bool:
    """Tell whether an affine form is in it."""
    if isinstance(value, np.ndarray):
        return value.dtype == object and any(isinstance(x, Affine) for x in value.flat)
    return isinstance(value, Affine)


def _plain(value: Any) -> Any:
    """Return the array as NumPy's own: of objects if a form is in it, else of numbers as the code would have them."""
    if not isinstance(value, np.ndarray):
        return value
    array = value.view(np.ndarray)
    return array if array.dtype != object or symbolic(array) else _numbers(array)


def _numbers(array: Any) -> Any:
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        return array


def traced(value: Any) -> Any:
    """Return a result so that the code goes on with such arrays: floats become objects, scalars stay what they are."""
    if isinstance(value, tuple | list):
        return type(value)(traced(x) for x in value) if type(value) in (tuple, list) else value
    if not isinstance(value, np.ndarray):
        return value
    array = value.view(np.ndarray)
    return (array.astype(object) if array.dtype == np.float64 else array).view(Traced)


def _float(dtype: Any) -> bool:
    """Tell whether a dtype is the float64 that a report is; whoever asks for less precision is not followed."""
    return dtype is None or np.dtype(dtype) in (np.dtype(np.float64), np.dtype(object))


def _holds(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds(x) for x in value)
    return isinstance(value, Traced | Affine)


@contextmanager
def tracing() -> Iterator[None]:
    """Let NumPy's constructors of float arrays make arrays that reports can be written into, as long as it lasts."""
    kept = {name: getattr(np, name) for name in (*_MADE, *_TAKEN)}

    def made(name: str) -> Any:
        def make(*args: Any, **kwargs: Any) -> Any:
            return traced(_drained(kept[name](*args, **kwargs), name))

        return make

    def taken(name: str) -> Any:
        def take(values: Any, dtype: Any = None, **kwargs: Any) -> Any:
            if not _holds(values):
                return kept[name](values, dtype, **kwargs)
            return traced(kept[name](values, object if dtype is not None and _float(dtype) else dtype, **kwargs))

        return take

    try:
        for name in _MADE:
            setattr(np, name, made(name))
        for name in _TAKEN:
            setattr(np, name, taken(name))
        yield
    finally:
        for name, function in kept.items():
            setattr(np, name, function)


def _drained(array: Any, name: str) -> Any:
    """Return an array without what happened to be in memory: an entry that is read before it is written is NaN."""
    if name.startswith("empty") and array.dtype.kind in "fO":
        array[...] = np.nan
    return array
