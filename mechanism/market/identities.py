"""False identities: one client that takes part as two, two that take part as one.

Only sales are split or merged: the new identities want no model (gain 0). What they earn is then what the seller's
side of the identity earns, and is to be compared with the seller's part of the utilities before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import InvalidMechanismError

Floats = NDArray[np.float64]


def split(types: Floats, agent: int, share: float = 0.5, cost_rule: str = "twice") -> Floats:
    """Return profiles ``[..., m + 1, 4 + m]`` in which ``agent`` is two: itself and a last client.

    The first keeps ``share`` of the samples, the last has the rest; both have the agent's differences, none between
    themselves. ``cost_rule`` "twice": each pays the agent's cost per export (the work is done twice); "half": half.
    """
    if not 0.0 < share < 1.0:
        raise InvalidMechanismError(f"share is {share}; expected a number between 0 and 1, such as 0.5")
    if cost_rule not in ("twice", "half"):
        raise InvalidMechanismError(f"cost_rule is {cost_rule!r}; expected 'twice' or 'half'")
    m = types.shape[-2]
    places = np.append(np.arange(m), agent)
    result = np.asarray(types[..., places, :][..., np.append(np.arange(3 + m), 3 + agent)])
    result[..., agent, 0] *= share
    result[..., m, 0] = types[..., agent, 0] - result[..., agent, 0]
    for half in (agent, m):
        result[..., half, 1] *= 1.0 if cost_rule == "twice" else 0.5
        result[..., half, 2] = 0.0
    return result


def merge(types: Floats, a: int, b: int, cost_rule: str = "sum") -> Floats:
    """Return profiles ``[..., m - 1, 2 + m]`` in which client a is a and b together; those behind b move up by one.

    Samples are added; differences are averaged, weighted by samples (the penalties of buying both add up).
    ``cost_rule`` "sum": an export costs what both cost; "min": what the cheaper one costs.
    """
    m = types.shape[-2]
    if a == b or m < 3:
        raise InvalidMechanismError("merging needs two different clients and at least one other")
    if cost_rule not in ("sum", "min"):
        raise InvalidMechanismError(f"cost_rule is {cost_rule!r}; expected 'sum' or 'min'")
    size, cost = types[..., [a, b], 0], types[..., [a, b], 1]
    weight = size / size.sum(axis=-1, keepdims=True)
    whole = np.array(types)
    whole[..., a, 0] = size.sum(axis=-1)
    whole[..., a, 1] = cost.sum(axis=-1) if cost_rule == "sum" else cost.min(axis=-1)
    whole[..., a, 2] = 0.0
    whole[..., 3 + a] = (types[..., [3 + a, 3 + b]] * weight[..., None, :]).sum(axis=-1)
    whole[..., a, 3:] = (types[..., [a, b], 3:] * weight[..., :, None]).sum(axis=-2)
    whole[..., a, 3 + a] = 0.0
    rows = np.delete(np.arange(m), b)
    return np.asarray(whole[..., rows, :][..., np.concatenate([np.arange(3), 3 + rows])])
