"""A case: true types, what is reported, and what some agents report instead. Batched, R alternatives to a profile.

And how a mechanism is asked: where in somebody's code an error arose is said, and what a rule that was written for one
profile has to do instead.
"""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mechanism
from mechanism.direct import DirectMechanism, Floats
from mechanism.errors import InvalidMechanismError, MarketProofError

_HERE = str(Path(__file__).parents[1])
_OURS = tuple(folder + os.sep for folder in (os.path.dirname(str(mechanism.__file__)), _HERE))
_LIBRARIES = {"site-packages", "dist-packages"}

# How Python and NumPy complain where a whole column is taken for one number, or a row for one profile.
_FOR_ONE_PROFILE = (
    "truth value of an array",
    "only length-1 arrays",
    "only 0-dimensional arrays",
    "only integer scalar arrays",
    "setting an array element with a sequence",
    "could not be broadcast",
    "is out of bounds for axis",
    "inhomogeneous shape",
)


def place(error: BaseException) -> str:
    """Return " in rule.py, line 12" for the last line of somebody's own file that an error came through, else "".

    Their file is the first one outside of our packages that was entered: a line of a library that it called would not
    help.
    """
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_OURS)]
    if not frames or _LIBRARIES & set(Path(frames[0].filename).parts):
        return ""
    file = frames[0].filename
    line = [f.lineno for f in frames if f.filename == file][-1]
    return f" in {Path(file).name}, line {line}"


def said(error: BaseException) -> str:
    """Return the kind of an error and the first line of what it says."""
    return (f"{type(error).__name__}: {error}".splitlines() or [""])[0][:200]


def for_one_profile(error: BaseException) -> bool:
    """Tell whether an error is one of those with which code for a single profile meets a batch."""
    return isinstance(error, ValueError | TypeError | IndexError) and any(w in str(error) for w in _FOR_ONE_PROFILE)


def advice(asked: Any, error: BaseException, shape: tuple[int, ...]) -> str:
    """Return what to do about an error of a rule that was asked reports of this shape, "" where nothing is known."""
    single = hasattr(asked, "rule")
    name = "bids" if single else "reports"
    if isinstance(error, ValueError) and "read-only" in str(error):
        return f"; copy {name} first: {name} = {name}.copy()"
    if for_one_profile(error):
        size = list(shape[:2] if single else shape)
        return f"; {name} is {size}, one row per profile: compute all rows at once"
    return ""


Bools = NDArray[np.bool_]


class DependsOnBatch(InvalidMechanismError):
    """The answer to a profile ``[n, k]`` is another among others than alone."""

    def __init__(self, profile: Floats, blamed: str = "the mechanism") -> None:
        super().__init__(
            f"the answer of {blamed} to reports {np.round(profile, 12).tolist()} depends on the other rows of the "
            "batch; expected every row to be answered by itself (use axis=1 in sums, maxima and sorts)"
        )


@dataclass(frozen=True, eq=False)
class Cases:
    """P profiles with R alternatives each.

    ``types``: true profiles ``[P, n, k]``. ``before``: reports ``[P, n, k]``. ``after``: alternative reports
    ``[P, R, n, k]``, or None for properties that need none. ``deviators``: bool ``[P, n]``, whose rows of ``after``
    differ. ``extra``: further named arrays with a leading axis P (an order, a seed).
    """

    types: Floats
    before: Floats
    after: Floats | None = None
    deviators: Bools | None = None
    extra: tuple[tuple[str, NDArray[Any]], ...] = ()

    @property
    def reported(self) -> Floats:
        """The alternative reports ``[P, R, n, k]`` of a case that must have some."""
        assert self.after is not None
        return self.after

    @property
    def deviator(self) -> NDArray[np.intp]:
        """Who deviates in each profile ``[P]``, where somebody must; the first of several."""
        assert self.deviators is not None
        return self.deviators.argmax(axis=1)

    @property
    def members(self) -> NDArray[np.intp]:
        """Who deviates in the first profile, rising."""
        assert self.deviators is not None
        return np.flatnonzero(self.deviators[0])

    def more(self, name: str) -> NDArray[Any]:
        """Return a named extra array."""
        return dict(self.extra)[name]

    def rows(self, at: NDArray[np.intp]) -> Cases:
        """Return the profiles at these places, with all their alternatives."""
        after = None if self.after is None else self.after[at]
        who = None if self.deviators is None else self.deviators[at]
        return Cases(
            self.types[at], self.before[at], after, who, tuple((name, array[at]) for name, array in self.extra)
        )

    def one(self, profile: int, alternative: int = 0) -> Cases:
        """Return one profile with one alternative, axes kept (P = R = 1)."""
        case = self.rows(np.array([profile]))
        return case if case.after is None else replace(case, after=case.after[:, alternative : alternative + 1])

    def with_arrays(self, types: Floats, before: Floats, after: Floats | None) -> Cases:
        """Return the same deviators and extras with other numbers."""
        return replace(self, types=types, before=before, after=after)


