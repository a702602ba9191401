"""Every mechanism by id: what it is, where it is from, and what theory says of each property.

A truth states what is known, not what was checked: evidence is the business of the verification package, and a
disagreement between the two is a bug in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mechanism.auctions.entries import AUCTION_ENTRIES
from mechanism.direct import DirectMechanism
from mechanism.entry import PROPERTIES, CatalogueEntry, KnownEquilibrium
from mechanism.errors import UnknownNameError, unknown
from mechanism.market.entries import MARKET_ENTRIES

__all__ = ["CATALOGUE", "MARKET_MECHANISMS", "PROPERTIES", "CatalogueEntry", "KnownEquilibrium", "direct_mechanism"]

MARKET_MECHANISMS: Mapping[str, CatalogueEntry] = MARKET_ENTRIES
"""The market mechanisms that `mechanism.market_mechanism` returns, by id."""

CATALOGUE: Mapping[str, CatalogueEntry] = MappingProxyType({**MARKET_ENTRIES, **AUCTION_ENTRIES})
"""All mechanisms, by id."""


def direct_mechanism(name: str, agents: int | None = None) -> DirectMechanism:
    """Return a mechanism of the catalogue as a direct mechanism over its default domain, ready for verification.

    Raises
    ------
    UnknownNameError
        If the catalogue does not hold it, or not for that number of agents.
    """
    entry = CATALOGUE.get(name)
    if entry is None or entry.build is None:
        raise unknown("mechanism", name, (n for n, e in CATALOGUE.items() if e.build is not None))
    count = entry.agents if agents is None else agents
    if count < entry.fewest:
        raise UnknownNameError(f"{name} needs at least {entry.fewest} agents; got {count}")
    return entry.build(count)
