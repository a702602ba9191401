"""Gain laws: what an importer gains from the data behind the models that it imports.

A law turns a client's private gain parameter K, its own number of samples n and the total number of samples x behind
the models that it holds (own included) into money: ``value(K, n, x)``, zero at x = n. Each law states its derivative
in x, where it is defined and why it is concave; allocation rules rely on nothing else. Laws are public: only the
parameter K is private.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from mechanism.errors import InvalidMarketError
from mechanism.space import Floats
from mechanism.wording import number

KernelForm = tuple[int, float, Floats, Floats]
"""(kind, exponent, knots_x, knots_y): kind 0 is -(K/x)^exponent, kind 1 K times a concave table."""


@runtime_checkable
class GainLaw(Protocol):
    """A concave, non-decreasing value of total data. All methods broadcast; units are samples and money."""

    @property
    def name(self) -> str:
        """Short name of the law."""
        ...

    def value(self, gain: ArrayLike, own: ArrayLike, total: ArrayLike) -> Floats:
        """Gain in money of holding models built on ``total`` samples when ``own`` of them are one's own."""
        ...

    def derivative(self, gain: ArrayLike, own: ArrayLike, total: ArrayLike) -> Floats:
        """Right derivative of `value` in ``total``, money per sample; non-negative and non-increasing."""
        ...

    def certificate(self) -> str:
        """Why the law is concave, as a statement that can be checked."""
        ...

    def kernel_form(self) -> KernelForm:
        """The law as the compiled kernels read it."""
        ...


@dataclass(frozen=True)
class PowerGain:
    r"""Gain of a learning curve that falls like a power: ``(K/n)^e - (K/x)^e``.

    ``exponent`` e in (0, 1] is fitted or assumed; e = 1/2 is the paper's generalisation bound (see `SqrtGain`).
    """

    exponent: float = 0.5
    name: str = field(default="power", init=False)

    def __post_init__(self) -> None:
        if not 0.0 < self.exponent <= 1.0:
            raise InvalidMarketError(
                f"exponent of the gain law is {self.exponent}; expected a number in (0, 1], such as 0.5"
            )

    def value(self, gain: ArrayLike, own: ArrayLike, total: ArrayLike) -> Floats:
        """(K/n)^e - (K/x)^e in money."""
        k, n, x = (np.asarray(a, dtype=np.float64) for a in (gain, own, total))
        if self.exponent == 0.5:
            return np.asarray(np.sqrt(k / n) - np.sqrt(k / x))
        return np.asarray((k / n) ** self.exponent - (k / x) ** self.exponent)

    def derivative(self, gain: ArrayLike, own: ArrayLike, total: ArrayLike) -> Floats:
        """E (K/x)^e / x in money per sample."""
        k, x = (np.asarray(a, dtype=np.float64) for a in (gain, total))
        return np.asarray(self.exponent * (k / x) ** self.exponent / x)

    def certificate(self) -> str:
        """Second derivative in x."""
        e = self.exponent
        return f"d²/dx² of -(K/x)^{e} is -{e}·{e + 1}·K^{e}·x^-{e + 2} <= 0 for K >= 0, x > 0: concave"

    def kernel_form(self) -> KernelForm:
        """Kind 0; no knots."""
        return 0, float(self.exponent), np.empty(0), np.empty(0)


@dataclass(frozen=True)
class SqrtGain(PowerGain):
    """The paper's collaboration gain: ``sqrt(K/n) - sqrt(K/x)``, from a sqrt(K/n) generalisation bound."""

    exponent: float = field(default=0.5, init=False)
    name: str = field(default="sqrt", init=False)

    def certificate(self) -> str:
        """Tangent inequality in s = 1/sqrt(x), factored."""
        return (
            "sqrt(K/x) lies above its tangents: with s = x^-1/2 and t at the tangent point the difference is "
            "K^1/2·(s-t)²(2s+t)/(2s²) >= 0"
        )


