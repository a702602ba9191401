"""Affine forms in the reports with exact coefficients; every comparison of two is put to whoever runs the code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NoReturn, Protocol

import numpy as np

Exact = int | Fraction
Terms = Mapping[int, Exact]
"""Coefficients by variable, none of them 0."""

GREATER, AT_LEAST, EQUAL, EITHER = ">", ">=", "=", "either"
"""What may be asked of a form against 0. Either: whether it is at least 0, where a tie may be answered both ways."""


class GivesUp(Exception):
    """The code does something that affine forms cannot follow; the message says what."""


class Decider(Protocol):
    """Who answers comparisons, and is told what cannot be followed."""

    def decide(self, terms: Terms, constant: Exact, question: str) -> bool:
        """Tell whether terms + constant is as the question asks, on the path that is being run."""
        ...

    def give_up(self, reason: str) -> NoReturn:
        """Remember the reason, whatever the code does with the error, and raise `GivesUp`."""
        ...


def simplest(value: Exact) -> Exact:
    """Return a whole number as int: its arithmetic is faster."""
    return value.numerator if value.denominator == 1 else value


def size(value: Exact) -> Exact:
    """Return the absolute value."""
    return value if value >= 0 else -value


def divided(a: Exact, b: Exact) -> Exact:
    """Return a/b exactly."""
    return simplest(Fraction(a) / b)


def added(a: Terms, b: Terms, factor: Exact = 1) -> dict[int, Exact]:
    """Return a + factor · b."""
    total = dict(a)
    for name, coefficient in b.items():
        value = total.get(name, 0) + factor * coefficient
        if value == 0:
            del total[name]
        else:
            total[name] = value
    return total


class Affine:
    """Σ_v terms[v] · x_v + constant. Arithmetic is exact; what is not affine, or asks for the number, gives up."""

    __slots__ = ("constant", "decider", "terms")

    def __init__(self, terms: Terms, constant: Exact, decider: Decider) -> None:
        self.terms, self.constant, self.decider = terms, constant, decider

    def __repr__(self) -> str:
        return "a symbolic number"

    def __getattr__(self, name: str) -> Any:
        """Say which function it was: NumPy looks here for what it knows of no objects (sqrt, floor, exp, …)."""
        if name.startswith("__"):
            raise AttributeError(name)
        self.decider.give_up(f"it takes {name} of a report, which is not linear")

    def _exact(self, value: Any) -> Exact:
        """Return the exact value of a finite number; a float is the binary fraction that it is."""
        if isinstance(value, bool | np.bool_ | int | np.integer):
            return int(value)
        if isinstance(value, float | np.float32 | np.float16) and math.isfinite(value):
            return simplest(Fraction(float(value)))
        if isinstance(value, Fraction):
            return simplest(value)
        return self.decider.give_up(f"it computes with a report and {str(value)[:30]} ({type(value).__name__})")

    def _plus(self, other: Any, sign: int) -> Any:
        if isinstance(other, Affine):
            return Affine(added(self.terms, other.terms, sign), self.constant + sign * other.constant, self.decider)
        if _infinite(other):
            return sign * float(other)
        return Affine(self.terms, self.constant + sign * self._exact(other), self.decider)

    def __add__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else self._plus(other, 1)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else self._plus(other, -1)

    def __rsub__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else (-self)._plus(other, 1)

    def __neg__(self) -> Affine:
        return self._times(-1)

    def __pos__(self) -> Affine:
        return self

    def __abs__(self) -> Affine:
        return self if self._is(EITHER) else -self

    def _times(self, factor: Exact) -> Affine:
        if factor == 0:
            return Affine({}, 0, self.decider)
        terms = {name: simplest(coefficient * factor) for name, coefficient in self.terms.items()}
        return Affine(terms, simplest(self.constant * factor), self.decider)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        if isinstance(other, Affine):
            if other.terms and self.terms:
                self.decider.give_up("it multiplies numbers of the profile, which is not linear")
            return self._times(other.constant) if not other.terms else other._times(self.constant)
        return self._times(self._exact(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        if isinstance(other, Affine):
            if other.terms:
                self.decider.give_up("it divides by a number of the profile, which is not linear")
            other = other.constant
        factor = self._exact(other)
        if factor == 0:
            self.decider.give_up("it divides a report by 0")
        return self._times(Fraction(1, 1) / factor)

    def __rtruediv__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        return Affine({}, self._exact(other), self.decider) / self

    def __pow__(self, power: Any) -> Any:
        if isinstance(power, np.ndarray):
            return NotImplemented
        exponent = self._exact(power)
        if exponent == 1:
            return self
        if exponent == 0:
            return Affine({}, 1, self.decider)
        return self.decider.give_up(f"it raises a report to the power {exponent}, which is not linear")

    def _is(self, question: str) -> bool:
        if self.terms:
            return self.decider.decide(self.terms, self.constant, question)
        if question == EQUAL:
            return self.constant == 0
        return self.constant > 0 if question == GREATER else self.constant >= 0

    def _beside(self, other: Any, below: bool, question: str) -> Any:
        """Ask about other - self if ``below``, else about self - other; NaN is as no number, ±inf beyond all."""
        if isinstance(other, np.ndarray):
            return NotImplemented
        if _infinite(other):
            return (other > 0) == below
        if isinstance(other, float | np.floating) and math.isnan(other):
            return False
        return (other - self if below else self - other)._is(question)

    def __lt__(self, other: Any) -> Any:
        return self._beside(other, True, GREATER)

    def __le__(self, other: Any) -> Any:
        return self._beside(other, True, AT_LEAST)

    def __gt__(self, other: Any) -> Any:
        return self._beside(other, False, GREATER)

    def __ge__(self, other: Any) -> Any:
        return self._beside(other, False, AT_LEAST)

    def __eq__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        if _infinite(other) or not isinstance(other, Affine | int | float | Fraction | np.number | np.bool_):
            return False
        return self._beside(other, False, EQUAL)

    def __ne__(self, other: Any) -> Any:
        same = self.__eq__(other)
        return same if same is NotImplemented else not same

    def __bool__(self) -> bool:
        return not self._is(EQUAL)

    def _concrete(self, *_: Any) -> Any:
        self.decider.give_up("it takes a report for a plain number (float(), int(), round(), a hash, compiled code)")

    __hash__ = __index__ = __complex__ = __round__ = __floor__ = __ceil__ = __trunc__ = _concrete
    __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __divmod__ = __rdivmod__ = __rpow__ = __format__ = _concrete

    def __float__(self) -> float:
        return self._concrete() if self.terms else float(self.constant)

    def __int__(self) -> int:
        return self._concrete() if self.terms else int(self.constant)


def _infinite(value: Any) -> bool:
    return isinstance(value, float | np.floating) and math.isinf(value)
