"""Break points, found by asking: where along a line an outcome jumps, to the last bit on both sides.

A rule that is constant between jumps (an auction, a market) has its best lies at the jumps. Halving the interval in
which a utility changes most leads to one of them, whatever the rule is; where the rule is smooth it leads somewhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import DirectMechanism, Floats
from proofs_checks.search.cases import answer, utilities

_HALVINGS = 60
_JUMPS = 2


def with_breaks(
    mechanism: DirectMechanism, reports: Floats, agent: NDArray[np.intp], levels: Floats, column: int
) -> Floats:
    """Return levels ``[P, R + 4, k]``: those given, and both sides of two jumps of each line.

    ``reports`` ``[P, n, k]``; ``levels`` ``[P, R, k]`` differ in ``column`` only. What must jump is the agent's utility
    at its lowest or at its highest level, as it moves its report.
    """
    order = np.argsort(levels[:, :, column], axis=1)
    ordered = np.take_along_axis(levels, order[..., None], axis=1)
    truths = ordered[:, [0, -1]]
    seen = _signature(mechanism, reports, agent, ordered, truths)
    change = np.abs(np.diff(seen, axis=1)).max(axis=-1)
    steepest = np.argsort(-change, axis=1)[:, :_JUMPS]
    low, high = (np.take_along_axis(ordered, (steepest + k)[..., None], axis=1) for k in (0, 1))
    below, above = (np.take_along_axis(seen, (steepest + k)[..., None], axis=1) for k in (0, 1))
    for _ in range(_HALVINGS):
        middle = low.copy()
        middle[..., column] = 0.5 * (low[..., column] + high[..., column])
        if ((middle == low).all(axis=-1) | (middle == high).all(axis=-1)).all():
            break
        between = _signature(mechanism, reports, agent, middle, truths)
        left, right = (np.abs(a - b).max(axis=-1, keepdims=True) for a, b in ((between, below), (above, between)))
        first = left >= right
        low, high = np.where(first, low, middle), np.where(first, middle, high)
        below, above = np.where(first, below, between), np.where(first, between, above)
    return np.concatenate([levels, low, high], axis=1)


def _signature(
    mechanism: DirectMechanism, reports: Floats, agent: NDArray[np.intp], levels: Floats, truths: Floats
) -> Floats:
    """Return the agent's utility ``[P, R, 2]`` at both truths when it reports each level."""
    p, r, _ = levels.shape
    rows = np.arange(p)
    full = np.repeat(reports[:, None], r, axis=1)
    full[rows, :, agent] = levels
    outcome = answer(mechanism, full.reshape(p * r, *reports.shape[1:]))
    found = []
    for k in range(2):
        full[rows, :, agent] = truths[:, k, None]
        utility = utilities(mechanism, full.reshape(p * r, *reports.shape[1:]), outcome)
        found.append(utility.reshape(p, r, -1)[rows, :, agent])
    return np.stack(found, axis=-1)
