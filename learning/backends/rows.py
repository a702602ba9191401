"""One client after the other, in this process."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from learning.backends.backend import Result, Task, one_thread, perform
from learning.work import Work


class RowsBackend:
    """The plain loop that every other backend must agree with. On a CUDA device the whole work is moved there."""

    name = "rows"

    def __init__(self, work: Work, device: torch.device | None = None) -> None:
        self.work = work if device is None else work.to(device)

    def run(self, tasks: Sequence[Task]) -> list[Result]:
        """Return the result of each task, done in turn."""
        with one_thread():
            return [perform(self.work, task) for task in tasks]

    def close(self) -> None:
        """Nothing is held."""
