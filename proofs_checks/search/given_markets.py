"""Given markets as cases: a property is measured on markets that somebody drew or cleared, as in the search."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from mechanism import Market, Types
from mechanism.direct import Floats
from mechanism.market.clients import LARGEST, SMALLEST_SIZE
from mechanism.market.direct import MarketDirect
from mechanism.market.gains import GainLaw
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import settled
from proofs_checks.search.cases import Cases


@dataclass(frozen=True, eq=False)
class GivenMarkets(MarketDirect):
    """A market mechanism at one weight of differences, ``lam``: the public columns hold the differences as they are.

    They are not multiplied by λ, so that no market is changed by rounding, and none is too different. What is said
    of a case does not list the whole market (``lists_profiles``).
    """

    lam: float = 1.0
    lists_profiles = False

    @property
    def listed_as(self) -> str:
        """The rule's id: the market that it clears, with effective sizes or without, is given beside it."""
        return self.name

    @classmethod
    def over(cls, mechanism: Clearing, agents: int, lam: float, law: GainLaw, *, effective: bool = False) -> Self:
        """Return the mechanism over all markets of so many clients: bounds are those of `Types`."""
        low, high = (SMALLEST_SIZE, 0.0, 0.0), (LARGEST, LARGEST, LARGEST)
        return cls(mechanism, agents, low, high, 2.0, law, lam=lam, effective=LARGEST if effective else None)

    @classmethod
    def of(
        cls,
        mechanism: Clearing,
        types: Types,
        market: Market,
        *,
        everywhere: bool = False,
        people: tuple[str, ...] = (),
    ) -> tuple[Self, Floats]:
        """Return the mechanism and profiles for `Property.check`, from any batch of F markets.

        Bounds are those of the numbers that occur, or with ``everywhere`` those of `Types`. ``people``: the clients'
        names.

        >>> from mechanism import market_mechanism
        >>> from proofs_checks.search.cases import truthful
        >>> from proofs_checks.properties.registry import PROPERTY
        >>> types = Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])
        >>> rule, profiles = GivenMarkets.of(market_mechanism("no-payment"), types, Market())
        >>> PROPERTY["ir"].check(rule, truthful(profiles)).sentence
        'client b tells the truth and is left with -2.2'

        Returns the mechanism, and profiles ``[F, m, 3 + m]``: size, cost, gain, and the differences, each client a row;
        with effective sizes they follow.
        """
        batch = np.broadcast_shapes(types.batch, market.batch)
        flat, m = types.flat(batch), types.clients
        private = np.stack([flat.size, flat.cost, flat.gain], axis=-1)
        given = market.flat(batch)
        public = [np.zeros((m, m)) if given.differences is None else given.differences]
        public += [] if given.effective is None else [given.effective]
        rule = cls.over(mechanism, m, market.lam, market.law, effective=given.effective is not None)
        rule = replace(rule, people=people)
        if not everywhere:
            rule = replace(rule, low=private.min(axis=(0, 1)), high=private.max(axis=(0, 1)))
        blocks = (np.broadcast_to(matrix, (len(private), m, m)) for matrix in public)
        return rule, np.concatenate([private, *blocks], axis=-1)

    def market(self, profiles: Floats) -> Market:
        """Return the public data of profiles, or no differences if all are 0."""
        differences, effective = self.matrices(profiles)
        return Market(differences if differences.any() else None, self.lam, self.law, effective)

    def trades(self, case: Cases) -> dict[str, list[float]]:
        """Return who imports from whom in one case (importer, exporter, …) and at what prices, before and after."""
        found = {}
        for when, reports in (("before", case.before), ("after", None if case.after is None else case.after[:, 0])):
            if reports is not None:
                outcome = settled(self.mechanism, self.outcome(reports), self.types(case.types))
                pairs = np.argwhere(outcome.imports[0])
                found[f"imports_{when}"] = pairs.ravel().astype(np.float64).tolist()
                found[f"prices_{when}"] = outcome.prices[0][tuple(pairs.T)].tolist()
        return found
