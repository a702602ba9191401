"""How much a server may ask of a client: no more than a run takes, whatever it says."""

from __future__ import annotations

from collections import Counter

import numpy as np

from learning.errors import LearningError
from learning.federation.messages import SLACK, Arrays, Bill, Work
from learning.valuation.curves import WIDTH
from learning.valuation.effective import MOST
from mechanism.errors import shown

MODELS = max(2 * MOST, WIDTH + 1)
"""Models in one request at most: no measuring needs more."""
_AUDIT = 2**20
"""Bytes of an audit's rounds: some ten thousand of them."""
TRAININGS, PIECES = 20, 5000
"""How often a round may be trained at most (a server that was killed repeats it), and how many requests, and models in
them, it may have."""


def most_bytes(parameters: int) -> int:
    """Return how long a request to a client may be whose model has so many parameters."""
    return SLACK + max(_AUDIT, 4 * MODELS * parameters)


class Appetite:
    """What was asked for in each round of a run so far."""

    def __init__(self) -> None:
        self._run = ""
        self._trainings, self._pieces = Counter[int](), Counter[int]()

    def check(self, work: Work | Bill, arrays: Arrays, parameters: int, rounds: int) -> None:
        """Raise `LearningError` if a request, or all of its round so far, is more than a run takes.

        ``parameters`` of the client's own model; ``rounds`` of the run, 0: as many as there are.
        """
        if not 1 <= work.round <= (rounds or work.round):
            raise LearningError(f"round {work.round} is none of the run's; expected 1 to {rounds or 'its last'}")
        for name, array in arrays.items():
            many = name == "models"
            fits = array.ndim == 2 and len(array) <= MODELS if many else array.ndim == 1
            if not fits or array.shape[-1] != parameters or array.dtype != np.float32:
                wanted = f"at most {MODELS} times {parameters}" if many else f"{parameters}"
                raise LearningError(f"{shown(name)} is {array.dtype} {list(array.shape)}; expected float32 {wanted}")
        if work.run != self._run:
            self._run = work.run
            self._trainings.clear()
            self._pieces.clear()
        self._trainings[work.round] += isinstance(work, Work) and work.task == "train"
        self._pieces[work.round] += 1 + len(arrays.get("models", ()))
        if self._trainings[work.round] > TRAININGS or self._pieces[work.round] > PIECES:
            raise LearningError(
                f"the server asks for more than {TRAININGS} trainings or {PIECES} models in round {work.round}"
            )
