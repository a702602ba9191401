"""Small rules with known faults, shared by the engine's tests."""

from __future__ import annotations

import numpy as np

from mechanism.direct import Floats, SingleParameter


def winners(bids: Floats) -> Floats:
    """One at the highest bid, ties to the lowest index."""
    return np.asarray(np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None], dtype=np.float64)


def second(bids: Floats) -> Floats:
    """The second highest bid, a column."""
    return np.sort(bids, axis=1)[:, -2:-1]


def made(rule, agents=3, name="rule", **more) -> SingleParameter:
    """A mechanism from a function of bids."""
    return SingleParameter(rule, agents, name=name, **more)


def with_corner(volume: float, agents: int = 3, name: str = "cornered") -> SingleParameter:
    """A second-price auction in which the winner pays a tenth of its own bid more when all bids lie in one box."""
    side = volume ** (1.0 / agents)

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        box = ((bids > 0.37) & (bids < 0.37 + side)).all(axis=1)[:, None]
        return winners(bids), winners(bids) * (second(bids) + 0.1 * box * bids)

    return made(rule, agents, name)
