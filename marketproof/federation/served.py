"""The trainer of a federation: clients elsewhere, their reports, their bills."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.backends.federated import FederatedBackend
from learning.errors import NobodyTrainedError
from learning.federation.messages import Hello
from learning.plan import LearningPlan
from learning.trainer import Trainer
from mechanism.market.clients import Types
from mechanism.space import Floats

_TRIES = 4
"""How often a round is begun that nobody trains."""
_LOOK = 1.0


class Lent:
    """A transport as one training sees it: with the name of its run; `close` leaves the clients connected.

    ``tell`` is told what holds the run up.
    """

    within = False

    def __init__(self, transport: Any, run: str, least: int, tell: Callable[[str], None] = lambda line: None) -> None:
        self.names: tuple[str, ...] = transport.names
        self.least = least
        self.run, self.exchange, self.online, self.tell = run, transport.exchange, transport.online, tell

    def close(self) -> None:
        """Nothing: the next method's training has the same clients."""


class Served(Trainer):
    """A trainer whose clients are reached over ``lent``."""

    def __init__(self, plan: LearningPlan, algorithm: str, seed: int, lent: Lent) -> None:
        super().__init__(plan, algorithm, "federated", "cpu", seed, transport=lent)
        self._lent = lent

    def train(self, round_index: int, present: NDArray[np.bool_] | None = None) -> Floats:
        """Train as `Trainer.train`; a round that nobody trained is begun again when somebody is there.

        `NobodyTrainedError` if clients are there, and again and again none of them trains.
        """
        for left in reversed(range(_TRIES)):
            try:
                return super().train(round_index, present)
            except NobodyTrainedError as nobody:
                if not left:
                    raise
                self._lent.tell(f"round {round_index} is begun again: {nobody}")
            time.sleep(_LOOK)
            while not self._lent.online():
                time.sleep(_LOOK)
        raise AssertionError("the last try returns or raises")

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
