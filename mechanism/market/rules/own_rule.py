"""A market rule of one's own: an object or a function in a file, named ``FILE.py:NAME``, or in a plugin."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mechanism.errors import InvalidMarketError, shown
from mechanism.market.accounting import Outcome
from mechanism.market.clients import Market, Reports
from mechanism.own_code import explaining, find


@dataclass(frozen=True)
class OwnRule:
    """Clears by somebody's ``decide(reports, market)``; what it returns is held to what an outcome is."""

    id: str
    file: Path
    decide: Callable[[Reports, Market], Any]
    allocation: str = "own"
    payment: str = "own"

    def clear(self, reports: Reports, market: Market) -> Outcome:
        """Decide imports, prices and payments to the centre.

        `MarketProofError` in one line if the code fails or returns something else.
        """
        with explaining(self.id, self.file, "does not clear"):
            outcome = self.decide(reports, market)
        if not isinstance(outcome, Outcome):
            raise InvalidMarketError(f"{self.id} returns {shown(type(outcome).__name__)}; expected a mechanism.Outcome")
        pairs = (*np.broadcast_shapes(reports.batch, market.batch), reports.clients, reports.clients)
        for name, array, shape in (
            ("imports", outcome.imports, pairs),
            ("prices", outcome.prices, pairs),
            ("centre", outcome.centre, pairs[:-1]),
            ("gap", outcome.gap, pairs[:-1]),
        ):
            if np.shape(array) != shape or not np.isfinite(array).all():
                told = f"{list(np.shape(array))}, {'not all finite' if np.shape(array) == shape else 'another shape'}"
                raise InvalidMarketError(f"{self.id}: {name} is {told}; expected finite numbers {list(shape)}")
        if outcome.imports.diagonal(axis1=-2, axis2=-1).any():
            raise InvalidMarketError(f"{self.id}: a client imports its own model; expected a diagonal of False")
        return outcome


def own_rule(text: str) -> OwnRule:
    """Execute the file of ``FILE.py:NAME`` and return its rule: a function of (reports, market), or what has `clear`.

    `MarketProofError` in one line if the file does not run, or NAME is neither.
    """
    file, found = find(text, lambda value: hasattr(value, "clear") or inspect.isfunction(value), "market rule")
    with explaining(text, file, "does not make a rule"):
        found = found() if inspect.isclass(found) else found
    decide = getattr(found, "clear", found)
    if not callable(decide):
        raise InvalidMarketError(
            f"{text} is {shown(type(found).__name__)}; expected a function clear(reports, market) -> Outcome, or an "
            "object with that method"
        )
    return OwnRule(text, file, decide)
