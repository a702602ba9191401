"""The market mechanisms: an allocation rule and a payment rule, by name.

Ties. `threshold` orders equal thresholds by the client order. `exact` visits sellers by rising price per sample, then
larger size, then client order, include first, and changes its mind only for a set that is better by more than
`mechanism.tolerance.TIE`: what adds nothing is not bought, and of equal sets the first met stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import UnknownNameError
from mechanism.market import kernels
from mechanism.market.accounting import Outcome, objective
from mechanism.market.clearing import NODE_LIMIT, run_kernels
from mechanism.market.clients import Market, Reports
from mechanism.market.pooled import PooledPrice
from mechanism.market.posted import PostedPrice
from mechanism.market.realised import Realised
from mechanism.market.shapley import ShapleySplit
from mechanism.market.two_sided import TwoSidedPivot

ALLOCATIONS: dict[str, int] = {
    "threshold": kernels.THRESHOLD,
    "threshold-skip": kernels.THRESHOLD_SKIP,
    "exact": kernels.EXACT,
    "milp": kernels.GIVEN,
    "full": kernels.FULL,
}
"""Allocation rules by id; `milp` solves the same problem as `exact` by another way (mechanism.market.milp)."""

PAYMENTS: dict[str, int] = {"none": kernels.NOTHING, "marginal": kernels.MARGINAL, "clarke": kernels.CLARKE}
"""Payment rules by id."""


@runtime_checkable
class Clearing(Protocol):
    """What every market mechanism is: reports and public data in, outcome out, with any leading batch axes."""

    @property
    def id(self) -> str:
        """Name in the catalogue."""
        ...

    @property
    def allocation(self) -> str:
        """Id of the rule that decides who imports from whom."""
        ...

    @property
    def payment(self) -> str:
        """Id of the rule that decides who pays what."""
        ...

    def clear(self, reports: Reports, market: Market) -> Outcome:
        """Decide imports, prices and payments to the centre."""
        ...


@dataclass(frozen=True)
class MarketMechanism:
    """A way to clear a market: who imports from whom, and what they pay.

    ``allocation``: `threshold` (paper: falling thresholds, stop at the first that fails), `threshold-skip` (pass over
    it instead), `exact` (maximise each importer's objective), `milp` (the same, independently), `full` (everybody
    imports everything). ``payment``: `marginal` p_ij = G_i(S) - G_i(S without j) - pen_ij, `clarke`
    p_ij = c_j + W_i(all) - W_i(all without j), `none`. Gross, from importer to exporter; nothing goes to a centre.
    """

    id: str
    allocation: str
    payment: str
    node_limit: int = field(default=NODE_LIMIT, kw_only=True)

    def __post_init__(self) -> None:
        for kind, name, known in (("allocation", self.allocation, ALLOCATIONS), ("payment", self.payment, PAYMENTS)):
            if name not in known:
                raise UnknownNameError(f"unknown {kind} rule {name!r}; known: {', '.join(known)}")

    def clear(self, reports: Reports, market: Market) -> Outcome:
        """Clear every market of the batch on what was reported and what is public.

        Returns arrays ``[..., m, m]`` and ``[..., m]`` over the broadcast batch axes of reports and differences.
        """
        imports = None
        if self.allocation == "milp":
            from mechanism.market.milp import select

            imports = select(reports, market)
        return run_kernels(
            reports,
            market,
            allocation=ALLOCATIONS[self.allocation],
            payment=PAYMENTS[self.payment],
            imports=imports,
            node_limit=self.node_limit,
        )


_KNOWN: tuple[Clearing, ...] = (
    MarketMechanism("ipfl", "threshold", "marginal"),
    MarketMechanism("ipfl-exact", "exact", "clarke"),
    MarketMechanism("exact-marginal", "exact", "marginal"),
    PostedPrice(),
    PooledPrice(),
    TwoSidedPivot(),
    ShapleySplit(),
    Realised(),
    Realised("bilateral", id="realised-bilateral"),
    MarketMechanism("no-payment", "full", "none"),
)
_MECHANISMS = {mechanism.id: mechanism for mechanism in _KNOWN}


def market_mechanism(name: str) -> Clearing:
    """Return the market mechanism of that id, with its default parameters.

    Raises
    ------
    UnknownNameError
        If there is none; the message lists what there is.
    """
    try:
        return _MECHANISMS[name]
    except KeyError:
        raise UnknownNameError(f"unknown market mechanism {name!r}; known: {', '.join(_MECHANISMS)}") from None


def fixed_outcome(imports: NDArray[np.bool_]) -> Outcome:
    """Return the outcome of a graph that is given and paid for by nobody (what a method without a market implies)."""
    taken = np.array(imports, dtype=np.bool_)
    diagonal = np.arange(taken.shape[-1])
    taken[..., diagonal, diagonal] = False
    zeros = np.zeros(taken.shape[:-1])
    return Outcome(taken, np.zeros(taken.shape), zeros, zeros)


def optimal_objective(reports: Reports, market: Market) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (value, gap), each ``[...]`` in money: the largest V_lambda on these reports and how sure that is.

    No allocation has an objective above value + gap; gap is 0 unless a search met its node limit.
    """
    best = run_kernels(reports, market, allocation=kernels.EXACT, payment=kernels.NOTHING)
    return objective(reports, best.imports, market), np.asarray(best.gap.sum(axis=-1))
