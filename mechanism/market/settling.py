"""The second stage of a mechanism that pays on what training measured."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from mechanism.market.accounting import CentralOutcome, Outcome
from mechanism.market.clients import Types


@runtime_checkable
class TwoStage(Protocol):
    """A market mechanism that pays only after the gains were measured."""

    def settle(self, outcome: Outcome, types: Types) -> CentralOutcome:
        """Return the outcome with the payments that follow from what was measured at the true types."""
        ...


def settled(mechanism: object, outcome: Outcome, types: Types) -> Outcome:
    """Return a mechanism's final outcome: what it cleared, and where it pays in two stages the second at true types."""
    return mechanism.settle(outcome, types) if isinstance(mechanism, TwoStage) else outcome
