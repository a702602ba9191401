"""Amounts of money and reports in words: few digits, and never digits that read as another amount."""

from __future__ import annotations

_DIGITS = 6
"""Significant digits of money for people."""

_ROUNDING = 1e-12
_BESIDE = 2e-9
"""Relative distances: below the first two numbers are one, written in binary; below the second no six digits of an
ordinary number come to lie by chance."""

_SMALLEST = 1e-300


def money(amount: float) -> str:
    """Return money for people: six significant digits, never a negative zero."""
    return f"{amount + 0.0:.{_DIGITS}g}"


def apart(a: float, b: float) -> tuple[str, str]:
    """Return two amounts in as few digits, six at least, as tell them apart."""
    for digits in range(_DIGITS, 17):
        first, second = f"{a + 0.0:.{digits}g}", f"{b + 0.0:.{digits}g}"
        if first != second:
            return first, second
    return repr(a), repr(b)


def near(amount: float, digits: str) -> str:
    """Return the digits, and "just under" or "just over" before them where they would be read as another amount.

    That is where the amount is none of these few digits but lies as close to them as a report does that was put beside
    a break point: 0.8999999991 is not the 0.9 that somebody else says.
    """
    off = (amount - float(digits)) / max(abs(amount), _SMALLEST)
    few = len(digits.partition("e")[0].replace(".", "").lstrip("-0").rstrip("0")) < _DIGITS
    if abs(off) <= _ROUNDING or not (few or abs(off) <= _BESIDE):
        return digits
    return f"just {'under' if off < 0 else 'over'} {digits}"
