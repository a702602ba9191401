"""The market mechanisms by id; each stands in a file of `mechanism.market.rules`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mechanism.entry import CatalogueEntry
from mechanism.errors import UnknownNameError
from mechanism.market.rules import (
    clock_price,
    exact_marginal,
    ipfl,
    ipfl_exact,
    no_payment,
    pooled_price,
    posted_price,
    realised,
    realised_bilateral,
    shapley_split,
    vcg_two_sided,
)
from mechanism.market.rules.rule import Clearing

_KNOWN = (
    ipfl_exact, ipfl, exact_marginal, posted_price, pooled_price, clock_price, vcg_two_sided, shapley_split, realised,
    realised_bilateral, no_payment,
)  # fmt: skip

MARKET_ENTRIES: Mapping[str, CatalogueEntry] = MappingProxyType({known.ENTRY.id: known.ENTRY for known in _KNOWN})
"""What the catalogue says of each, by id."""

_RULES: Mapping[str, Clearing] = {known.RULE.id: known.RULE for known in _KNOWN}


def market_mechanism(name: str) -> Clearing:
    """Return the market mechanism of that id, with its default parameters.

    Raises
    ------
    UnknownNameError
        If there is none; the message lists what there is.
    """
    try:
        return _RULES[name]
    except KeyError:
        raise UnknownNameError(f"unknown market mechanism {name!r}; known: {', '.join(_RULES)}") from None