@dataclass(frozen=True)
class TableGain:
    """A measured gain: the concave hull of points (samples, value), linear between them, times the client's K.

    ``samples`` [k] strictly rising and positive, ``values`` [k] in money at K = 1. Measured curves need not be
    concave: the law is their upper concave hull, non-decreasing, constant after the last point, and
    ``concavity_defect`` is the largest distance from a measured point up to it. A total below the first point is
    valued on the first segment's line.
    """

    samples: tuple[float, ...]
    values: tuple[float, ...]
    name: str = field(default="table", init=False)
    knots: tuple[Floats, Floats] = field(init=False, repr=False, compare=False)
    concavity_defect: float = field(init=False)

    def __post_init__(self) -> None:
        x, y = np.asarray(self.samples, dtype=np.float64), np.asarray(self.values, dtype=np.float64)
        if x.ndim != 1 or x.shape != y.shape or x.size < 2:
            raise InvalidMarketError("a measured gain needs two rows of equal length, at least two points each")
        if not (np.isfinite(x).all() and np.isfinite(y).all() and x[0] > 0 and (np.diff(x) > 0).all()):
            raise InvalidMarketError("the samples of a measured gain must be positive, finite and strictly rising")
        hull: list[int] = []
        for k in range(x.size):
            while len(hull) > 1:
                a, b = hull[-2], hull[-1]
                if (y[b] - y[a]) * (x[k] - x[b]) <= (y[k] - y[b]) * (x[b] - x[a]):
                    hull.pop()
                else:
                    break
            hull.append(k)
        top = int(np.argmax(y[hull]))
        hull = hull[: top + 1] if top > 0 else hull[:1]
        hx, hy = x[hull], y[hull]
        if hx.size == 1:  # never rises: a constant
            hx, hy = np.array([hx[0], hx[0] + 1.0]), np.array([hy[0], hy[0]])
        object.__setattr__(self, "knots", (hx, hy))
        object.__setattr__(self, "concavity_defect", float(np.max(self._level(x) - y)))

    def _level(self, x: Floats) -> Floats:
        hx, hy = self.knots
        slope = (hy[1] - hy[0]) / (hx[1] - hx[0])
        return np.where(x < hx[0], hy[0] + slope * (x - hx[0]), np.interp(x, hx, hy))

    def value(self, gain: ArrayLike, own: ArrayLike, total: ArrayLike) -> Floats:
        """K·(hull(x) - hull(n)) in money."""
        k, n, x = (np.asarray(a, dtype=np.float64) for a in (gain, own, total))
        return np.asarray(k * (self._level(x) - self._level(n)))

    def derivative(self, gain: ArrayLike, own: ArrayLike, total: ArrayLike) -> Floats:
        """K times the slope of the hull just right of x."""
        k, x = np.asarray(gain, dtype=np.float64), np.asarray(total, dtype=np.float64)
        hx, hy = self.knots
        slopes = np.append(np.diff(hy) / np.diff(hx), 0.0)
        segment = np.clip(np.searchsorted(hx, x, side="right") - 1, 0, slopes.size - 1)
        return np.asarray(k * slopes[segment])

    def certificate(self) -> str:
        """Falling slopes of the hull."""
        hx, hy = self.knots
        slopes = np.diff(hy) / np.diff(hx)
        return "the hull's slopes fall: " + " >= ".join(number(s) for s in slopes) + " >= 0: concave"

    def kernel_form(self) -> KernelForm:
        """Kind 1 with the hull's knots."""
        return 1, 1.0, *self.knots


LawNumbers = float | tuple[tuple[float, ...], tuple[float, ...]] | None
"""A law as plain numbers: None the paper's, an exponent, or a table's samples and values."""

MOST_KNOTS = 10_000
_LARGEST = 1e12


def law_numbers(law: GainLaw) -> LawNumbers:
    """Return a law as plain numbers, from which `law_of` makes it again."""
    if isinstance(law, TableGain):
        return law.samples, law.values
    return law.exponent if isinstance(law, PowerGain) and not isinstance(law, SqrtGain) else None


