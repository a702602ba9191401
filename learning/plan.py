"""The plan of a training run: what is trained, on which data, how it is divided. Plain fields, no torch."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from learning.data import DATASETS, SPLITS
from learning.errors import LearningError
from learning.models import MODELS


@dataclass(frozen=True)
class LearningPlan:
    """Everything that decides what training computes, besides the method, the seed and the data themselves.

    ``split_beta`` is Dirichlet's parameter of the split `niid` (the other splits have their own constants). ``steps``
    SGD steps of ``batch`` samples per client and round, with ``lr``, ``momentum`` and ``weight_decay`` as
    `torch.optim.SGD` understands them. ``lam`` and ``eta`` are the paper's λ (weight of the pull and of the market's
    difference penalty) and η (length of the step to the target). Raises `LearningError` on values outside the domain.
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

    def __post_init__(self) -> None:
        for field, known in (("dataset", DATASETS), ("split", SPLITS), ("model", MODELS)):
            value = getattr(self, field)
            if value not in known:
                raise LearningError(f"{field} is {value!r}; expected one of {', '.join(known)}")
        for field, low, high in (("clients", 1, 10_000), ("steps", 1, 1_000_000), ("batch", 1, 1_000_000)):
            value = getattr(self, field)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise LearningError(f"{field} is {value!r}; expected an integer from {low} to {high}")
        for field, positive in (
            ("split_beta", True),
            ("lr", True),
            ("eta", True),
            ("momentum", False),
            ("weight_decay", False),
            ("lam", False),
        ):
            value = getattr(self, field)
            numeric = isinstance(value, int | float) and not isinstance(value, bool)
            if not numeric or not math.isfinite(value) or value < 0 or (positive and value == 0):
                raise LearningError(f"{field} is {value!r}; expected a finite number {'> 0' if positive else '>= 0'}")
            object.__setattr__(self, field, float(value))
        if self.momentum >= 1:
            raise LearningError(f"momentum is {self.momentum}; expected a number in [0, 1)")
        if self.dataset not in MODELS[self.model]:
            fitting = ", ".join(name for name, datasets in MODELS.items() if self.dataset in datasets)
            raise LearningError(f"model {self.model!r} does not fit data set {self.dataset!r}; expected {fitting}")

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values, for a manifest or a checkpoint."""
        return asdict(self)

    def differing(self, other: dict[str, Any]) -> list[str]:
        """Return one phrase for each field in which a recorded plan differs from this one."""
        mine = self.to_dict()
        names = [*mine, *(name for name in other if name not in mine)]
        return [
            f"{n} is {mine.get(n, 'absent')!r} here and {other.get(n, 'absent')!r} there"
            for n in names
            if n not in mine or n not in other or mine[n] != other[n]
        ]
