"""Random numbers keyed by what they are for, so that no call order, method or number of clients changes them."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def uniform(seed: int, purpose: str, clients: int, low: float, high: float) -> NDArray[np.float64]:
    """Return one uniform number in [low, high] per client, float64 [m]; client k's depends on (seed, purpose, k) only."""
    key = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
    draws = [np.random.default_rng([seed, key, client]).random() for client in range(clients)]
    return np.asarray(low + (high - low) * np.array(draws))
