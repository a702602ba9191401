"""Prices of which the part above cost is earned: it grows and shrinks with what the models are measured to bring.

A rule clears first, on reports: j sells to i at p_ij >= c_j. When it is known what imports brought i, a public number
s_i in [-1, `MOST`] says how much more that is than was to be expected, 0: as expected. Then i pays j

    c_j + (p_ij - c_j) (1 + theta_i s_i),    theta_i = min(1, (G_i - sum_j p_ij) / (`MOST` sum_j (p_ij - c_j))).

**Nobody loses, whatever s_i**: a seller is paid its cost at least, and i pays G_i at most, the gain that the market
counts. **Balanced**: bilateral. **Truthful where the rule that clears is, in expectation**: utilities are affine in s,
at s = 0 those of the rule, so that where E[s_i | reports, S_i] = 0 each report has the expected utility that it has
under the rule. That is a premise about how s is measured, no theorem; where E[s_i | reports, S_i] = b_i, whatever is
reported, a lie gains in expectation what it gains at s = b.

What was to be expected must be in the price at which i chooses. Payments that make a choice truthful in cost are fixed
by it, in expectation and net, but for an amount that a client's own cost does not move (Holmström 1979). Such an amount
may be anything public, a fee on e, say. It is none where who sells nothing is paid nothing and who buys nothing pays
nothing, what one pays does not follow one's own cost, K is private and the choice truthful in it as well, and types
reach a cost at which j sells nothing and a K at which it buys nothing. So it is under the clock's and the pool's rule;
under `ipfl-exact`, which is not truthful in K, what a buyer pays is not fixed. And i must not be able to move s: a
buyer asked what its imports brought would say nothing.
"""

from dataclasses import dataclass, field

import numpy as np

from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import Outcome, gains
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.rules.rule import Clearing
from mechanism.space import Floats

MOST = 4.0
"""Largest s: what brings five times as much as expected earns no more than that."""

SUFFIX = "-earned"
"""What the names of these rules end in."""


@dataclass(frozen=True, eq=False)
class Unsettled(Outcome):
    """What was cleared, with the reports and public data that it was cleared on."""

    reports: Reports
    market: Market


@dataclass(frozen=True)
class Earned:
    """Clear by ``rule``, which sells at no less than cost; settle its prices' margins on what models brought."""

    rule: Clearing
    id: str = field(init=False)
    allocation: str = field(init=False)
    payment: str = field(default="earned", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.rule.id + SUFFIX)
        object.__setattr__(self, "allocation", self.rule.allocation)

    def clear(self, reports: Reports, market: Market) -> Unsettled:
        """Choose and price as the rule does: what is paid if models bring what was expected."""
        found = self.rule.clear(reports, market)
        return Unsettled(found.imports, found.prices, found.centre, found.gap, reports, market)

    def settle(self, outcome: Outcome, types: Types, measured: Floats | None = None) -> Outcome:
        """Return the outcome with the prices that follow from s, ``measured`` ``[..., m]``; None: s = 0.

        `InvalidMechanismError` if the outcome is not one of `clear`, or an s is not in [-1, `MOST`].
        """
        if not isinstance(outcome, Unsettled):
            raise InvalidMechanismError("settle needs what clear returned: the reports are in it")
        s = np.zeros(()) if measured is None else np.asarray(measured, dtype=np.float64)
        if not ((s >= -1.0) & (s <= MOST)).all():
            raise InvalidMechanismError(f"what was measured is not from -1 to {MOST:g}, more than expected")
        imports, prices, reports = outcome.imports, outcome.prices, outcome.reports
        margin = np.where(imports, np.maximum(prices - reports.cost[..., None, :], 0.0), 0.0)
        at_risk = MOST * margin.sum(axis=-1)
        spare = np.clip(gains(reports, imports, outcome.market) - prices.sum(axis=-1), 0.0, at_risk)
        share = np.divide(spare, at_risk, out=np.zeros(spare.shape), where=at_risk > 0.0)
        return Outcome(imports, prices + (share * s)[..., None] * margin, outcome.centre, outcome.gap)
