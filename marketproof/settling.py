"""Clear a market and, where a mechanism pays only after training measured the gains, settle it on the truth."""

from __future__ import annotations

from typing import cast

from mechanism.market.accounting import Outcome
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.mechanisms import Clearing
from mechanism.market.realised import TwoStage


def clear_and_settle(mechanism: Clearing, reports: Reports, types: Types, market: Market) -> Outcome:
    """Return the final outcome ``[..., m, m]``: decided on reports, paid as the mechanism's last stage says."""
    outcome = mechanism.clear(reports, market)
    if isinstance(mechanism, TwoStage):
        return cast(TwoStage, mechanism).settle(outcome, types)
    return outcome
