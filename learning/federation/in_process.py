"""All clients of a run in this process: the same messages and the same client code, and nobody to whom they go."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from learning.algorithms.algorithm import Algorithm
from learning.data.holdings import Holdings
from learning.federation.client import Client
from learning.federation.share import OwnBench, Share, private_slots
from learning.federation.transport import Absence, Request
from learning.privacy.guard import Guard
from learning.work import Work


class InProcess:
    """Clients answer one after the other. Their private models and ledgers are saved with the run: it is their home."""

    within = True

    def __init__(self, clients: Sequence[Client], run: str = "here") -> None:
        self.clients, self.run, self.least = list(clients), run, len(clients)
        self.names = tuple(str(k) for k in range(len(self.clients)))

    def exchange(self, requests: Sequence[Request]) -> list[bytes | Absence]:
        """Return the clients' replies."""
        replies = [self.clients[request.client].answer(request.payload) for request in requests]
        return [
            reply if len(reply) <= request.most else Absence(f"its answer has {len(reply)} bytes")
            for reply, request in zip(replies, requests, strict=True)
        ]

    def close(self) -> None:
        """Nothing is held."""


def in_process(work: Work, holdings: Holdings, method: Algorithm, guard: Guard | None) -> InProcess:
    """Return clients that hold the samples of ``work``, which has none afterwards.

    Their private rows stay rows of its matrices, and ``guard`` keeps everybody's ledger.
    """
    tensors = work.tensors
    data = {name: tensors.pop(name) for name in ("train_x", "train_y", "test_x", "test_y", "members")}
    tensors["members"] = torch.arange(len(data["members"]))
    slots, desk, clients = private_slots(method, work.facts.plan), None, []
    for k in range(work.facts.plan.clients):
        own = data["members"][work.facts.starts[k] : work.facts.starts[k + 1]]
        x, y = data["train_x"][own].clone(), data["train_y"][own].clone()
        held = work.facts.held[k] if work.facts.held else 0
        if desk is None:
            test = {name: data[name] for name in ("test_x", "test_y")}
            desk = OwnBench(work.facts, k, {"train_x": x, "train_y": y, **test}, held)
            bench = desk
        else:
            bench = desk.beside(k, x, y, held)
        share = Share(
            bench,
            holdings.weights[k],
            holdings.stratum_sizes,
            {slot: work.models(slot)[k] for slot in slots},
            None if guard is None else lambda delta: guard,
            place=k,
            tells=False,
        )
        clients.append(Client(lambda start, share=share: share))  # type: ignore[misc]
    return InProcess(clients)
