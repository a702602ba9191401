"""Monotonicity: a dearer seller sells no more."""

from __future__ import annotations

import numpy as np

from mechanism import Market, Types
from proofs_checks.properties.check import Check, worst
from proofs_checks.protocol import Clears, chunk_rows, flatten


def monotonicity(mechanism: Clears, types: Types, market: Market, *, steps: int = 8) -> Check:
    """Check that no client's number of exports rises when it alone reports a higher cost.

    Reports tried: 0 to twice the truth (at least 1) in ``steps`` equal steps. The violation is a number of exports.
    ``where``: market in the flattened batch, client, step.
    """
    flat = flatten(types, market)
    m = flat.clients
    grid = np.maximum(1.0, 2.0 * flat.cost)[..., None] * np.linspace(0.0, 1.0, steps + 1)  # [F, m, q]
    q = steps + 1
    exports = np.empty(flat.count * m * q)
    step = chunk_rows(m)
    for start in range(0, exports.size, step):
        task = np.arange(start, min(start + step, exports.size))
        row, client, here = task // (m * q), task // q % m, np.arange(len(task))
        here_types = flat.types(row)
        cost = here_types.cost.copy()
        cost[here, client] = grid.reshape(-1)[task]
        outcome = mechanism.clear(here_types.report(cost=cost), flat.market(row))
        exports[task] = outcome.imports.sum(axis=-2)[here, client]
    rise = np.diff(exports.reshape(flat.count, m, q), axis=-1)
    return worst("monotonicity", rise, np.ones(flat.count))
