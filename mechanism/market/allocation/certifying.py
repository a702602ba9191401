"""Making certificates of clearings (`mechanism.market.allocation.optimality` says what they are and checks them)."""

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import InvalidMarketError
from mechanism.market.allocation.optimality import Certificate
from mechanism.market.allocation.purchases import Purchases
from mechanism.market.allocation.selection import in_pieces, kernel

TREE_LIMIT: int = 2_000
"""Nodes of one tree before what is open becomes a leaf: then the certificate proves a gap."""

MOST_NODES: int = 1 << 22
"""Nodes of one certificate."""

_TOO_LARGE = f"a certificate of this clearing needs more than {MOST_NODES} nodes; clear fewer clients at once"
_GROWTH = 4
_ROOM = 0.5  # share of the tolerance that a leaf may leave to the best set: the rest is for rounding


def certify(
    purchases: Purchases, imports: NDArray[np.bool_], *, critical: bool, limit: int = TREE_LIMIT, mode: str = "auto"
) -> Certificate:
    """Return a certificate of one clearing with these imports bool ``[m, m]``, diagonal false.

    It proves as much as is true of them, so that `prove` finds a gap where a better set exists.

    ``critical``: whether it is to prove critical values, too; ``limit``: see `TREE_LIMIT`; ``mode``: as `run_kernels`.
    `InvalidMarketError` if it would have more than `MOST_NODES` nodes.
    """
    m = purchases.clients
    run = kernel("certify_importers", m * m, mode)
    room = _ROOM * purchases.tolerance
    taken = np.ascontiguousarray(imports)
    numbers = [
        np.ascontiguousarray(array) for array in (purchases.own, purchases.gain, purchases.size, purchases.price)
    ]
    law, each = purchases.law.kernel_form(), 64 * (m + int(taken.sum())) // m

    def piece(start: int, stop: int) -> list[NDArray[np.generic]]:
        length = max(1 << 10, min(1 << 20, each * (stop - start)))
        parts: list[list[NDArray[np.generic]]] = [[], [], []]
        total = 0
        while start < stop:
            buffers = np.empty(length, np.int64), np.empty(length), np.empty(length, np.int64)
            used = np.zeros(3, np.int64)
            start = run(start, stop, *numbers, taken, room, law, critical, limit, *buffers, used)
            for part, buffer, count in zip(parts, buffers, used, strict=True):
                part.append(buffer[:count])
            total += int(used[0])
            if total > MOST_NODES or length > _GROWTH * MOST_NODES:
                raise InvalidMarketError(_TOO_LARGE)
            length *= 1 if used[0] else _GROWTH
        return [np.concatenate(part) for part in parts]

    pieces = in_pieces(piece, m, m * m, mode)
    nodes, slopes, flat = (np.concatenate(part) for part in zip(*pieces, strict=True))
    if len(nodes) > MOST_NODES:
        raise InvalidMarketError(_TOO_LARGE)
    others: list[list[int]] = [[]]
    for seller in flat.tolist():
        if seller >= 0:
            others[-1].append(seller)
        else:
            others.append([])
    return Certificate(nodes.astype(np.int64), slopes.astype(np.float64), tuple(map(tuple, others[:-1])))
