"""Buying at given prices: what each importer takes when the prices are somebody else's decision."""

import math

import numpy as np

from mechanism.market.accounting import SEARCH, TIE, Outcome
from mechanism.market.allocation import kernels
from mechanism.market.allocation.selection import NODE_LIMIT, clear_importers, matrices_of
from mechanism.market.clients import Market, Reports
from mechanism.space import Floats


def buy(reports: Reports, offers: Floats, market: Market, *, node_limit: int = NODE_LIMIT) -> Outcome:
    """Give each importer the set that maximises G_i(S) - sum_j offers_ij and let it pay those prices.

    Exact. Penalties play no part. Ties: sellers are visited by rising price per sample, then larger size, then client
    order, include first, and a set replaces another only if it is better by more than `TIE`; no reported cost enters.
    ``reports``: ``[..., m]``; sizes and gains are read, costs are not. ``offers``: money per import ``[..., m, m]``,
    row i importer, column j exporter, >= 0, +inf: not on offer. The diagonal is not read. ``market``: its gain law and
    effective sizes are used; its differences only lend their batch axes.
    """
    m = reports.clients
    batch = np.broadcast_shapes(reports.batch, offers.shape[:-2], market.batch)
    count = math.prod(batch)
    parts = (reports.size, reports.gain)
    size, gain = (np.ascontiguousarray(np.broadcast_to(part, (*batch, m)).reshape(count, m)) for part in parts)
    asked = np.ascontiguousarray(np.broadcast_to(offers, (*batch, m, m)).reshape(count, m, m))
    taken = np.zeros((count, m, m), dtype=np.bool_)
    prices, gap = np.zeros((count, m, m)), np.zeros((count, m))
    clear_importers(
        count * m, count * m * m, size, size, gain, *matrices_of(market.counted(reports.size), batch), asked,
        np.arange(count), 0.0, market.law.kernel_form(),
        kernels.OFFERED, kernels.NOTHING, node_limit, TIE, SEARCH, taken, prices, gap,
    )  # fmt: skip
    np.copyto(prices, asked, where=taken)
    shape = (*batch, m, m)
    return Outcome(taken.reshape(shape), prices.reshape(shape), np.zeros((*batch, m)), gap.reshape(*batch, m))
