"""What is drawn for each client before a run, keyed by what it is for: no method, order or client count changes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learning.streams import stream


def uniform(seed: int, purpose: str, clients: int, low: float, high: float) -> NDArray[np.float64]:
    """Return one uniform number in [low, high] per client, float64 [m]; client k's follows from (seed, purpose, k)."""
    draws = [stream(seed, purpose, 0, client).random() for client in range(clients)]
    return np.asarray(low + (high - low) * np.array(draws))
