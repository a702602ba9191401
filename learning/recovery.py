"""What becomes of a client whose training diverges on what attackers and free-riders uploaded: it goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from learning.state import State


def diverged(state: State, losses: NDArray[np.float64], clients: Sequence[int]) -> list[int]:
    """Return which of ``clients`` have a loss ([m], of all) or a trained model that is not finite."""
    sound = state.rows.isfinite().all(1).cpu().numpy() & np.isfinite(losses)
    return [k for k in clients if not sound[k]]


@dataclass(frozen=True, eq=False)
class Before:
    """All models before a round's training: ``rows`` [m, P], and the slots by name."""

    rows: torch.Tensor
    slots: dict[str, torch.Tensor]

    @classmethod
    def of(cls, state: State) -> Self:
        """Copy them."""
        return cls(state.rows.clone(), {name: matrix.clone() for name, matrix in state.slots.items()})

    def restore(self, state: State, clients: Sequence[int], own: bool) -> None:
        """Take the models of these clients back.

        A poisoned average can be so far off that no step from it stays finite, and a client would not keep a model that
        says nothing. Where clients go on from their ``own`` models it is again the one with which it began the round;
        elsewhere that is the average itself, and the client goes back to θ_0. What it holds beside (Ditto's personal
        model) is as before the round unless it stayed sound.
        """
        for k in clients:
            state.rows[k] = self.rows[k] if own else state.initial
            for name, matrix in state.slots.items():
                if not bool(matrix[k].isfinite().all()):
                    matrix[k] = self.slots[name][k]
