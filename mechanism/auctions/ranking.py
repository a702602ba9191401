"""Who is first: the one tie rule of the classics. Equal numbers are ranked by index, the lowest index first."""

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats

Integers = NDArray[np.intp]


def descending(values: Floats) -> Integers:
    """Return the indices ``[..., n]`` from the highest value to the lowest, ties by the lowest index.

    >>> import numpy as np
    >>> descending(np.array([0.2, 0.7, 0.7])).tolist()
    [1, 2, 0]
    """
    return np.argsort(-values, axis=-1, kind="stable")


def ascending(values: Floats) -> Integers:
    """Return the indices ``[..., n]`` from the lowest value to the highest, ties by the lowest index."""
    return np.argsort(values, axis=-1, kind="stable")


def hand_out(order: Integers, by_rank: Floats) -> Floats:
    """Give to the agent ``order[..., r]`` the number ``by_rank[..., r]``; result ``[..., n]`` in agents' order.

    >>> import numpy as np
    >>> hand_out(np.array([1, 2, 0]), np.array([1.0, 0.5, 0.25])).tolist()
    [0.25, 1.0, 0.5]
    """
    given = np.empty(order.shape)
    np.put_along_axis(given, order, np.broadcast_to(by_rank, order.shape), axis=-1)
    return given


def highest(bids: Floats) -> Floats:
    """Return the highest bid ``[...]``: the most that one item can be worth."""
    return np.asarray(bids.max(axis=-1))


def wins(bids: Floats) -> NDArray[np.bool_]:
    """Return bool ``[..., n]``: the one highest bidder, ties by the lowest index."""
    return bids.argmax(axis=-1)[..., None] == np.arange(bids.shape[-1])


def highest_other(bids: Floats, *, none: float = 0.0) -> Floats:
    """Return the highest bid of the others ``[..., n]``; ``none`` where there is no other agent.

    >>> import numpy as np
    >>> highest_other(np.array([0.2, 0.9, 0.7])).tolist()
    [0.9, 0.7, 0.9]
    """
    if bids.shape[-1] == 1:
        return np.full(bids.shape, none)
    second, first = np.moveaxis(np.partition(bids, -2, axis=-1)[..., -2:], -1, 0)
    return np.where(wins(bids), second[..., None], first[..., None])
