"""What a run's market values where gains are measured: a law found in the first round, and how far rounds depart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from learning.valuation.curves import Curve
from learning.valuation.laws import value
from learning.valuation.valuation import Valuation
from mechanism.market.clients import Types


class Valuer:
    """Finds the public gain law once, from the models of the first round, and keeps it.

    A law that changed from round to round would be moved by what clients do; one that is fixed before they trade again
    is public data, as the theorems want it. In every round the departure of what is measured then from the law is
    recorded: the regret bound of the audit rests on it.
    """

    def __init__(self, kind: str, seed: int) -> None:
        self._kind, self._seed = kind, seed
        self._first: Valuation | None = None

    def value(self, types: Types, measure: Callable[[], Curve]) -> Valuation:
        """Return the round's valuation; ``types`` hold the task's gain parameters."""
        curve = measure()
        if self._first is None:
            self._first = value(self._kind, types.gain, curve, self._seed, types.size)
            return self._first
        return self._first.against(curve)

    def restore(self, first: Mapping[str, NDArray[Any]]) -> None:
        """Go on from the tensors of the first round."""
        self._first = Valuation.from_arrays(first)
