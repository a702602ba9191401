"""What clients upload who do not do as they are told: poison after honest training, or noise without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

HONEST = "honest"

CONDUCTS: dict[str, str] = {
    HONEST: "trains and uploads what it trained",
    "shuffle": "trains, then uploads its parameters in random order",
    "flip": "trains, then uploads its parameters with their signs flipped",
    "ones": "does not train; uploads ones",
    "noise": "does not train; uploads numbers drawn from N(0, 1)",
}
"""How a client may behave (paper, attackers and free-riders). Importable without torch."""

ATTACKS, FREE_RIDES = ("shuffle", "flip"), ("ones", "noise")
"""Who does its local work and uploads something else, and who does none."""


def upload(
    conduct: str, row: torch.Tensor, rng: np.random.Generator, adapter_of: torch.Tensor | None = None
) -> torch.Tensor:
    """Return what a client of this conduct uploads in place of its model ``row`` [P]; ``rng`` is its own stream.

    ``adapter_of``: θ_0 [P] where the row is an adapter. Flipping the signs of both its factors would change nothing,
    (−B)(−A) = BA; so it is mirrored at θ_0, where B is 0.
    """
    import torch

    if conduct == "shuffle":
        return row[torch.from_numpy(rng.permutation(len(row))).to(row.device)]
    if conduct == "flip":
        return -row if adapter_of is None else 2.0 * adapter_of - row
    if conduct == "ones":
        return torch.ones_like(row)
    if conduct == "noise":
        return torch.from_numpy(rng.standard_normal(len(row), dtype=np.float32)).to(row.device)
    return row
