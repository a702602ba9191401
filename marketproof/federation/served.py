"""The trainer of a federation: clients elsewhere, their reports, their bills."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from learning.backends.federated import FederatedBackend
from learning.federation.client import NOT_STARTED
from learning.federation.messages import Hello, MessageError, Refused, bytes_of, decode
from learning.federation.transport import Absence, Request
from learning.plan import LearningPlan
from learning.trainer import Trainer
from mechanism.space import Floats


def run_name(text: str) -> str:
    """Return a run's name as clients keep it: up to 100 letters, digits, "_" and "-"."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:100]


_CHANGED = Absence("it came back with other data or reports than it began with")


def _is_new(reply: bytes | Absence) -> bool:
    """Say whether a reply is that of a client which does not know of the run."""
    try:
        refused, _ = (None, None) if isinstance(reply, Absence) else decode(reply, len(reply), Refused)
    except MessageError:
        return False
    return refused is not None and refused.reason == NOT_STARTED


class Lent:
    """A transport as one training sees it: with the name of its run; `close` leaves the clients connected.

    A client that was killed comes back knowing nothing: it is told again, and has to say the same of itself as before.
    """

    within = False

    def __init__(self, transport: Any, run: str) -> None:
        self.names: tuple[str, ...] = transport.names
        self.run, self._transport = run, transport
        self._starts: list[Request] = []
        self._heard: list[bytes | Absence] = []

    def exchange(self, requests: Sequence[Request]) -> list[bytes | Absence]:
        """Hand requests on; who was started anew since is told first that the run has begun."""
        found: list[bytes | Absence] = self._transport.exchange(requests)
        if not self._heard:
            self._starts, self._heard = list(requests), found
            return found
        lost = [at for at, reply in enumerate(found) if _is_new(reply)]
        if lost:
            again = [self._starts[requests[at].client] for at in lost]
            told = self._transport.exchange(again)
            same = [at for at, reply in zip(lost, told, strict=True) if reply == self._heard[requests[at].client]]
            found = [_CHANGED if at in lost else reply for at, reply in enumerate(found)]
            for at, reply in zip(same, self._transport.exchange([requests[at] for at in same]), strict=True):
                found[at] = reply
        return found

    def hellos(self) -> list[Hello]:
        """Return what clients said of themselves when the training began."""
        return [decode(reply, bytes_of({}), Hello)[0] for reply in self._heard if isinstance(reply, bytes)]

    def close(self) -> None:
        """Nothing: the next method's training has the same clients."""


class Served(Trainer):
    """A trainer whose clients are reached over ``lent``; ``reported``: costs [m] and gains [m], as they say."""

    reported: tuple[Floats, Floats]

    def __init__(self, plan: LearningPlan, algorithm: str, seed: int, lent: Lent) -> None:
        super().__init__(plan, algorithm, "federated", "cpu", seed, transport=lent)
        hellos = lent.hellos()
        self.reported = np.array([h.cost for h in hellos]), np.array([h.gain for h in hellos])

    def bill(self, bills: Sequence[dict[str, Any]]) -> None:
        """Send clients their bills of the round; who is away then is not told later."""
        assert isinstance(self._backend, FederatedBackend)
        self._backend.bill({terms.pop("client"): terms for terms in bills})
