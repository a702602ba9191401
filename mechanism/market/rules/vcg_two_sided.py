"""The two-sided pivot rule: everyone pays its pivot to a centre (Vickrey, Clarke, Groves)."""

from dataclasses import dataclass, field

import numpy as np

from mechanism.entry import truths
from mechanism.market.accounting import CentralOutcome
from mechanism.market.allocation import kernels
from mechanism.market.allocation.selection import NODE_LIMIT, run_kernels
from mechanism.market.clients import Market, Reports
from mechanism.market.direct import CENTRAL, GIVEN, RATIONAL, SHAPED, honest, market_entry


@dataclass(frozen=True)
class TwoSidedPivot:
    """Exact selection; importers pay the centre w_ij = c_j + pen_ij, sellers get their critical value from it.

    j receives c_j + W_k(M) - W_k(M without j) for each sale to k, so that
    U_i = W_i(M) + sum_{k != i} [W_k(M) - W_k(M without i)] >= 0, truthful in costs and gains. The penalties are a
    public bias of the choice that the importer pays to the centre. The centre keeps
    sum_ij a_ij (pen_ij - [W_i(M) - W_i(M without j)]): never a surplus at lambda = 0, either sign above.
    Ties as in `mechanism.market.rules`.
    """

    id: str = "vcg-two-sided"
    allocation: str = field(default="exact", init=False)
    payment: str = field(default="two-sided", init=False)
    node_limit: int = field(default=NODE_LIMIT, kw_only=True)

    def clear(self, reports: Reports, market: Market) -> CentralOutcome:
        """Clear through the centre: ``prices`` are zero, ``centre`` is purchases less sales."""
        sold = run_kernels(
            reports, market, allocation=kernels.EXACT, payment=kernels.CLARKE, node_limit=self.node_limit
        )
        burden = reports.cost[..., None, :] + market.penalties(reports.size)
        purchases = (sold.imports * burden).sum(axis=-1)
        sales = sold.prices.sum(axis=-2)
        return CentralOutcome(sold.imports, np.zeros_like(sold.prices), purchases - sales, sold.gap, sales)


RULE = TwoSidedPivot()

ENTRY = market_entry(
    RULE,
    "exact selection, everyone pays its pivot to a centre",
    "Vickrey, 1961; Clarke, 1971; Groves, 1973; the deficit: Myerson and Satterthwaite, 1983",
    truths(
        **RATIONAL, **honest("yes", GIVEN, "no"), **CENTRAL, **SHAPED, bic="no (size; yes in cost and gain)",
        efficiency="yes", non_bossiness="no", group_dsic="no", split_proof="no", merge_proof="no",
        core="no (with penalties; unblocked, but subsidised, without)",
    ),
)  # fmt: skip
