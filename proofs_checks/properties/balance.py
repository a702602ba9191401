"""Budget balance: what one pays another receives, and nothing goes to or comes from a centre."""

from __future__ import annotations

import numpy as np

from mechanism import Market, Types, account
from proofs_checks.properties.check import Check, scales, worst
from proofs_checks.protocol import Clears


def budget_balance(mechanism: Clears, types: Types, market: Market) -> Check:
    """Check that payments are antisymmetric and that all that is paid and received sums to zero.

    The violation of a market is the larger of max |p_ij + p_ji| and |Σ_i (Σ_j p_ij + centre_i)|, at truthful reports.
    """
    outcome = mechanism.clear(types.truthful(), market)
    payments = outcome.payments
    skew = np.abs(payments + np.swapaxes(payments, -1, -2)).max(axis=(-1, -2), initial=0.0)
    total = np.abs(payments.sum(axis=(-1, -2)) + outcome.centre.sum(axis=-1))
    return worst("budget-balance", np.maximum(skew, total), scales(account(types, outcome, market.law)))
