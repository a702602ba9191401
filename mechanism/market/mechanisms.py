"""The market mechanisms by id; each stands in a file of `mechanism.market.rules`."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from mechanism.entry import CatalogueEntry, truths
from mechanism.errors import UnknownNameError
from mechanism.market.direct import HIGH, ON_EFFECTIVE, MarketDirect, honest
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
from mechanism.market.rules.earned import SUFFIX, Earned
from mechanism.market.rules.own_rule import own_rule
from mechanism.market.rules.rule import Clearing, MarketMechanism

__all__ = ["EFFECTIVE_ENTRIES", "MARKET_ENTRIES", "OURS", "MarketMechanism", "entry_of", "market_mechanism"]

_KNOWN = (
    ipfl_exact, ipfl, exact_marginal, posted_price, pooled_price, clock_price, vcg_two_sided, shapley_split, realised,
    realised_bilateral, no_payment,
)  # fmt: skip

MARKET_ENTRIES: Mapping[str, CatalogueEntry] = MappingProxyType({known.ENTRY.id: known.ENTRY for known in _KNOWN})
"""What the catalogue says of each, by id."""

_RULES: Mapping[str, Clearing] = {known.RULE.id: known.RULE for known in _KNOWN}
_OWN: dict[str, Clearing] = {}  # rules in files that this process has executed, by FILE.py:NAME

_SURE = {"ir": "yes", "ir_buyer": "yes", "ir_seller": "yes"}
_SIZELESS = {**_SURE, **honest("yes", "yes", "yes"), "bic": "yes"}
_ON_EFFECTIVE = {
    "ipfl-exact": {
        **_SURE, "dsic_size": "no (buyers; yes for sellers)", "expost_size": "no (buyers; yes for sellers)",
    },
    "pooled-price": _SIZELESS,
    "clock-price": _SIZELESS,
}  # fmt: skip


def _on_effective(name: str, changed: Mapping[str, str]) -> CatalogueEntry:
    """Return the entry of a market mechanism where effective sizes are public: what is known besides, or otherwise."""
    plain, rule = MARKET_ENTRIES[name], _RULES[name]
    return replace(
        plain,
        id=name + ON_EFFECTIVE,
        title=f"{plain.title}; on effective sizes",
        domain="market of models with effective sizes e_ij >= 0, measured and public: size > 0, cost >= 0, gain >= 0",
        truths={**plain.truths, **truths(**changed)},
        build=lambda agents: MarketDirect(rule, agents, effective=HIGH[0]),
    )


EFFECTIVE_ENTRIES: Mapping[str, CatalogueEntry] = MappingProxyType(
    {entry.id: entry for entry in (_on_effective(*known) for known in _ON_EFFECTIVE.items())}
)
"""The same mechanisms where effective sizes are public, by id: what becomes true there (docs/effective.md)."""


def entry_of(rule: str, *, effective: bool = False) -> CatalogueEntry | None:
    """Return what the catalogue says of a rule; where sizes are ``effective`` ones, of it there, if it says that."""
    there = EFFECTIVE_ENTRIES.get(rule + ON_EFFECTIVE) if effective else None
    return there or MARKET_ENTRIES.get(rule)


_EARNED: Mapping[str, Clearing] = {name + SUFFIX: Earned(_RULES[name]) for name in _ON_EFFECTIVE}

OURS = frozenset((*_RULES, *_EARNED))
"""Ids of all rules that `market_mechanism` knows without their being used: those of the catalogue, and settled ones."""


def use_rule(text: str, name: str = "") -> Clearing:
    """Execute the file of ``FILE.py:NAME`` and let `market_mechanism` know its rule; errors as `own_rule`.

    ``name``: the id under which a record knows it, where the file lies elsewhere now.
    """
    rule = own_rule(text)
    _OWN[name or text] = replace(rule, id=name or text)
    return _OWN[name or text]


def market_mechanism(name: str) -> Clearing:
    """Return the market mechanism of that id, with its default parameters.

    A rule in a file, ``FILE.py:NAME``, is known after `use_rule`: nothing is executed because a record names it.
    `UnknownNameError` if there is none; the message lists what there is.
    """
    found = _RULES.get(name) or _EARNED.get(name) or _OWN.get(name)
    if found is None and name in EFFECTIVE_ENTRIES:
        plain = name.removesuffix(ON_EFFECTIVE)
        raise UnknownNameError(f"{name!r} is {plain!r} where effective sizes are given; name {plain!r}, and give them")
    if found is None:
        settled = f"on measured sizes also {', '.join(_EARNED)}"
        raise UnknownNameError(f"unknown market mechanism {name!r}; known: {', '.join(_RULES)}; {settled}")
    return found
