"""A price that falls on a clock until enough sellers have left: found by those who do not trade, moved by nobody.

For importer i, apart from all others. The *sellers* are those whose models bring it something (e_ij > 0). The clock
shows a price r and offers seller j money r·e_ij^b; it falls from above, and j leaves when the offer falls below its
cost. Clients whose models bring i nothing leave as well, at their cost for the sellers' (geometric) mean e^b: they
have a cost to compare, and nothing to win here. After each leaving the clock stops if

- one seller is left, or
- a buyer with the mean gain and size of all who have left (those who bring nothing included) would find the data of
  the sellers that are left worth their price: G'(n + q·x)·x >= r·sum_left e^b, x = sum_left e.

The sellers left are offered to i at the r at which the last one left; i takes the set that maximises G_i(S) less its
price, penalties not subtracted. Where nobody left before the last seller, i buys nothing.

**Truthful in cost and gain; with effective sizes, which nobody reports, in size too, and in all three jointly.** The
clock reads the reports of those who have left, the number of those who have not, and public data. Leave out j's
reports and let j never leave: the clock then stops at a price T_j that j cannot move. (1) j with c_j below T_j·e_ij^b
stays whatever else it says, is offered T_j·e_ij^b, and neither that offer nor the others' depend on what it says.
(2) With a higher cost it leaves, sells i nothing, and could enter only at a price below its cost. (3) A client whose
model brings i nothing sells i nothing whatever it says. (4) i's own reports are not read before it chooses, and truth
chooses best at the prices given. A client's utility is the sum of its part as importer and of its parts as the seller
of each other importer, and truth is best in each. Equal prices: later clients leave first.
**Nobody loses**: sellers are offered at least their cost, the importer may buy nothing. **Balanced**: bilateral.

A clock that sellers leave is the deferred-acceptance auction of Milgrom and Segal (2020), here with a buyer that may
take less than what is left.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mechanism.entry import BALANCED, truths
from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import Outcome
from mechanism.market.allocation.offers import buy
from mechanism.market.allocation.selection import NODE_LIMIT
from mechanism.market.clients import SMALLEST_SIZE, Market, Reports
from mechanism.market.direct import GIVEN, RATIONAL, SHAPED, honest, market_entry
from mechanism.space import Floats


@dataclass(frozen=True)
class ClockPrice:
    """Importer i is offered the sellers left on a falling clock at its last price, and takes its best set of them.

    ``power`` b in [0, 1]: 0, one price a model; 1, one price a sample. ``caution`` q in (0, 1]: the smaller, the
    sooner the clock stops, with more sellers at higher prices. Their defaults gave the most welfare of those tried
    (docs/effective.md). The rule: `mechanism.market.rules.clock_price`.
    """

    power: float = 2 / 3
    caution: float = 0.5
    id: str = "clock-price"
    allocation: str = field(default="clock", init=False)
    payment: str = field(default="clock", init=False)
    node_limit: int = field(default=NODE_LIMIT, kw_only=True)

    def __post_init__(self) -> None:
        if not (0.0 <= self.power <= 1.0 and 0.0 < self.caution <= 1.0):
            raise InvalidMechanismError(
                f"power {self.power} and caution {self.caution}; expected numbers in [0, 1] and (0, 1]"
            )

    def offers(self, reports: Reports, market: Market) -> Floats:
        """Return what each importer is offered ``[..., m, m]``, money; +inf: who left, or brings it nothing."""
        m = reports.clients
        counted = market.counted(reports.size)
        batch = np.broadcast_shapes(reports.batch, counted.shape[:-2])
        if m < 2:
            return np.full((*batch, m, m), np.inf)
        e = np.broadcast_to(counted, (*batch, m, m))
        itself = np.eye(m, dtype=np.bool_)
        sells = (e > 0.0) & ~itself
        weight = np.where(sells, e, 1.0) ** self.power
        sellers = sells.sum(axis=-1, keepdims=True)
        mean = np.exp(np.log(weight).sum(axis=-1, keepdims=True) / np.maximum(sellers, 1))
        leaves_at = reports.cost[..., None, :] / np.where(sells, weight, mean)
        order = np.flip(np.argsort(np.where(itself, -np.inf, leaves_at), axis=-1, kind="stable"), axis=-1)[..., :-1]

        def ranked(array: NDArray[np.generic]) -> Floats:
            whole = np.broadcast_to(array, (*batch, m, m)).astype(np.float64)
            return np.take_along_axis(whole, order, axis=-1)

        def gone(array: NDArray[np.generic]) -> Floats:
            """Sum over the sellers that have left, after each leaving ``[..., m, m - 1]``."""
            return np.cumsum(ranked(np.where(sells, array, 0.0)), axis=-1)

        def left(array: NDArray[np.generic]) -> Floats:
            """Sum over the sellers that are left: whole less gone, so that rounding does not read who is left."""
            return np.where(sells, array, 0.0).sum(axis=-1, keepdims=True) - gone(array)

        def heard(array: NDArray[np.generic]) -> Floats:
            """Sum over all who have left, and those who bring nothing."""
            return np.where(sells | itself, 0.0, array).sum(axis=-1, keepdims=True) + gone(array)

        remaining = np.rint(left(np.ones(())))
        voices = np.maximum(heard(np.ones(())), 1.0)
        # a gain of K is worth K^exponent of a gain of 1, under either kind of law
        worth = heard(reports.gain[..., None, :] ** market.law.kernel_form()[1]) / voices
        size = heard(reports.size[..., None, :]) / voices
        data, price = np.maximum(left(e), 0.0), ranked(leaves_at)
        marginal = worth * market.law.derivative(1.0, 1.0, np.maximum(size, SMALLEST_SIZE) + self.caution * data)
        stops = (remaining >= 1) & ((marginal * data >= price * left(weight)) | (remaining == 1))
        last = np.argmax(stops, axis=-1)[..., None]
        offered = np.zeros((*batch, m, m), dtype=np.bool_)
        np.put_along_axis(offered, order, (np.arange(m - 1) > last) & stops.any(axis=-1, keepdims=True), axis=-1)
        return np.where(offered & sells, np.take_along_axis(price, last, axis=-1) * weight, np.inf)

    def clear(self, reports: Reports, market: Market) -> Outcome:
        """Clear at each importer's last price; exact, balanced."""
        return buy(reports, self.offers(reports, market), market, node_limit=self.node_limit)


RULE = ClockPrice()

ENTRY = market_entry(
    RULE,
    "those left on a falling clock at its last price",
    "after Milgrom and Segal: Clock Auctions and Radio Spectrum Reallocation, 2020",
    truths(
        **RATIONAL, **honest("yes", GIVEN, "no"), **BALANCED, **SHAPED, bic="no (size; yes in cost and gain)",
        efficiency="no", non_bossiness="no", group_dsic="no", split_proof="no", merge_proof="no", core="no",
    ),
    fewest=3,
)  # fmt: skip
