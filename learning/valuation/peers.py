"""What a client's imports were to be expected to bring, by what others' brought: so that the rest is a surprise."""

import numpy as np
from numpy.typing import NDArray

from mechanism.market.rules.earned import MOST
from mechanism.space import Floats

Flags = NDArray[np.bool_]

KEPT = 0.5
"""Share of earlier rounds in what is usual of a client."""


class Peers:
    """The expectation: the mean of what the others who bought in the same round found, times what is usual of oneself.

    That is how many times its peers' mean a client found in earlier rounds, smoothed; 1 at first. ``brought`` [m]: what
    ``imports`` [m, m] brought, here the fall of a loss, in nats, at least 0.
    """

    def __init__(self, clients: int) -> None:
        self._usual = np.ones(clients)

    def surprise(self, brought: Floats, imports: Flags) -> Floats:
        """Return s [m] = brought/expected - 1, `MOST` at most; 0 for who bought nothing, or has nobody to compare with.

        >>> imports = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]], dtype=bool)
        >>> Peers(3).surprise(np.array([3.0, 1.0, 0.0]), imports).round(2).tolist()
        [2.0, -0.67, 0.0]
        """
        expected = self._usual * _others(brought, imports)
        ratio = np.divide(brought, expected, out=np.ones(len(brought)), where=expected > 0.0)
        return np.minimum(ratio - 1.0, MOST)

    def seen(self, brought: Floats, imports: Flags) -> None:
        """Learn from a round what is usual; what is far off counts as `surprise` counts it."""
        others = _others(brought, imports)
        ratio = np.divide(brought, others, out=self._usual.copy(), where=others > 0.0)
        self._usual = KEPT * self._usual + (1.0 - KEPT) * np.minimum(ratio, 1.0 + MOST)


def _others(brought: Floats, imports: Flags) -> Floats:
    """Return the mean of what the others who bought found [m]; 0 for who did not buy or is the only one."""
    bought = imports.any(axis=1)
    found = np.where(bought, brought, 0.0)
    return np.where(bought, (found.sum() - found) / max(int(bought.sum()) - 1, 1), 0.0)
