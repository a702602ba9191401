"""What is one client's in a run: the bench with its samples, what it needs to be judged, and its privacy."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import NDArray

from learning.algorithms.algorithm import PROBE, START, Algorithm, LocalSpec
from learning.errors import LearningError
from learning.models.build import base_digest_of
from learning.models.network import Layout
from learning.plan import LearningPlan
from learning.work import Facts, Work
from mechanism.space import Floats

if TYPE_CHECKING:
    import numpy as np

    from learning.privacy.guard import Guard


class Alone:
    """The one row [P] of a matrix of models that is here, found by its client's number."""

    def __init__(self, client: int, row: torch.Tensor) -> None:
        self.client, self.row = client, row

    def __getitem__(self, client: int) -> torch.Tensor:
        if client != self.client:
            raise LearningError(f"the model of client {client} is not here; expected client {self.client}")
        return self.row

    def __setitem__(self, client: int, model: torch.Tensor) -> None:
        self[client].copy_(model)


class OwnBench(Work):
    """The work of one client: its samples and the test set, and of all models its own rows, ``held`` by slot."""

    def __init__(self, facts: Facts, client: int, tensors: dict[str, torch.Tensor], held: int) -> None:
        super().__init__(facts, tensors | {"rows": torch.empty(0)})
        self.tested: dict[bytes, Floats] = {}
        self._become(client, held)

    def _become(self, client: int, held: int) -> None:
        samples = len(self.tensors["train_y"])
        self.tensors["members"] = torch.arange(samples)
        starts, out = (0,) * (client + 1) + (samples,), (0,) * client + (held,)
        self.facts = replace(self.facts, starts=starts, held=out if held else ())
        self.client, self.held = client, dict[str, Alone]()

    def beside(self, client: int, train_x: torch.Tensor, train_y: torch.Tensor, held: int) -> OwnBench:
        """Return the work of another client in this process, on the same workbench and test set."""
        other = copy.copy(self)
        other.tensors = self.tensors | {"train_x": train_x, "train_y": train_y}
        other._become(client, held)
        return other

    def models(self, slot: str) -> Any:
        """Return the one row of a slot that is here."""
        if slot not in self.held:
            raise LearningError(f"a model {slot or 'rows'} is needed and was not sent")
        return self.held[slot]


@dataclass(frozen=True, eq=False)
class Share:
    """What is one client's: the bench with its samples, its label shares ``weights`` [strata], and its privacy.

    ``class_sizes`` int64 [strata]: test samples of each stratum. ``private``: its rows [P] of the slots that never
    leave. ``guard``: makes, for a δ, the guard with its key and ledger, in which it stands at ``place``; None without
    privacy. ``tells``: whether ε goes into every answer (where the server does not keep the ledger itself).
    ``used``: slot and row [P] of the model that was tested last, if one was: after a round that which the client uses.
    """

    bench: OwnBench
    weights: Floats
    class_sizes: NDArray[np.int64]
    private: dict[str, torch.Tensor] = field(default_factory=dict)
    guard: Callable[[float], Guard] | None = None
    place: int = 0
    tells: bool = True
    used: list[tuple[str, torch.Tensor]] = field(default_factory=list)


def parts(spec: LocalSpec | None) -> Iterator[LocalSpec]:
    """Yield local work and what follows it."""
    while spec is not None:
        yield spec
        spec = spec.then


def private_slots(method: Algorithm, plan: LearningPlan) -> set[str]:
    """Return the slots that only their client needs: what it trains and uses, and the server never reads."""
    trained = {part.model for part in parts(method.local_spec(plan, False))}
    return trained & {method.deployed} - {"", PROBE}


def read_slots(spec: LocalSpec, private: set[str]) -> list[str]:
    """Return the slots whose rows local work must be sent; where it starts from is its own row."""
    read = {part.model for part in parts(spec)} | {part.target for part in parts(spec) if part.pull}
    read |= {part.correction for part in parts(spec) if part.correction}
    return sorted(("" if slot == START else slot) for slot in read - private if slot != START or "" not in read)


def written_slots(spec: LocalSpec, private: set[str]) -> list[str]:
    """Return the slots whose rows local work writes and the server gets."""
    written = {part.model for part in parts(spec)} | {part.gradient for part in parts(spec) if part.gradient}
    return sorted(written - private)


def layout_digest(layout: Layout, plan: LearningPlan) -> str:
    """Return a digest of the names and shapes of a model's parameters, and of the language model that they adapt."""
    told = repr([(name, tuple(shape)) for name, shape in zip(layout.names, layout.shapes, strict=True)])
    told += base_digest_of(plan.model, plan.base_model)
    return blake2b(told.encode(), digest_size=16).hexdigest()
