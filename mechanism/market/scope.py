"""Of what truthfulness is claimed: said wherever it is (docs/promises.md; docs/effective.md, What is not covered)."""

from typing import Protocol

_GIVEN = (
    "Truthfulness is claimed for one clearing with the model differences given: the differences come from models that "
    "clients upload, and a report now changes later rounds; neither is covered by the theorem."
)
_MEASURED = (
    "Truthfulness is claimed for one clearing with the effective sizes{} given: they are measured on models that "
    "clients upload and on data that buyers hold out{}; who uploads another model or measures otherwise may move them, "
    "and a report now changes later rounds: neither is covered by the theorem."
)
_DIFFERENCES = (" and the model differences", ", the differences on those models alone")


class Public(Protocol):
    """What is public of a market, with matrices or without."""

    @property
    def effective(self) -> object:
        """Effective sizes; None where there are none."""

    @property
    def weighs(self) -> bool:
        """Whether differences count."""


def scope_of(market: Public | None) -> str:
    """Return the scope of the claim in a market; None where nobody reports anything."""
    if market is None or market.effective is None:
        return _GIVEN
    return _MEASURED.format(*(_DIFFERENCES if market.weighs else ("", "")))
