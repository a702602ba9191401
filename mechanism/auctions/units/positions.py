"""Ad positions: click rates that fall, agents that value a click."""

from collections.abc import Sequence

import numpy as np

from mechanism.direct import Floats
from mechanism.errors import InvalidMechanismError

CLICKS = "positions with 1, 1/2, 1/4, … clicks, one per agent; a private value of a click in [0, 1]"
"""The domain in words."""


def click_rates(rates: Sequence[float] | None, agents: int) -> tuple[float, ...]:
    """Return the clicks of each position, top first; by default 1, 1/2, 1/4, … with one position per agent.

    `InvalidMechanismError` if rates rise, are negative or not finite, or there is no position.
    """
    chosen = tuple(0.5**k for k in range(agents)) if rates is None else tuple(float(r) for r in rates)
    steps = np.diff(chosen)
    if not chosen or not np.isfinite(chosen).all() or (steps > 0).any() or chosen[-1] < 0:
        raise InvalidMechanismError(f"click rates are {list(chosen)}; expected at least one, not negative, not rising")
    return chosen


def by_rank(rates: Sequence[float], agents: int) -> Floats:
    """Return the clicks of the agents ranked 0, 1, …: ``[agents]``, 0 below the last position."""
    clicks = np.zeros(agents)
    count = min(agents, len(rates))
    clicks[:count] = rates[:count]
    return clicks


def best_clicks(rates: Sequence[float], values: Floats) -> Floats:
    """Return the largest total value of clicks ``[...]``: the highest value on top."""
    return np.asarray(np.sort(values, axis=-1)[..., ::-1] @ by_rank(rates, values.shape[-1]))
