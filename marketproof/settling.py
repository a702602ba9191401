"""Clear a market and, where a mechanism pays only after training measured the gains, settle it on the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mechanism.market.accounting import Outcome
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.mechanisms import Clearing
from mechanism.market.realised import TwoStage


def clear_and_settle(
    mechanism: Clearing, reports: Reports, types: Types, market: Market, present: NDArray[np.bool_] | None = None
) -> Outcome:
    """Return the final outcome ``[..., m, m]``: decided on reports, paid as the mechanism's last stage says.

    Who is not ``present`` [..., m] trades nothing: most rules see to that by its price, but some hand out models that
    cost nothing to whoever there is, or all models to all.
    """
    outcome = mechanism.clear(reports, market)
    if present is not None and not present.all():
        among = present[..., :, None] & present[..., None, :]
        outcome = replace(outcome, imports=outcome.imports & among, prices=np.where(among, outcome.prices, 0.0))
    if isinstance(mechanism, TwoStage):
        return cast(TwoStage, mechanism).settle(outcome, types)
    return outcome
