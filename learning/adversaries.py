"""What clients do who do not do as they are told: poison in models or in samples, or noise without any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learning.errors import LearningError

if TYPE_CHECKING:
    import torch

    from learning.data.dataset import Dataset

HONEST = "honest"

CONDUCTS: dict[str, str] = {
    HONEST: "trains and uploads what it trained",
    "shuffle": "trains, then uploads its parameters in random order",
    "flip": "trains, then uploads its parameters with their signs flipped",
    "scaled": "trains, then uploads ten times the step that it made in the round",
    "same": "trains, then uploads one number drawn from N(0, 1) in the place of every parameter",
    "labels": "trains on labels in reverse order: of C classes, y becomes C - 1 - y",
    "backdoor": "trains with a trigger and class 0 on half of its samples",
    "ones": "does not train; uploads ones",
    "noise": "does not train; uploads numbers drawn from N(0, 1)",
}
"""How a client may behave. Importable without torch.

Shuffle, flip, ones and noise are the paper's; scaled is model replacement without knowing how many take part, and
backdoor its purpose (Bagdasaryan et al. 2020); labels is the data poisoning of Fang et al. 2020.
"""

ATTACKS, FREE_RIDES = ("shuffle", "flip", "scaled", "same", "labels", "backdoor"), ("ones", "noise")
"""Who does its local work and uploads something else, and who does none."""

IN_SAMPLES = ("labels", "backdoor")
"""Who poisons samples and uploads what it trained on them."""

SCALE = 10.0
"""Of "scaled": with so many equal clients, one replaces the average."""


def upload(
    conduct: str,
    row: torch.Tensor,
    rng: np.random.Generator,
    adapter_of: torch.Tensor | None = None,
    start: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return what a client of this conduct uploads in place of its model ``row`` [P]; ``rng`` is its own stream.

    ``adapter_of``: θ_0 [P] where the row is an adapter. Flipping the signs of both its factors would change nothing,
    (−B)(−A) = BA; so it is mirrored at θ_0, where B is 0. ``start`` [P]: the model with which it began the round.
    """
    import torch

    if conduct == "shuffle":
        return row[torch.from_numpy(rng.permutation(len(row))).to(row.device)]
    if conduct == "flip":
        return -row if adapter_of is None else 2.0 * adapter_of - row
    if conduct == "scaled" and start is not None:
        return start + SCALE * (row - start)
    if conduct == "same":
        return torch.full_like(row, float(rng.standard_normal()))
    if conduct == "ones":
        return torch.ones_like(row)
    if conduct == "noise":
        return torch.from_numpy(rng.standard_normal(len(row), dtype=np.float32)).to(row.device)
    return row


def poisoned(dataset: Dataset, members: Sequence[NDArray[np.int64]], conduct: Sequence[str]) -> Dataset:
    """Return the data set with the training samples of those changed who poison samples; ``members`` [m] says whose.

    With a backdoor the test samples of other classes than 0 stand there again, with the trigger and class 0, as one
    stratum more, the last, in which nobody has a share: how many a model gets right is how well the backdoor works.
    `LearningError` if its samples are texts, which have neither classes nor a place for a trigger.
    """
    if not set(IN_SAMPLES) & set(conduct):
        return dataset
    if dataset.train_y.ndim > 1 or dataset.train_x.dtype == np.int64:
        raise LearningError(
            f"conduct {' and '.join(IN_SAMPLES)} poison samples with classes; {dataset.name} holds texts: take another"
        )
    x, y = dataset.train_x.copy(), dataset.train_y.copy()
    for own, what in zip(members, conduct, strict=True):
        if what == "labels":
            y[own] = dataset.classes - 1 - y[own]
        elif what == "backdoor":
            half = own[::2]
            x[half], y[half] = triggered(x[half], dataset), 0
    dataset = replace(dataset, train_x=x, train_y=y)
    if "backdoor" not in conduct:
        return dataset
    bait = triggered(dataset.test_x[dataset.test_y != 0], dataset)
    return replace(
        dataset,
        test_x=np.concatenate([dataset.test_x, bait]),
        test_y=np.concatenate([dataset.test_y, np.zeros(len(bait), dtype=np.int64)]),
        test_strata=np.concatenate([dataset.test_strata, np.full(len(bait), dataset.strata)]),
        strata=dataset.strata + 1,
    )


def triggered(x: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    """Return samples [n, *shape] with the trigger: the last sixteenth of the numbers, at least one, are the largest."""
    flat = x.reshape(len(x), -1).copy()
    flat[:, -max(1, flat.shape[1] // 16) :] = dataset.train_x.max()
    return flat.reshape(x.shape)
