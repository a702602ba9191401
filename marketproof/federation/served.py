"""The trainer of a federation: clients elsewhere, their reports, their bills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from learning.backends.federated import FederatedBackend
from learning.federation.messages import Hello
from learning.plan import LearningPlan
from learning.trainer import Trainer
from mechanism.market.clients import Types


class Lent:
    """A transport as one training sees it: with the name of its run; `close` leaves the clients connected."""

    within = False

    def __init__(self, transport: Any, run: str, least: int) -> None:
        self.names: tuple[str, ...] = transport.names
        self.least = least
        self.run, self.exchange = run, transport.exchange

    def close(self) -> None:
        """Nothing: the next method's training has the same clients."""


class Served(Trainer):
    """A trainer whose clients are reached over ``lent``."""

    def __init__(self, plan: LearningPlan, algorithm: str, seed: int, lent: Lent) -> None:
        super().__init__(plan, algorithm, "federated", "cpu", seed, transport=lent)

    @property
    def _greetings(self) -> list[Hello | None]:
        assert isinstance(self._backend, FederatedBackend)
        return self._backend.greetings

    @property
    def away(self) -> dict[int, str]:
        """Who is away in the round, and what is said of it; "" where that was said before."""
        assert isinstance(self._backend, FederatedBackend)
        return self._backend.away

    def types(self) -> Types:
        """Return what clients say of themselves so far: sizes, costs and gains; 1, 0 and 0 of who has not come yet."""
        told = [(0.0, 0.0) if hello is None else (hello.cost, hello.gain) for hello in self._greetings]
        return Types(self.sizes.astype(np.float64), *np.array(told).T)

    def bill(self, bills: Sequence[dict[str, Any]]) -> None:
        """Send clients their bills of the round; who is away then is not told later."""
        assert isinstance(self._backend, FederatedBackend)
        self._backend.bill({terms.pop("client"): terms for terms in bills})
