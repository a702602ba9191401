"""Payments on realised gains: choose on reports, pay on what training measured (after Mezzetti, 2004)."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mechanism.entry import truths
from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import CentralOutcome, Outcome, gains, values
from mechanism.market.allocation import kernels
from mechanism.market.allocation.selection import NODE_LIMIT, run_kernels
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.direct import AT_TRUTH, CENTRAL, SHAPED, market_entry
from mechanism.space import Floats


@dataclass(frozen=True, eq=False)
class StageOne(CentralOutcome):
    """What was chosen on reports, with the payments that follow if what is measured is what was reported.

    ``removed`` float64 ``[..., m, m]``: W_k(M without j), row importer k, column seller j, from reports; it does not
    depend on j's. ``reports`` and ``market``: what the choice was made on.
    """

    removed: Floats
    reports: Reports
    market: Market


@dataclass(frozen=True)
class Realised:
    """Two stages: exact selection on reports, payments on measured gains ĝ and penalties at true sizes.

    ``form`` "global": i pays the centre t_i = h_i - [sum_{k != i} (ĝ_k - c_k exports_k) - sum of all penalties],
    h_i = sum_{k != i} W_k(M without i); then U_i = V_lambda(measured) - h_i, so that with others truthful nobody gains
    by a false cost, gain or size. "bilateral": p_ij = ĝ_i - sum_{k in S, k != j} c_k - sum_S pen_ik - W_i(M without j):
    exactly balanced, ex-post truthful for sellers only; a price may be negative off the truth. Costs are the reported
    ones. Both are incentive compatible when the others tell the truth, not whatever they say.
    """

    form: str = "global"
    id: str = "realised"
    allocation: str = field(default="exact", init=False)
    payment: str = field(default="", init=False)
    node_limit: int = field(default=NODE_LIMIT, kw_only=True)

    def __post_init__(self) -> None:
        if self.form not in ("global", "bilateral"):
            raise InvalidMechanismError(f"form is {self.form!r}; expected 'global' or 'bilateral'")
        object.__setattr__(self, "payment", "realised" if self.form == "global" else "realised-bilateral")

    def clear(self, reports: Reports, market: Market) -> StageOne:
        """Choose, and pay as if the reports were what training measures: stage one, and at truth the whole."""
        chosen = run_kernels(
            reports, market, allocation=kernels.EXACT, payment=kernels.CLARKE, node_limit=self.node_limit
        )
        best = values(reports, chosen.imports, market)
        # who was not chosen is not missed; who was is missed by the critical price less its cost
        missed = np.where(chosen.imports, chosen.prices - reports.cost[..., None, :], 0.0)
        removed = best[..., :, None] - missed
        paid = self._pay(chosen.imports, removed, reports, Types(reports.size, reports.cost, reports.gain), market)
        prices, centre, sales = paid
        return StageOne(chosen.imports, prices, centre, chosen.gap, sales, removed, reports, market)

    def settle(self, outcome: Outcome, types: Types, measured: Floats | None = None) -> CentralOutcome:
        """Return the outcome of stage two: the same imports, paid on the gains ``measured`` ``[..., m]``, money.

        None: on what the gain law says at the true types ``[..., m]``. Penalties are settled at true sizes.
        `InvalidMechanismError` if the outcome is not one of `clear`.
        """
        if not isinstance(outcome, StageOne):
            raise InvalidMechanismError("settle needs what clear returned: the reports and the removals are in it")
        reports, market = outcome.reports, outcome.market
        prices, centre, sales = self._pay(outcome.imports, outcome.removed, reports, types, market, measured)
        return CentralOutcome(outcome.imports, prices, centre, outcome.gap, sales)

    def _pay(
        self,
        imports: NDArray[np.bool_],
        removed: Floats,
        reports: Reports,
        types: Types,
        market: Market,
        measured: Floats | None = None,
    ) -> tuple[Floats, Floats, Floats]:
        """Return prices ``[..., m, m]``, centre and sales ``[..., m]``; gains and penalties from types, costs reported.

        With V_k the measured gain of k less reported costs and true penalties of its purchases, the global form is:
        pay w_ij for each import, receive c_i for each export and V_k - W_k(M without i) from every k != i.
        """
        gain = gains(types, imports, market) if measured is None else measured
        asked = reports.cost[..., None, :]
        purchases = (imports * (asked + market.penalties(types.size))).sum(axis=-1)
        left = (gain - purchases)[..., :, None] - removed
        if self.form == "bilateral":
            prices = np.where(imports, left + asked, 0.0)
            return prices, np.zeros(prices.shape[:-1]), np.zeros(prices.shape[:-1])
        diagonal = np.arange(imports.shape[-1])
        left[..., diagonal, diagonal] = 0.0
        sales = left.sum(axis=-2) + reports.cost * imports.sum(axis=-2)
        return np.zeros(left.shape), purchases - sales, sales


RULE = Realised()

ENTRY = market_entry(
    RULE,
    "exact selection, pivots on measured gains, through a centre (two stages)",
    "Mezzetti: Mechanism Design with Interdependent Valuations: Efficiency, 2004",
    truths(
        ir=AT_TRUTH, ir_buyer=AT_TRUTH, ir_seller=AT_TRUTH, interim_ir="yes", dsic="no (ex post only)",
        dsic_cost="no (ex post only)", dsic_gain="no (ex post only)", dsic_size="no (ex post only)",
        expost_cost="yes", expost_gain="yes", expost_size="yes", bic="yes", **CENTRAL, **SHAPED, efficiency=AT_TRUTH,
        non_bossiness="no", group_dsic="no", split_proof="no", merge_proof="no",
        core="no (with penalties; unblocked, but subsidised, without)",
    ),
    sizes="private",  # a two-stage rule is made for values that depend on what others deliver
)  # fmt: skip
