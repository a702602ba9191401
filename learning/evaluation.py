"""How good a model is for a client: test accuracy by class, weighted by the client's own labels."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from learning.work import Work
from mechanism.space import Floats

_CHUNK = 250  # images at once: measured fastest, their activations stay in the second-level cache
_SHARE = 2_000  # images in one task: small enough to share a single model's test out over processes


@dataclass(frozen=True)
class EvaluateTask:
    """Test the model in row ``row`` on ``images`` test images: all those of each stratum in ``classes``.

    ``slot`` names the matrix of models that the row is of, the clients' own if empty.
    """

    row: int
    classes: tuple[int, ...]
    images: int
    slot: str = ""

    @property
    def cost(self) -> float:
        """Relative length of the task, for sharing work out: images."""
        return float(self.images)


@dataclass(frozen=True, eq=False)
class ClassResults:
    """Summed scores (right answers) and summed losses, float64 [strata], of one task; 0 for other strata."""

    correct: Floats
    loss: Floats


def evaluate_row(work: Work, task: EvaluateTask) -> ClassResults:
    """Return what the model of one row does on the test images of the task's classes."""
    starts, device = work.facts.class_starts, work.device
    cells = torch.repeat_interleave(
        torch.tensor(task.classes), torch.tensor([starts[c + 1] - starts[c] for c in task.classes])
    ).to(device)
    parts = [torch.arange(starts[c], starts[c + 1], device=device) for c in task.classes]
    index = torch.cat(parts)
    correct = torch.zeros(len(starts) - 1, dtype=torch.float64, device=device)
    loss = torch.zeros_like(correct)
    work.bench.row.copy_(work.models(task.slot)[task.row])
    with torch.inference_mode():
        for chunk, cell in zip(index.split(_CHUNK), cells.split(_CHUNK), strict=True):
            score, lost = work.bench.judge(work.inputs(work.tensors["test_x"][chunk]), work.tensors["test_y"][chunk])
            correct.index_add_(0, cell, score)
            loss.index_add_(0, cell, lost)
    return ClassResults(correct.cpu().numpy(), loss.cpu().numpy())


def evaluation_tasks(
    rows: Iterable[int], needed: NDArray[np.bool_], class_sizes: NDArray[np.int64], slot: str = ""
) -> list[EvaluateTask]:
    """Return the tasks that test each of ``rows`` of a slot on its needed classes: ``needed`` bool [rows, classes].

    A task takes classes in order until it holds some 2,000 images, so that tasks do not depend on who runs them.
    """
    tasks: list[EvaluateTask] = []
    for row, classes in zip(rows, needed, strict=True):
        group: list[int] = []
        for label in np.flatnonzero(classes).tolist():
            group.append(label)
            if class_sizes[group].sum() >= _SHARE:
                tasks.append(EvaluateTask(row, tuple(group), int(class_sizes[group].sum()), slot))
                group = []
        if group:
            tasks.append(EvaluateTask(row, tuple(group), int(class_sizes[group].sum()), slot))
    return tasks


@dataclass(eq=False)
class Exam:
    """What clients are tested on: ``weights`` [m, strata], their shares, and how many test images a stratum has.

    ``planted``: the last stratum is of samples with a trigger (`learning.adversaries.poisoned`), and ``attack_success``
    [m] the share of them that the models tested last answer as the attacker wants; None without a backdoor.
    ``last``: of each client's model that was tested last a digest, and its sums [2, strata] of scores and losses.
    """

    weights: Floats
    class_sizes: NDArray[np.int64]
    planted: bool = False
    attack_success: Floats | None = None
    last: dict[int, tuple[bytes, Floats]] = field(default_factory=dict)

    def images(self, own: bool, shared: bool) -> int:
        """Return how many images are looked at in a round: of all trained models, then of those aggregated.

        Nothing is tested twice where clients keep their ``own`` models, and one model that all ``shared`` once.
        """
        needed: NDArray[np.bool_] = self.weights > 0
        each = int((needed * self.class_sizes).sum())
        again = int(self.class_sizes.sum()) if shared else each
        return each if own else each + again

    def results(
        self, run: Callable[[Sequence[EvaluateTask]], Sequence[Any]], models: Callable[[str], Any], slots: Sequence[str]
    ) -> tuple[Floats, Floats]:
        """Return personal accuracy and loss [m] of the clients' models, tested by whatever ``run`` does.

        Client i's model is row i of the ``models`` of slot ``slots[i]``. Only strata in which a client has a share are
        tested; of a model that all clients have in common all strata, once. One that is still what its client had last
        is not tested again.
        """
        rows = models(slots[0])
        common = len(set(slots)) == 1 and bool((rows == rows[0]).all())
        needed = self.weights > 0
        needed[:, -1] |= self.planted
        tested = (self.class_sizes > 0)[None] if common else needed  # the same whoever is there, here or elsewhere
        alone = () if common else enumerate(slots)
        marks = [blake2b(models(slot)[k].cpu().numpy().tobytes()).digest() for k, slot in alone]
        new = [k for k in range(len(tested)) if common or marks[k] != self.last.get(k, (b"",))[0]]
        tasks = [task for k in new for task in evaluation_tasks([k], tested[k : k + 1], self.class_sizes, slots[k])]
        sums = np.zeros((2, *tested.shape))
        for task, result in zip(tasks, run(tasks), strict=True):
            sums[:, task.row] += result.correct, result.loss
        self.last.update({k: (marks[k], sums[:, k]) for k in new if not common})
        each = sums if common else np.stack([self.last[k][1] for k in range(len(tested))], axis=1)
        correct, loss = each / np.maximum(self.class_sizes, 1)
        if self.planted:
            self.attack_success = np.array(np.broadcast_to(correct[:, -1], len(self.weights)))
        return personal(self.weights, correct), personal(self.weights, loss)


def personal(weights: Floats, per_class: Floats) -> Floats:
    """Return the average [m] of per-class numbers [m, classes] weighted by each client's label shares [m, classes].

    A class that a client has no sample of has weight 0 and need not have been tested (paper, personal accuracy).
    """
    return np.asarray(np.where(weights > 0, weights * per_class, 0.0).sum(1))