def truthful(profiles: Floats) -> Cases:
    """Return one case per profile ``[P, n, k]``: everybody says what is true."""
    return Cases(profiles, profiles)


def deviating(profiles: Floats, agent: NDArray[np.intp], column: int, reports: Floats) -> Cases:
    """Return one case per profile ``[P, n, k]``: agent ``[P]`` alone says ``reports`` ``[P]`` for one coordinate."""
    rows = np.arange(len(profiles))
    after = profiles.copy()
    after[rows, agent, column] = reports
    who = np.zeros(profiles.shape[:2], dtype=np.bool_)
    who[rows, agent] = True
    return Cases(profiles, profiles, after[:, None], who)


def answer(mechanism: DirectMechanism, reports: Floats) -> Any:
    """Return the mechanism's outcome on ``[batch, n, k]``, or say in one line on which reports it fails.

    `InvalidMechanismError` if the mechanism raises: the batch is halved until one row is left that does it alone (or
    none does).
    """
    reports = reports.view()
    reports.setflags(write=False)  # they may be the true types: a rule that writes would change the question
    try:
        with np.errstate(all="ignore"):
            return mechanism.outcome(reports)
    except InvalidMechanismError:
        raise
    except (Exception, SystemExit) as error:
        what = f"{said(error)}{advice(mechanism, error, reports.shape)}"
        if for_one_profile(error):  # it fails on every batch: whose reports they are plays no part
            raise InvalidMechanismError(f"the mechanism failed{place(error)}: {what}") from error
        rows = _culprit(mechanism, reports)
        where = (
            "reports " + str(np.round(rows[0], 12).tolist()) if len(rows) == 1 else f"a batch of {len(rows)} profiles"
        )
        there = f"{place(error)}, on" if place(error) else " on"
        raise InvalidMechanismError(f"the mechanism failed{there} {where}: {what}") from error


def _culprit(mechanism: DirectMechanism, reports: Floats) -> Floats:
    rows = reports
    while len(rows) > 1:
        halves = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        for half in halves:
            try:
                with np.errstate(all="ignore"):
                    mechanism.outcome(half)
            except (Exception, SystemExit):
                rows = half
                break
        else:
            return rows
    return rows


def utilities(mechanism: DirectMechanism, types: Floats, outcome: Any) -> Floats:
    """Return ``[batch, n]`` true utilities, checked for shape and finiteness."""
    return part(mechanism, "utility", types, types, outcome)


def payments(mechanism: DirectMechanism, types: Floats, outcome: Any) -> Floats:
    """Return ``[batch, n]`` payments to the centre, checked for shape and finiteness."""
    return part(mechanism, "payments", types, outcome)


def part(
    mechanism: DirectMechanism,
    name: str,
    profiles: Floats,
    *arguments: Any,
    entry: str | None = None,
    shape: tuple[int | None, ...] | None = None,
) -> Floats:
    """Return what a part of a mechanism says of ``profiles`` ``[P, n, k]`` when it is called with ``arguments``.

    ``entry``: of the dictionary that it returns. ``shape``: what is expected, first the P rows, None for any length;
    default ``[P, n]``. `InvalidMechanismError` if it fails, or returns another shape or anything but finite numbers;
    the message names part and profile.
    """
    what = f"the mechanism's {name}" if entry is None else f"the mechanism's {name}[{entry!r}]"
    try:
        with np.errstate(all="ignore"):
            found = getattr(mechanism, name)(*arguments)
            values = np.asarray(found if entry is None else found[entry])
            text = values.dtype.kind == "O" and any(isinstance(x, str | bytes) for x in values.flat)
            if text or values.dtype.kind not in "biufO":
                raise TypeError(f"{values.dtype} is not real numbers")
            values = values.astype(np.float64, copy=False)
            suspicious = not np.isfinite(values.sum())
    except MarketProofError:
        raise
    except Exception as error:
        raise InvalidMechanismError(f"{what} failed{place(error)}: {said(error)}") from error
    shape = profiles.shape[:-1] if shape is None else shape
    if len(values.shape) != len(shape) or any(w not in (None, s) for w, s in zip(shape, values.shape, strict=True)):
        wanted = ", ".join("any" if w is None else str(w) for w in shape)
        raise InvalidMechanismError(f"{what} has shape {list(values.shape)}; expected [{wanted}], one row per profile")
    if suspicious and not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        where = np.round(profiles[row], 12).tolist()
        raise InvalidMechanismError(f"{what} is not a finite number at the profile {where}; expected numbers")
    return values
