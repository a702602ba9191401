"""The best lie about one's gain parameter or one's size that a ladder of reports finds: a search, no best response."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mechanism import Market, Types, UnknownNameError
from mechanism.market.clients import LARGEST, SMALLEST_SIZE
from mechanism.market.rules.rule import Clearing
from proofs_checks.search.flat_markets import flatten
from proofs_checks.search.reports import BestReports, chosen, utilities_of_reports

Array = NDArray[np.float64]

MULTIPLES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.01, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Multiples of the truth that are tried, besides the lowest, the median and the largest report of all."""


def best_number_lies(
    mechanism: Clearing, types: Types, market: Market, coordinate: str, *, limit: int | None = None
) -> BestReports:
    """Return each client's best report of its "gain" or "size" among a ladder, the others truthful.

    Parameters
    ----------
    mechanism, types, market
        As in `cost_lies.best_cost_lies`, any batch.
    coordinate
        "gain" or "size" (costs have break points: `best_cost_lies`).
    limit
        At most this many reports per client, every so-many-th of the ladder.

    Raises
    ------
    UnknownNameError
        If the coordinate is another.
    """
    if coordinate not in ("gain", "size"):
        raise UnknownNameError(f"lies about {coordinate!r} are not looked for here; expected 'gain' or 'size'")
    flat = flatten(types, market)
    truth = getattr(flat, coordinate)
    ladder = truth[..., None] * np.array(MULTIPLES)
    common = np.stack([truth.min(axis=1), np.median(truth, axis=1), truth.max(axis=1)], axis=-1)
    tried = np.concatenate([np.broadcast_to(common[:, None, :], (*truth.shape, 3)), ladder], axis=-1)
    if limit is not None and tried.shape[-1] > limit:
        tried = tried[..., np.linspace(0, tried.shape[-1] - 1, max(1, limit)).astype(int)]
    least = SMALLEST_SIZE if coordinate == "size" else 0.0
    reports = np.concatenate([truth[..., None], np.clip(tried, least, LARGEST)], axis=-1)
    utility, _ = utilities_of_reports(mechanism, flat, reports, coordinate)
    return chosen(flat, coordinate, reports, utility, exact=False)
