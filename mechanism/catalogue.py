"""Every mechanism by id: what it is, where it is from, and what theory says of each property.

Each entry stands in the file of its rule; here they are collected, in the order in which they are listed. A truth
states what is known, not what was checked: evidence is the business of the verification package, and a disagreement
between the two is a bug in one of them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from mechanism.auctions.one_item import (
    agv,
    all_pay,
    first_price,
    myerson,
    posted_price_single,
    second_price,
    second_price_reserve,
)
from mechanism.auctions.public import clarke_public_good, fact, moulin_shapley
from mechanism.auctions.two_sides import k_double_auction, mcafee
from mechanism.auctions.units import (
    discriminatory,
    greedy_knapsack,
    gsp,
    proportional_share,
    uniform_price,
    vcg_combinatorial,
    vcg_positions,
)
from mechanism.auctions.without_money import deferred_acceptance, mean_vote, median_vote, serial_dictatorship
from mechanism.direct import DirectMechanism
from mechanism.entry import PROPERTIES, CatalogueEntry, KnownEquilibrium
from mechanism.errors import UnknownNameError, unknown
from mechanism.market.mechanisms import EFFECTIVE_ENTRIES, MARKET_ENTRIES

__all__ = [
    "AUCTION_ENTRIES", "CATALOGUE", "EFFECTIVE_ENTRIES", "MARKET_ENTRIES", "PROPERTIES", "CatalogueEntry",
    "KnownEquilibrium", "direct_mechanism",
]  # fmt: skip

_AUCTIONS = (
    first_price, second_price, second_price_reserve, all_pay, uniform_price, discriminatory, gsp, vcg_positions,
    vcg_combinatorial, myerson, posted_price_single, mcafee, k_double_auction, clarke_public_good, agv, moulin_shapley,
    fact, greedy_knapsack, proportional_share, median_vote, mean_vote, serial_dictatorship, deferred_acceptance,
)  # fmt: skip

AUCTION_ENTRIES: Mapping[str, CatalogueEntry] = MappingProxyType({rule.ENTRY.id: rule.ENTRY for rule in _AUCTIONS})
"""The classics by id."""

CATALOGUE: Mapping[str, CatalogueEntry] = MappingProxyType({**MARKET_ENTRIES, **EFFECTIVE_ENTRIES, **AUCTION_ENTRIES})
"""All mechanisms, by id."""


def direct_mechanism(name: str, agents: int | None = None) -> DirectMechanism:
    """Return a mechanism of the catalogue as a direct mechanism over its default domain, ready for verification.

    `UnknownNameError` if the catalogue does not hold it, or not for that number of agents.
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        raise unknown("mechanism", name, CATALOGUE)
    count = entry.agents if agents is None else agents
    if count < entry.fewest:
        raise UnknownNameError(f"{name} needs at least {entry.fewest} agents; got {count}")
    return entry.build(count)
