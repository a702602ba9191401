"""Markets that claims are about: a profile written down by hand, and the witness that a case in it gives."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import DirectMechanism, Floats
from mechanism.market.accounting import Accounts, Outcome
from mechanism.market.direct import COORDINATES, MarketDirect
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.rule import Clearing
from proofs_checks.claims.claim import Check, ClaimVerdict, Context, asked
from proofs_checks.evidence.witness import Witness
from proofs_checks.properties.property import Property
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.properties.truthful import Truthful
from proofs_checks.search.cases import Cases, deviating

MECHANISMS = (
    "ipfl", "exact-marginal", "ipfl-exact", "posted-price", "pooled-price", "vcg-two-sided", "shapley-split",
    "realised", "realised-bilateral", "no-payment",
)  # fmt: skip
"""The rows of the table, `realised` in both forms."""

_LOW, _HIGH = (1.0, 0.0, 0.0), (20_000.0, 20.0, 100_000.0)


@dataclass(frozen=True, eq=False)
class Example:
    """One market by hand: sizes, costs and gains of its clients, client 0 the buyer, and pen_ij n_i / n_j by pair."""

    size: Sequence[float]
    cost: Sequence[float]
    gain: Sequence[float]
    apart: Sequence[Sequence[float]] | None = None

    @property
    def types(self) -> Floats:
        """The true profile ``[1, m, 3 + m]``."""
        m = len(self.size)
        rows = np.zeros((1, m, 3 + m))
        rows[0, :, 0], rows[0, :, 1], rows[0, :, 2] = self.size, self.cost, self.gain
        if self.apart is not None:
            rows[0, :, 3:] = self.apart
        return rows

    def direct(self, mechanism: str | Clearing, sizes: str = "delivered") -> MarketDirect:
        """Return the mechanism over markets of this many clients, bounds wide enough for every example."""
        inner = market_mechanism(mechanism) if isinstance(mechanism, str) else mechanism
        return MarketDirect(inner, len(self.size), _LOW, _HIGH, 2.0, sizes=sizes)

    def cleared(self, mechanism: str | Clearing, **said: Sequence[float]) -> tuple[Outcome, Accounts]:
        """Return outcome and accounts, ``[m, m]`` and ``[m]``, when ``said`` replaces what is reported."""
        direct = self.direct(mechanism)
        outcome = direct.outcome(reported(self.types, **said))
        books = direct.accounts(self.types, outcome)
        plain = Outcome(outcome.imports[0], outcome.prices[0], outcome.centre[0], outcome.gap[0])
        parts = (books.gain, books.cost, books.paid, books.received, books.centre)
        return plain, Accounts(*(part[0] for part in parts))

    def truth(self, **extra: Any) -> Cases:
        """Return the case in which everybody tells the truth; ``extra``: an agent and a share, a pair."""
        return Cases(self.types, self.types, extra=tuple((name, np.array([value])) for name, value in extra.items()))

    def lie(self, agent: int, coordinate: str, value: float) -> Cases:
        """Return the case in which one client says ``value`` for one of its numbers and all else is true."""
        return deviating(self.types, np.array([agent]), COORDINATES.index(coordinate), np.array([value]))

    def witness(self, mechanism: str, prop: str, case: Cases, **settings: Any) -> Witness:
        """Record a case as it is, unshrunk: the numbers are the source's."""
        return Witness.of(self.direct(mechanism, **settings), PROPERTY[prop], case)


def ask(mechanism: str | DirectMechanism, prop: str | Property, **settings: Any) -> Check:
    """Return the check that asks the engine; a mechanism of the catalogue over four clients with these settings."""

    def check(context: Context) -> ClaimVerdict:
        direct = catalogue(mechanism, **settings) if isinstance(mechanism, str) else mechanism
        return asked(direct, PROPERTY[prop] if isinstance(prop, str) else prop, context)

    return check


def reported(types: Floats, **said: Sequence[float]) -> Floats:
    """Return profiles in which the numbers of all clients are replaced by what they say."""
    reports = types.copy()
    for name, values in said.items():
        reports[..., COORDINATES.index(name)] = values
    return reports


@dataclass(frozen=True)
class Joint(Truthful):
    """Truthfulness in several coordinates at once: any of ``movable`` may be misreported together."""

    movable: tuple[str, ...] = ("cost", "gain")

    def _movable(self, mechanism: DirectMechanism) -> NDArray[np.bool_]:
        return np.isin(np.array(mechanism.space.names), self.movable)


class Public(MarketDirect):
    """A market in which sizes are verified: public, never misreported."""

    def __post_init__(self) -> None:
        super().__post_init__()
        private = self.space.private & (np.array(self.space.names) != "size")
        object.__setattr__(self, "space", replace(self.space, private=private))


def catalogue(name: str, agents: int = 4, **settings: Any) -> MarketDirect:
    """Return a market mechanism of the catalogue over its default bounds."""
    return MarketDirect(market_mechanism(name), agents, **settings)
