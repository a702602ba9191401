"""The plan of a training run: what is trained, on which data, how it is divided; and who holds what by it.

Plain fields and numpy, no torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.adversaries import CONDUCTS
from learning.data import DATASETS, SPLITS, load
from learning.data.dataset import Dataset
from learning.data.splits import split, thinned
from learning.errors import LearningError
from learning.models import MODELS
from learning.streams import stream

OPTIMIZERS = ("sgd", "adamw")


@dataclass(frozen=True)
class LearningPlan:
    """Everything that decides what training computes, besides the method, the seed and the data themselves.

    ``split_beta`` is Dirichlet's parameter of the split `niid` (the other splits have their own constants); ``shares``
    of the split `mixed` are triples (group, clients, samples of each). ``steps`` optimiser steps of ``batch`` samples
    per client and round; ``optimizer`` "sgd" with ``lr``, ``momentum`` and ``weight_decay`` as `torch.optim.SGD`
    understands them, or "adamw". With ``lr_end`` > 0 the rate falls to it by half a cosine over ``rounds`` rounds.

    ``lam`` and ``eta`` are the paper's λ (weight of the pull and of the market's difference penalty) and η (length of
    the step to the target). ``test`` bounds the test samples (0: all). ``base_model`` names the language model that
    the network "lora" adapts, ``length`` its longest text in tokens. ``held_out``: every client keeps a tenth of its
    samples out of training to value models with. ``conduct`` names what each client does if not all are honest.

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

    def __post_init__(self) -> None:
        for name, known in (
            ("dataset", DATASETS),
            ("split", SPLITS),
            ("model", MODELS),
            ("optimizer", OPTIMIZERS),
        ):
            value = getattr(self, name)
            if value not in known:
                raise LearningError(f"{name} is {value!r}; expected one of {', '.join(known)}")
        for name, low, high in _WHOLE:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise LearningError(f"{name} is {value!r}; expected an integer from {low} to {high}")
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
        if self.dataset not in MODELS[self.model]:
            fitting = ", ".join(name for name, datasets in MODELS.items() if self.dataset in datasets)
            raise LearningError(f"model {self.model!r} does not fit data set {self.dataset!r}; expected {fitting}")
        object.__setattr__(self, "shares", tuple(tuple(share) for share in self.shares))
        object.__setattr__(self, "conduct", tuple(self.conduct))
        if self.conduct and (len(self.conduct) != self.clients or not set(self.conduct) <= set(CONDUCTS)):
            raise LearningError(
                f"conduct names {len(self.conduct)} clients; expected one of {', '.join(CONDUCTS)} for each of "
                f"{self.clients}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values, for a manifest or a checkpoint."""
        values = asdict(self)
        return values | {"shares": [list(share) for share in self.shares], "conduct": list(self.conduct)}

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
    ("steps", 1, 1_000_000),
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


@dataclass(frozen=True, eq=False)
class Holdings:
    """A data set and its division.

    ``members``: each client's samples, of which the last ``held`` (empty: none) are held out of training; ``sizes``
    int64 [m]: how many; ``weights`` float64 [m, strata]: the shares of a client's samples in each stratum;
    ``stratum_sizes`` int64 [strata]: test samples.
    """

    dataset: Dataset
    members: list[NDArray[np.int64]]
    sizes: NDArray[np.int64]
    weights: NDArray[np.float64]
    stratum_sizes: NDArray[np.int64]
    held: list[int] = field(default_factory=list)


def hold(plan: LearningPlan, seed: int, data_dir: Path | None, holds: bool = False) -> Holdings:
    """Load and divide, with some of each client's samples held out if it ``holds`` any.

    `DataError` if the data is missing, damaged or too small for the split.
    """
    dataset = thinned(load(plan.dataset, data_dir, plan.base_model, plan.length), plan.test)
    labelled = dataset.train_y.ndim == 1
    members = split(
        plan.split,
        dataset.train_y if labelled else dataset.train_strata,
        plan.clients,
        dataset.classes if labelled else dataset.strata,
        stream(seed, "split"),
        plan.split_beta,
        groups=dataset.groups,
        shares=plan.shares,
    )
    sizes = np.array([len(indices) for indices in members], dtype=np.int64)
    counts = np.array([np.bincount(dataset.train_strata[i], minlength=dataset.strata) for i in members])
    tests = np.bincount(dataset.test_strata, minlength=dataset.strata)
    members, held = hold_out(members, seed) if holds else (members, [])
    return Holdings(dataset, members, sizes, counts / sizes[:, None], tests, held)


def hold_out(members: Sequence[NDArray[np.int64]], seed: int) -> tuple[list[NDArray[np.int64]], list[int]]:
    """Return each client's samples with a tenth of them, drawn by seed, put last, and how many that is.

    At least one is held out, and at least one is left to train on: of a single sample nothing is held out.
    """
    ordered, held = [], []
    for client, indices in enumerate(members):
        count = min(max(1, len(indices) // 10), len(indices) - 1)
        out = np.zeros(len(indices), dtype=bool)
        out[stream(seed, "held-out", 0, client).permutation(len(indices))[:count]] = True
        ordered.append(np.concatenate([indices[~out], indices[out]]))
        held.append(count)
    return ordered, held
