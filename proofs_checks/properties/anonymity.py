"""Anonymity: relabelling clients, and the differences with them, relabels the outcome."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mechanism import Market, Types, account
from proofs_checks.properties.check import Check, scales, worst
from proofs_checks.protocol import Clears


def anonymity(mechanism: Clears, types: Types, market: Market, order: NDArray[np.intp]) -> Check:
    """Check that clearing the clients in another order gives the same imports and prices in that order.

    ``order`` [m]: new client q is old client order[q]. Exact ties may break it, generic numbers may not. The violation
    is the largest difference of a price, centre payment (money) or import (1 each).
    """
    outcome = mechanism.clear(types.truthful(), market)
    there = Types(types.size[..., order], types.cost[..., order], types.gain[..., order])
    d = market.differences
    public = Market(None if d is None else d[..., order, :][..., :, order], market.lam, market.law)
    other = mechanism.clear(there.truthful(), public)
    apart = np.maximum(
        np.abs(outcome.prices[..., order, :][..., :, order] - other.prices),
        (outcome.imports[..., order, :][..., :, order] != other.imports).astype(np.float64),
    )
    apart = np.maximum(apart, np.abs(outcome.centre[..., order] - other.centre)[..., None])
    return worst("anonymity", apart, scales(account(types, outcome, market.law)))
