"""What a run computes on."""

from __future__ import annotations

import torch

from learning.errors import LearningError


def device_named(name: str, backend: str) -> torch.device:
    """Return the device called ``name``; "auto" is CUDA where there is one and the backend can use it."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() and backend != "pool" else "cpu")
    if name not in ("cpu", "cuda"):
        raise LearningError(f"there is no device {name!r}; expected auto, cpu or cuda")
    if name == "cuda" and backend == "pool":
        raise LearningError("backend 'pool' runs on the CPU; take backend rows or auto for device cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise LearningError("this machine has no CUDA device that torch can use; take device cpu or auto")
    return torch.device(name)
