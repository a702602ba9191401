"""A single-parameter auction that can be held for any number of agents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mechanism.direct import SingleParameter
from mechanism.errors import InvalidMechanismError

ONE_ITEM = "one item; a private value in [0, 1] per agent, uniform and independent"
"""The domain in words."""


@dataclass(frozen=True, eq=False)
class Auction(SingleParameter):
    """A rule over one private value per agent, and ``family(agents)``: the same rule, same supply, other agents."""

    called: str | tuple[str, ...] = "bidder"
    family: Callable[[int], Auction] | None = None

    def resized(self, agents: int) -> Auction:
        """Return the same rule for another number of agents; what is sold stays what it was.

        `InvalidMechanismError` if the auction was built without its family.
        """
        if self.family is None:
            raise InvalidMechanismError(f"{self.name} does not say how to resize; pass family=f, f(agents) -> Auction")
        return self.family(agents)
