"""Efficiency: V_lambda of the outcome is the largest over all allocations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mechanism import Market, Types, account, objective, optimal_objective
from proofs_checks.properties.check import Check, scales, worst
from proofs_checks.protocol import Clears


def efficiency(mechanism: Clears, types: Types, market: Market, optimum: NDArray[np.float64] | None = None) -> Check:
    """Check V_lambda(outcome) >= optimum at truthful reports.

    ``optimum`` ``[...]``: the best V_lambda if it is known from elsewhere (brute force, the integer programme);
    otherwise the value and gap of the exact selection are taken as upper bound.
    """
    reports = types.truthful()
    outcome = mechanism.clear(reports, market)
    if optimum is None:
        value, gap = optimal_objective(reports, market)
        optimum = value + gap
    short = optimum - objective(types, outcome.imports, market)
    return worst("efficiency", short, scales(account(types, outcome, market.law)))
