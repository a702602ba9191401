"""The gain law of a recorded market: the paper's, or one that was measured in the run, from the numbers recorded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import InvalidMarketError
from mechanism.market.gains import GainLaw, PowerGain, SqrtGain, TableGain

LawNumbers = float | tuple[tuple[float, ...], tuple[float, ...]] | None
"""A law as plain numbers: None the paper's, an exponent, or a table's samples and values."""

_LARGEST = 1e12


def law_of(numbers: LawNumbers) -> GainLaw:
    """Return the law of these numbers.

    Raises
    ------
    InvalidMarketError
        If there is none.
    """
    if numbers is None:
        return SqrtGain()
    if isinstance(numbers, tuple):
        samples, values = numbers
        if len(samples) != len(values) or any(not abs(v) <= _LARGEST for v in (*samples, *values)):
            raise InvalidMarketError(
                f"a measured gain needs two rows of equal length, all numbers within {_LARGEST:.0e}"
            )
        return TableGain(samples, values)
    return PowerGain(numbers)


def numbers_of(law: GainLaw) -> LawNumbers:
    """Return a law as plain numbers, from which `law_of` makes it again."""
    if isinstance(law, TableGain):
        x, y = law.knots
        return tuple(x.tolist()), tuple(y.tolist())
    if isinstance(law, PowerGain) and law.exponent != SqrtGain().exponent:
        return law.exponent
    return None


def recorded_law(kind: float, exponent: float, knots: NDArray[np.float64] | Sequence[Sequence[float]]) -> GainLaw:
    """Return the law of a record: kind 0 the paper's, 1 a table (``knots`` ``[2, k]``, 0 where none is), 2 a power.

    Raises
    ------
    InvalidMarketError
        If the numbers are those of no law.
    """
    if kind == 0.0:
        return SqrtGain()
    if kind == 2.0:
        return law_of(float(exponent))
    if kind != 1.0:
        raise InvalidMarketError(f"the valuation's kind is {kind:g}; expected 0, 1 or 2")
    x, y = np.asarray(knots, dtype=np.float64)
    used = int((x > 0).sum())
    return law_of((tuple(x[:used].tolist()), tuple(y[:used].tolist())))
