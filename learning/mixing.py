"""The server's side of methods that measure effective data: e of a round, and mixtures kept only where they help."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from learning.algorithms.algorithm import PROBE, Aggregation, Algorithm, Floats, Graph
from learning.backends.backend import Backend, one_thread
from learning.valuation.effective import TRIED, LineTask, MixtureTask, minimiser, needed
from learning.work import State

KEPT = 0.5
"""Share of the last round's e in a seller's that is measured anew."""
USED = 0.5
"""A mixture is used at once from this share of the standard errors on that money needs."""
REMEMBERED, CAUTION = 0.75, 0.25
"""Share of the last rounds' gap in the one reckoned with, and of that one in what a mixture is forgiven.

Probes overfit too much at first, and too little once others' models, mixed in, know their held-out samples (through
the client's own uploads, which were trained on them).
"""


def gap_at_one(gaps: Floats, sizes: Floats) -> float:
    """Return c, at least 0, such that gaps of clients with n samples are c/n; of ``gaps`` and ``sizes`` [k].

    By how much a model's loss on its own samples is too low falls with their number (Efron 2004). One client's gap is
    mostly noise, so that c is that of all; NaN is of who said nothing.

    >>> gap_at_one(np.array([0.5, -0.25, np.nan]), np.array([10.0, 10.0, 10.0]))
    1.25
    """
    told = np.isfinite(gaps)
    return max(0.0, float(gaps[told].sum() / (1.0 / sizes[told]).sum())) if told.any() else 0.0


def best_share(seen: Sequence[float], share: float, optimism: float) -> tuple[float, float]:
    """Return the α in [0, ``share``] at which own model and others mix best, and by how much the loss falls to there.

    From losses at 0, half and all of share on samples ``seen`` by the own model, whose ``optimism`` falls along the
    line to 0, and by the parabola through them.

    >>> best_share([1.0, 1.0, 1.0], 0.5, 0.25), best_share([1.0, 1.2, 1.4], 0.5, 0.25)
    ((0.5, 0.125), (0.0, 0.0))
    """
    grid = (share / 2.0, share)
    zero, half, full = (loss - optimism * part for loss, part in zip(seen, (0.0, *grid), strict=True))
    best = minimiser([zero, half, full], grid, share)
    steps = best / grid[0]
    fall = steps * (zero - half) - steps * (steps - 1.0) / 2.0 * (zero - 2.0 * half + full)
    return best, max(0.0, fall) if best > 0.0 and np.isfinite(fall) else 0.0


@dataclass(frozen=True, eq=False)
class Judged:
    """What importing brought each of m clients on its held-out samples; 0 for who imports nothing.

    ``fall`` [m]: of the mean loss, nats; ``t`` [m]: that in standard errors; ``alpha`` [m]: the weight of all
    imports together at which it would be lowest, if that was asked for. ``use`` [m]: the weight at which the client's
    own model is expected to be best, ``use_fall`` [m]: by how much its loss falls to there, nats.
    """

    fall: Floats
    t: Floats
    alpha: Floats
    use: Floats
    use_fall: Floats


class Mixing:
    """What is measured in one round, once for each question; what outlives it is in the state's memory.

    That is e, smoothed, and on the diagonal the c by which the optimism of n samples is c/n.
    """

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self._effective: Floats | None = None
        self._judged: tuple[Floats, Judged] | None = None

    def among(self, clients: NDArray[np.int64]) -> Floats | None:
        """Return what was measured in this round between ``clients`` [k, k]; None if nothing was."""
        return None if self._effective is None else self._effective[np.ix_(clients, clients)]

    def effective(
        self, backend: Backend, sizes: Floats, clients: Sequence[int], buyers: Sequence[int], round_index: int
    ) -> Floats:
        """Return e [m, m], in samples of the importer: of models of ``clients`` for ``buyers``; 0 for all others.

        A seller is new until it was better beyond noise. Then e is smoothed over rounds where it is so again, left as
        it was where the loss falls at all (junk that is not worse by chance keeps it for a round), else 0: new again.
        """
        if self._effective is None:
            work, m = backend.work, len(sizes)
            memory = work.tensors["memory"].cpu().numpy().copy()
            tasks = [
                LineTask(i, tuple(j for j in clients if j != i), frozenset(np.flatnonzero(known).tolist()), round_index)
                for i, known in zip(buyers, memory[list(buyers)], strict=True)
            ]
            found, results = np.zeros((m, m)), backend.run(tasks)
            if tasks:
                fresh_c = gap_at_one(np.array([result[-1] for result in results]), sizes[list(buyers)])
                c = REMEMBERED * memory[0, 0] + (1.0 - REMEMBERED) * fresh_c if memory[0, 0] > 0 else fresh_c
                np.fill_diagonal(memory, c)
            for task, result in zip(tasks, results, strict=True):
                i, sellers, (alpha, t) = task.client, list(task.sellers), np.reshape(result[:-1], (2, -1))
                fresh, old = sizes[i] * alpha / (1.0 - alpha), memory[i, sellers]
                better = t > needed(min(TRIED, len(work.held_out(i))))
                smooth = np.where(old > 0, KEPT * old + (1.0 - KEPT) * fresh, fresh)
                found[i, sellers] = np.where(better, smooth, np.where(t > 0, old, 0.0))
                memory[i, sellers] = found[i, sellers]
            work.tensors["memory"].copy_(torch.from_numpy(memory))
            self._effective = found
        return self._effective

    def judged(self, backend: Backend, matrix: Floats, clients: NDArray[np.int64], joint: bool = False) -> Judged:
        """Return how mixing by ``matrix`` [k, k] over ``clients`` would do, asked of the importers among them."""
        m = len(backend.work.state.rows)
        if self._judged is None or not np.array_equal(self._judged[0], matrix):
            tasks = []
            for k, i in enumerate(clients.tolist()):
                sold = np.flatnonzero((matrix[k] > 0) & (np.arange(len(matrix)) != k))
                if len(sold):
                    share = float(1.0 - matrix[k, k])
                    weights = tuple((matrix[k, sold] / matrix[k, sold].sum()).tolist())
                    tasks.append(MixtureTask(i, tuple(clients[sold].tolist()), weights, share, joint))
            found, c = np.zeros((5, m)), np.diag(backend.work.tensors["memory"].cpu().numpy())
            for task, (*told, unmixed, half, full) in zip(tasks, backend.run(tasks), strict=True):
                i = task.client
                optimism = CAUTION * c[i] / len(backend.work.members(i, whole=True))
                found[:, i] = *told, *best_share((unmixed, half, full), task.share, optimism)
            self._judged = matrix, Judged(*found)
        return self._judged[1]

    def joint(self, backend: Backend, step: Aggregation | None, clients: NDArray[np.int64], sizes: Floats) -> Floats:
        """Return what all that each imports is worth together, in its samples [m], by what ``step`` mixes."""
        if step is None or not len(clients):
            return np.zeros(len(sizes))
        alpha = self.judged(backend, step.matrix, clients, joint=True).alpha
        return np.asarray(sizes * alpha / (1.0 - alpha))

    def brought(self, backend: Backend, step: Aggregation | None, clients: NDArray[np.int64]) -> Floats:
        """Return by how much the loss of each client's model falls by the use it makes of ``step`` [m]; 0 for none."""
        if step is None:
            return np.zeros(len(backend.work.state.rows))
        judged = self.judged(backend, step.matrix, clients)
        return np.where(self._used(backend, judged) > 0, judged.use_fall, 0.0)

    def _used(self, backend: Backend, judged: Judged) -> Floats:
        """Return the weight at which each client's own model is mixed for use now [m]: 0 unless it is surely better."""
        used = np.zeros(len(judged.t))
        for i in np.flatnonzero((judged.fall >= 0.0) & (judged.t > 0.0)).tolist():
            if judged.t[i] > USED * needed(len(backend.work.held_out(i))):
                used[i] = judged.use[i]
        return used

    def write(
        self, backend: Backend, matrix: Floats, clients: NDArray[np.int64], kept: Callable[[], None]
    ) -> NDArray[np.bool_]:
        """Mix models and probes where that does not raise the held-out loss; return who uses a mixed model [m].

        That is its own, mixed at the weight that is best for it now; the next round starts from the whole mixture.

        ``kept`` puts the models back that clients keep who uploaded something else.
        """
        judged, state = self.judged(backend, matrix, clients), backend.work.state
        mixed = np.zeros(len(state.rows), dtype=bool)
        used = self._used(backend, judged)
        imports: Graph = (matrix > 0) & ~np.eye(len(matrix), dtype=bool)
        for k, i in enumerate(clients.tolist()):
            mixed[i] = imports[k].any() and judged.fall[i] >= 0
        with one_thread():
            self._write(state, matrix, clients, mixed, used, kept)
        return used > 0

    def _write(
        self,
        state: State,
        matrix: Floats,
        clients: NDArray[np.int64],
        mixed: NDArray[np.bool_],
        used: Floats,
        kept: Callable[[], None],
    ) -> None:
        index = torch.from_numpy(clients).to(state.rows.device)
        off = torch.from_numpy(matrix - np.diag(np.diag(matrix))).to(state.rows.device)
        rows = state.rows[index].double()  # before any row changes
        imported = {i: off[k] @ rows for k, i in enumerate(clients.tolist()) if mixed[i]}
        kept()
        deployed = state.slots[self.algorithm.deployed]
        deployed[index] = state.rows[index]
        own = dict(zip(clients.tolist(), np.diag(matrix).tolist(), strict=True))
        for i, brought in imported.items():
            if used[i] > 0:
                deployed[i] = torch.lerp(state.rows[i].double(), brought / (1.0 - own[i]), used[i]).to(deployed.dtype)
            for models in (state.rows, state.slots[PROBE]):
                models[i] = (own[i] * models[i].double() + brought).to(models.dtype)
