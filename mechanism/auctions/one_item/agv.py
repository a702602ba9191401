"""The expected-externality mechanism of Arrow, d'Aspremont and Gérard-Varet, for one item."""

from mechanism.auctions.auction import ONE_ITEM, Auction
from mechanism.auctions.ranking import highest, wins
from mechanism.direct import Floats
from mechanism.entry import BALANCED, MONOTONE, CatalogueEntry, truths
from mechanism.errors import InvalidMechanismError


def agv(agents: int = 3) -> Auction:
    """Give one item to the highest bidder; each is paid its expected externality, the others share the bill.

    Values are independent and uniform on [0, 1].

    1. The item goes to w = argmax_i b_i, ties to the lowest index.
    2. What the others can expect when i reports b: ξ(b) = E[max_{j≠i} v_j · 1{max_{j≠i} v_j > b}] = (n-1)/n (1 - bⁿ).
    3. Agent i receives ξ(b_i) and pays the mean of ξ(b_j) over the others: net payment
       p_i = Σ_{j≠i} ξ(b_j)/(n-1) - ξ(b_i), which sums to zero over the agents.

    Truthful in expectation over the prior, balanced and efficient; not in dominant strategies, and for n >= 3 some
    loser may have to pay. With value v an agent expects (1/n)(vⁿ + (n-1)/(n+1)) > 0.

    >>> agv(2)([[0.0, 1.0]])
    (array([[0., 1.]]), array([[-0.5,  0.5]]))

    Source: Arrow, 1979; d'Aspremont, Gérard-Varet, Incentives and incomplete information, 1979; Krishna, 5.3.2.
    `InvalidMechanismError` if there are fewer than two agents.
    """
    if agents < 2:
        raise InvalidMechanismError("the expected-externality mechanism needs at least two agents to share the bill")
    return Auction(_rule, agents, name="agv", optimum=highest, family=agv)


def expected_externality(bids: Floats, agents: int) -> Floats:
    """Return ξ(b) = (n-1)/n (1 - bⁿ): what the n-1 others expect from the item when one reports b."""
    return (agents - 1) / agents * (1.0 - bids**agents)


def _rule(bids: Floats) -> tuple[Floats, Floats]:
    agents = bids.shape[-1]
    received = expected_externality(bids, agents)
    bill = (received.sum(axis=-1, keepdims=True) - received) / (agents - 1)
    return wins(bids).astype(float), bill - received


ENTRY = CatalogueEntry(
    "agv", "expected-externality mechanism, one item", "Arrow 1979, d'Aspremont, Gérard-Varet 1979", ONE_ITEM,
    truths(
        ir="no (a loser may pay)",  # with two agents it never does: hence at least three
        interim_ir="yes", dsic="no", bic="yes", **BALANCED, efficiency="yes", **MONOTONE, anonymity="yes",
        non_bossiness="yes", group_dsic="no",
    ),
    agv, fewest=3,
)  # fmt: skip
