"""What each client's true utility becomes when it alone reports another number, and which of many reports is best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism import TIE, account
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import settled
from proofs_checks.search.flat_markets import FlatMarkets, chunk_rows

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BestReports:
    """Each client's best report of one number, the others telling the truth.

    ``coordinate``: "cost", "gain" or "size". ``gain`` ``[..., m]`` >= 0: what the report adds to the client's true
    utility, money. ``report`` ``[..., m]``: that report (the truth where nothing is gained; of equally good ones the
    nearest to the truth). ``utility_truthful`` and ``utility_lying`` ``[..., m]``. ``deviations``: reports tried, over
    all clients and markets. ``exact``: no report whatever is better (beyond rounding).
    """

    coordinate: str
    gain: Array
    report: Array
    utility_truthful: Array
    utility_lying: Array
    deviations: int
    exact: bool

    def best(self) -> tuple[int, ...]:
        """Return where the largest gain is: batch index and client, the first of equals."""
        return tuple(int(k) for k in np.unravel_index(int(np.argmax(self.gain)), self.gain.shape))


def chosen(flat: FlatMarkets, coordinate: str, reports: Array, utility: Array, *, exact: bool) -> BestReports:
    """Return the best of the reports ``[F, m, q]`` (the truth first) by their utilities ``[F, m, q]``."""
    truth = getattr(flat, coordinate)
    truthful = utility[..., 0]
    most = utility.max(axis=-1)
    slack = TIE * np.maximum(1.0, np.abs(utility).max(axis=-1))
    distance = np.where(utility >= (most - slack)[..., None], np.abs(reports - truth[..., None]), np.inf)
    pick = np.argmin(distance, axis=-1)[..., None]
    lying = np.take_along_axis(utility, pick, axis=-1)[..., 0]
    said = np.take_along_axis(reports, pick, axis=-1)[..., 0]
    shape = (*flat.batch, flat.clients)
    return BestReports(
        coordinate,
        np.maximum(lying - truthful, 0.0).reshape(shape),
        said.reshape(shape),
        truthful.reshape(shape),
        lying.reshape(shape),
        deviations=int(utility[..., 1:].size),
        exact=exact,
    )


def utilities_of_reports(
    mechanism: Clearing, flat: FlatMarkets, reports: Array, coordinate: str
) -> tuple[Array, float]:
    """Return true utility ``[F, m, q]`` of client j of market f when it alone reports ``reports[f, j, q]``.

    The second is the largest optimality gap met. A mechanism with two stages (`settle`) is settled on the truth.
    """
    m, q = flat.clients, reports.shape[-1]
    utility = np.empty(flat.count * m * q)
    said = reports.reshape(-1)
    worst = 0.0
    step = chunk_rows(m)
    for start in range(0, utility.size, step):
        task = np.arange(start, min(start + step, utility.size))
        row, client = task // (m * q), task // q % m
        here = np.arange(len(task))
        types, market = flat.types(row), flat.market(row)
        told = np.array(getattr(types, coordinate))
        told[here, client] = said[task]
        outcome = settled(mechanism, mechanism.clear(types.report(**{coordinate: told}), market), types)
        utility[task] = account(types, outcome, flat.law).utility[here, client]
        worst = max(worst, float(outcome.gap.max(initial=0.0)))
    return utility.reshape(reports.shape), worst
