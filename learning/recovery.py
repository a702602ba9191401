"""What becomes of a client whose training diverges on what attackers and free-riders uploaded: it goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from learning.errors import LearningError
from learning.state import State


def recover(
    state: State,
    before: Before | None,
    losses: NDArray[np.float64],
    clients: Sequence[int],
    round_index: int,
    own: bool,
) -> list[str]:
    """Let go back whose training diverged, its loss [m] told as 0; return a notice about each.

    `LearningError` if nothing was kept from ``before`` the round: all are honest, and it is the settings' doing.
    """
    gone = diverged(state, losses, clients)
    if gone and before is None:
        raise LearningError(
            f"training of client {gone[0]} diverged in round {round_index}: its loss is {losses[gone[0]]}; "
            "take a smaller lr, lam or eta"
        )
    if before is not None:
        before.restore(state, gone, own)
    losses[gone] = 0.0
    return [f"client {k} diverged in round {round_index} on what others uploaded, and goes back" for k in gone]


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
