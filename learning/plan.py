"""The plan of a training run: what is trained, on which data, how it is divided. Plain fields, no torch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from learning.adversaries import CONDUCTS
from learning.data import DATASETS, SPLITS, OwnTable
from learning.data.agreed import Agreed
from learning.errors import LearningError
from learning.models import MODELS
from mechanism.own_code import is_own

OPTIMIZERS = ("sgd", "adamw")


@dataclass(frozen=True)
class LearningPlan:
    """Everything that decides what training computes, besides the method, the seed and the data themselves.

    ``split_beta`` is Dirichlet's parameter of the split `niid` (the other splits have their own constants); ``shares``
    of the split `mixed` are triples (group, clients, samples of each). ``steps`` optimiser steps of ``batch`` samples
    per client and round; ``optimizer`` "sgd" with ``lr``, ``momentum`` and ``weight_decay`` as `torch.optim.SGD`
    understands them, or "adamw". With ``lr_end`` > 0 the rate falls to it by half a cosine over ``rounds`` rounds.

    ``lam`` and ``eta`` are the paper's λ (weight of the pull and of the market's difference penalty) and η (length of
    the step to the target). ``lams``: λ of each client, where they differ; ``lam`` is then the largest of them.
    ``test`` bounds the test samples (0: all). ``base_model`` names the language model that the network "lora" adapts
    at ``lora_targets`` (none: queries and values), ``length`` its longest text in tokens.
    ``held_out``: every client keeps a tenth of its samples out of training to value models with.
    ``epochs``: passes of each client over its samples in a round, in the place of ``steps`` (0: these).
    ``split_file``: who has which sample of a data set of ours, for split "owners" (`learning.data.own.division`).
    ``own``: the table, where ``dataset`` is "own"; ``agreed``: how clients elsewhere read theirs.
    ``conduct`` names what each client does if not all are honest.

    ``dp_epsilon`` > 0 trains each client by DP-SGD, per-example gradients clipped to ``dp_clip``, with the noise
    multiplier ``dp_noise`` (0: for each client the smallest that keeps ``rounds`` rounds within the budget); a client
    whose ε at ``dp_delta`` (0: `learning.privacy.accounting.default_delta` of the sizes) would exceed the budget stops.

    Raises `LearningError` on values outside the domain.
    """

    dataset: str = "digits"
    split: str = "niid"
    split_beta: float = 0.1
    clients: int = 10
    model: str = "mlp"
    steps: int = 20
    batch: int = 64
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 1e-5
    lam: float = 1.0
    eta: float = 5.0
    optimizer: str = "sgd"
    lr_end: float = 0.0
    rounds: int = 0
    test: int = 0
    shares: tuple[tuple[int, int, int], ...] = ()
    base_model: str = ""
    length: int = 512
    held_out: bool = False
    conduct: tuple[str, ...] = ()
    dp_noise: float = 0.0
    dp_clip: float = 1.0
    dp_delta: float = 1e-5
    dp_epsilon: float = 0.0
    own: OwnTable | None = None
    agreed: Agreed | None = None
    epochs: int = 0
    lora_targets: tuple[str, ...] = ()
    lams: tuple[float, ...] = ()
    split_file: str = ""

    def __post_init__(self) -> None:
        for name, known in (
            ("dataset", DATASETS),
            ("split", SPLITS),
            ("model", MODELS),
            ("optimizer", OPTIMIZERS),
        ):
            value = getattr(self, name)
            if value not in known and not (name == "model" and is_own(value, "network")):
                raise LearningError(f"{name} is {value!r}; expected one of {', '.join(known)}")
        for name, low, high in _WHOLE:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise LearningError(f"{name} is {value!r}; expected an integer from {low} to {high}")
        if self.lams:
            lams = tuple(float(lam) if isinstance(lam, int | float) else math.nan for lam in self.lams)
            if len(lams) != self.clients or not all(math.isfinite(lam) and lam >= 0 for lam in lams):
                raise LearningError(f"lams is {lams}; expected a finite number >= 0 for each of {self.clients} clients")
            object.__setattr__(self, "lams", lams)
            object.__setattr__(self, "lam", max(lams))
        for name, positive in _REAL:
            value = getattr(self, name)
            numeric = isinstance(value, int | float) and not isinstance(value, bool)
            if not numeric or not math.isfinite(value) or value < 0 or (positive and value == 0):
                raise LearningError(f"{name} is {value!r}; expected a finite number {'> 0' if positive else '>= 0'}")
            object.__setattr__(self, name, float(value))
        if self.momentum >= 1:
            raise LearningError(f"momentum is {self.momentum}; expected a number in [0, 1)")
        if self.dp_delta >= 1:
            raise LearningError(f"dp_delta is {self.dp_delta}; expected a probability in (0, 1), such as 1e-5")
        if self.model in MODELS and self.dataset not in MODELS[self.model]:
            fitting = ", ".join(name for name, datasets in MODELS.items() if self.dataset in datasets)
            raise LearningError(f"model {self.model!r} does not fit data set {self.dataset!r}; expected {fitting}")
        if isinstance(self.agreed, Mapping):  # as plain values give it back
            object.__setattr__(self, "agreed", Agreed.of(self.agreed))
        object.__setattr__(self, "shares", tuple(tuple(share) for share in self.shares))
        object.__setattr__(self, "conduct", tuple(self.conduct))
        object.__setattr__(self, "lora_targets", tuple(self.lora_targets))
        if self.conduct and (len(self.conduct) != self.clients or not set(self.conduct) <= set(CONDUCTS)):
            raise LearningError(
                f"conduct names {len(self.conduct)} clients; expected one of {', '.join(CONDUCTS)} for each of "
                f"{self.clients}"
            )

    def of(self, samples: int, client: int | None = None) -> LearningPlan:
        """Return the plan of a client that trains on so many samples: with ``epochs``, its steps are so many passes.

        With ``lams``, the client's is its ``lam``; of no client in particular the largest.
        """
        plan = replace(self, steps=-(-samples // self.batch) * self.epochs) if self.epochs else self
        return replace(plan, lam=self.lams[client], lams=()) if self.lams and client is not None else plan

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values, for a manifest or a checkpoint."""
        values = asdict(self)
        for name in ("own", "agreed", "lora_targets", "epochs", "lams", "split_file"):
            if not values[name]:
                del values[name]  # plans are recorded by versions that did not know it
        recorded: dict[str, Any] = json.loads(json.dumps(values))  # as a file gives it back: tuples are lists
        return recorded

    def differing(self, other: dict[str, Any]) -> list[str]:
        """Return one phrase for each field in which a recorded plan differs from this one."""
        mine = self.to_dict()
        names = [*mine, *(name for name in other if name not in mine)]
        return [
            f"{n} is {mine.get(n, 'absent')!r} here and {other.get(n, 'absent')!r} there"
            for n in names
            if n not in mine or n not in other or mine[n] != other[n]
        ]


_WHOLE = (
    ("clients", 1, 10_000),
    ("steps", 1, 1_000_000_000),
    ("epochs", 0, 10_000),
    ("batch", 1, 1_000_000),
    ("rounds", 0, 1_000_000),
    ("test", 0, 10_000_000),
    ("length", 8, 100_000),
)
_REAL = (
    ("split_beta", True),
    ("lr", True),
    ("eta", True),
    ("momentum", False),
    ("weight_decay", False),
    ("lam", False),
    ("lr_end", False),
    ("dp_noise", False),
    ("dp_clip", True),
    ("dp_delta", False),
    ("dp_epsilon", False),
)
