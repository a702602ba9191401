"""How money is compared, stated once.

All economics is float64. Two amounts of money are equal when they differ by at most `MONEY` times the market's scale,
and a promise (individual rationality, truthfulness, balance) is broken only by more than that. The selection search
treats objectives closer than `TIE` times their own scale as equal, and does not look for sets that could be better by
less than `SEARCH` times it; both are small against `MONEY`, so that what they add up to in one clearing stays below it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MONEY: float = 1e-9
"""Relative tolerance for money (multiplied by `scale`, at least 1)."""

TIE: float = 1e-13
"""Relative difference under which two objective values are a tie."""

SEARCH: float = 1e-12
"""Relative improvement that an exact selection may leave on the table: its gap counts as 0 up to this."""


def scale(amounts: NDArray[np.float64]) -> float:
    """Return the scale of a set of amounts: max(1, largest magnitude), in units of money."""
    values = np.asarray(amounts, dtype=np.float64)
    return float(max(1.0, np.abs(values).max(initial=0.0)))
