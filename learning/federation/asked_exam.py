"""Clients test their models themselves: the server asks what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from mechanism.space import Floats


@dataclass(frozen=True)
class JudgeTask:
    """Let ``client`` test its model in ``slot``, one that all have in ``common`` or its own."""

    client: int
    slot: str
    common: bool


@dataclass(frozen=True, eq=False)
class AskedExam:
    """What clients say of their models, who test these themselves: accuracy and loss, ``told`` float64 [2, m].

    Of who is away it is what it said last, 0 before that. ``private``: slots whose models are not here.
    """

    told: Floats
    private: set[str]
    marks: dict[int, tuple[bytes, bool]] = field(default_factory=dict)
    attack_success: Floats | None = None  # clients are not asked about a trigger

    def results(
        self, run: Callable[[Sequence[Any]], Sequence[Any]], models: Callable[[str], Any], slots: Sequence[str]
    ) -> tuple[Floats, Floats]:
        """Return accuracy and loss [m] as `learning.evaluation.Exam` does; who has the same model is asked once."""
        rows = models(slots[0])
        common = len(set(slots)) == 1 and slots[0] not in self.private and all(row.equal(rows[0]) for row in rows)
        tasks, marks = [], {}
        for k, slot in enumerate(slots):
            if slot not in self.private:
                marks[k] = blake2b(models(slot)[k].numpy().data).digest(), common
            if slot in self.private or self.marks.get(k) != marks[k]:
                tasks.append(JudgeTask(k, slot, common))
        for task, result in zip(tasks, run(tasks), strict=True):
            if result is not None:
                self.told[:, task.client] = result
                self.marks.pop(task.client, None)
                self.marks.update({task.client: marks[task.client]} if task.client in marks else {})
        accuracy, loss = self.told.copy()
        return accuracy, loss
