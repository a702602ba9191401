"""Truthfulness in cost: no report of its own cost serves a client better than the truth."""

from __future__ import annotations

from collections.abc import Sequence

from mechanism import Market, Types, account
from proofs_checks.properties.check import Check, scales, worst
from proofs_checks.protocol import Clears
from proofs_checks.search.cost_lies import best_cost_lies
from proofs_checks.search.reports import Lies


def dsic_cost(
    mechanism: Clears, types: Types, market: Market, *, extra: Sequence[float] = (), lies: Lies | None = None
) -> Check:
    """Check U_i(truth) >= U_i(r_i, others truthful) over the reports that `best_cost_lies` tries.

    Since the others' types range over the markets checked, this is the dominant-strategy property on them. Pass
    ``lies`` if they were found already. ``where``: batch index, then client.
    """
    found = best_cost_lies(mechanism, types, market, extra=extra) if lies is None else lies
    accounts = account(types, mechanism.clear(types.truthful(), market), market.law)
    return worst("dsic-cost", found.gain, scales(accounts))