def law_of(numbers: object) -> GainLaw:
    """Return the law of plain numbers, which may come from anywhere.

    >>> law_of(None).name, law_of(0.3).name, law_of([[100, 200], [0, 1]]).name
    ('sqrt', 'power', 'table')

    `InvalidMarketError` if they are those of no law.
    """
    if numbers is None:
        return SqrtGain()
    if isinstance(numbers, int | float) and not isinstance(numbers, bool):
        return PowerGain(float(numbers))
    expected = f"a measured gain needs two rows of 2 to {MOST_KNOTS} numbers, all within {_LARGEST:.0e}"
    if not (isinstance(numbers, list | tuple) and len(numbers) == 2):
        raise InvalidMarketError(expected)
    rows = []
    for row in numbers:
        if not (isinstance(row, list | tuple) and 2 <= len(row) <= MOST_KNOTS):
            raise InvalidMarketError(expected)
        if any(isinstance(x, bool) or not isinstance(x, int | float) or not abs(x) <= _LARGEST for x in row):
            raise InvalidMarketError(expected)
        rows.append(tuple(float(x) for x in row))
    return TableGain(rows[0], rows[1])


_FIELDS = {"sqrt": (), "power": ("exponent",), "table": ("samples", "values")}


def law_to_dict(law: GainLaw) -> dict[str, Any]:
    """Return a law as named plain data, for JSON."""
    if law.name not in _FIELDS:
        raise InvalidMarketError(f"the gain law {law.name!r} cannot be written; expected {', '.join(_FIELDS)}")
    told = {name: getattr(law, name) for name in _FIELDS[law.name]}
    return {"name": law.name} | {k: list(v) if isinstance(v, tuple) else v for k, v in told.items()}


def law_from_dict(data: Mapping[str, object]) -> GainLaw:
    """Return the law of named plain data, which may come from anywhere.

    >>> law_from_dict(law_to_dict(PowerGain(0.3)))
    PowerGain(exponent=0.3, name='power')

    `InvalidMarketError` if it is no law.
    """
    name = data.get("name")
    if not isinstance(name, str) or name not in _FIELDS:
        raise InvalidMarketError(f"name of the gain law is none of {', '.join(_FIELDS)}")
    if wrong := set(data) ^ {"name", *_FIELDS[name]}:
        raise InvalidMarketError(f"the gain law {name!r} has {', '.join(_FIELDS[name]) or 'a name only'}; {wrong=}")
    parts = tuple(data[field] for field in _FIELDS[name])
    return law_of(parts if name == "table" else parts[0] if parts else None)


def law_to_arrays(law: GainLaw, room: int) -> dict[str, Floats]:
    """Return a law as a record holds it: ``kind`` 0 the paper's, 1 a table, 2 a power; ``exponent``; ``knots``.

    ``knots`` ``[2, room]``: samples and values, 0 where there are no more.
    """
    knots = np.zeros((2, room))
    if isinstance(law, TableGain):
        knots[:, : len(law.samples)] = law.samples, law.values
    kind = 1.0 if isinstance(law, TableGain) else 0.0 if isinstance(law, SqrtGain) else 2.0
    exponent = law.exponent if isinstance(law, PowerGain) else 0.0
    return {"kind": np.array(kind), "exponent": np.array(exponent), "knots": knots}


def law_from_arrays(kind: float, exponent: float, knots: ArrayLike) -> GainLaw:
    """Return the law that `law_to_arrays` wrote.

    `InvalidMarketError` if the numbers are those of no law.
    """
    if kind not in (0.0, 1.0, 2.0):
        raise InvalidMarketError(f"the valuation's kind is {number(kind)}; expected 0, 1 or 2")
    if kind != 1.0:
        return law_of(float(exponent) if kind else None)
    x, y = np.asarray(knots, dtype=np.float64)
    used = int((x > 0).sum())
    return law_of((x[:used].tolist(), y[:used].tolist()))


CONCAVE = (SqrtGain, PowerGain, TableGain)
"""The house's laws, concave by what each `certificate` says."""
