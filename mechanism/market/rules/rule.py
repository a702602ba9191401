"""What a market mechanism is, and the one that puts an allocation rule and a payment rule together."""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from mechanism.errors import UnknownNameError
from mechanism.market.accounting import Outcome
from mechanism.market.allocation import kernels
from mechanism.market.allocation.selection import NODE_LIMIT, run_kernels
from mechanism.market.clients import Market, Reports

ALLOCATIONS: dict[str, int] = {
    "threshold": kernels.THRESHOLD,
    "threshold-skip": kernels.THRESHOLD_SKIP,
    "exact": kernels.EXACT,
    "milp": kernels.GIVEN,
    "full": kernels.FULL,
}
"""Allocation rules by id; `milp` solves the same problem as `exact` by another way."""

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
            from mechanism.market.allocation.milp import select

            imports = select(reports, market)
        return run_kernels(
            reports,
            market,
            allocation=ALLOCATIONS[self.allocation],
            payment=PAYMENTS[self.payment],
            imports=imports,
            node_limit=self.node_limit,
        )
