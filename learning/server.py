"""The server's side of a round: what it sees of those who take part, the method's step on it, and what it writes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from learning.algorithms.algorithm import START, Aggregation, Algorithm, Floats, Graph, Trials, Uploads
from learning.backends.backend import Backend, one_thread
from learning.differences import Geometry, combine, geometry, trimmed_mean
from learning.errors import LearningError
from learning.mixing import Mixing
from learning.plan import LearningPlan
from learning.valuation.sets import ValueTask
from learning.work import State, Work

Clients = NDArray[np.int64]


class Server:
    """The pure functions of a method, asked about the clients who take part in a round.

    Everybody else keeps what they have, but for models that are common to all: those are the server's, and who comes
    back finds the newest.
    """

    def __init__(self, plan: LearningPlan, algorithm: Algorithm, seed: int) -> None:
        self.plan, self.algorithm, self.seed = plan, algorithm, seed
        self._geometry: Geometry | None = None
        self._step: tuple[Floats, Clients, Aggregation | None] | None = None

    def forget(self) -> None:
        """Begin a round: what was computed of the last one's models no longer holds."""
        self._geometry = self._step = None
        vars(self).pop("mixing", None)

    @cached_property
    def mixing(self) -> Mixing:
        """What is measured in this round; only methods that measure ask for it."""
        return Mixing(self.algorithm)

    def geometry(self, state: State) -> Geometry:
        """Return the geometry of all rows around θ_0; `LearningError` if one is not finite."""
        if self._geometry is None:
            with one_thread():
                self._geometry = geometry(state.rows, state.initial)
            refuse_infinite(np.isfinite(self._geometry.norms))
        return self._geometry

    def differences(self, state: State, backend: Backend) -> tuple[Floats, NDArray[np.bool_]]:
        """Return d_ij [m, m] and which clients [m] are still at θ_0.

        By the metric of the network where it has one of its own: adapters are compared by what they do to the weights.
        """
        found = self.geometry(state)
        own: Callable[..., Geometry] | None = getattr(backend.work.network, "geometry", None)
        if own is not None:
            with one_thread():
                found = own(state.rows, state.initial)
        return found.differences, found.zero

    def step(
        self, backend: Backend, state: State, imports: Graph, clients: Clients, sizes: Floats, round_index: int
    ) -> Aggregation | None:
        """Return the method's step among ``clients`` [k], its matrices [k, k]; None for nothing.

        A method that implies its graph is asked once a round, ``sizes`` [m] and clients, whatever ``imports`` [m, m].
        """
        market = self.algorithm.implied(self.plan.clients) is None
        same = self._step is not None and all(map(np.array_equal, self._step[:2], (sizes, clients)))
        if self._step is None or market or not same:
            uploads = self._uploads(state, imports, clients, sizes, round_index)
            if self.algorithm.tries is not None:
                chosen = self.algorithm.tries(uploads)
                results = backend.run(trial_tasks(chosen, clients, backend.work))
                with one_thread():
                    uploads = replace(uploads, trials=collect(chosen, clients, results, state))
            self._step = (sizes.copy(), clients.copy(), self.algorithm.aggregate(uploads))
        return self._step[2]

    def _uploads(self, state: State, imports: Graph, clients: Clients, sizes: Floats, round_index: int) -> Uploads:
        found, origin, m = self.geometry(state), self.algorithm.origin, self.plan.clients
        if origin:
            with one_thread():
                found = geometry(state.rows, state.slots[origin])
        memory = np.zeros((m, m)) if state.memory is None else state.memory.cpu().numpy().copy()
        among = np.ix_(clients, clients)
        return Uploads(
            self.plan,
            imports[among],
            sizes[clients],
            found.cosines[among],
            found.norms[clients],
            memory[clients] if self.algorithm.own_memory else memory[among],
            self.seed,
            round_index,
            effective=self.mixing.among(clients) if self.algorithm.measures else None,
            clients=clients,
            parameters=state.layout.names,
        )

    def mark(self, given: Graph, step: Aggregation | None, clients: Clients, dishonest: Sequence[int]) -> None:
        """Mark in ``given`` [m] whom a step among ``clients`` gave something of what the ``dishonest`` uploaded.

        Those are among them where the step pulls a client to its own upload.
        """
        given[clients] = False if step is None else (step.matrix != 0)[:, np.isin(clients, dishonest)].any(axis=1)
        if self.algorithm.shared and len(clients):
            given[:] = given[clients].any()

    def write(self, step: Aggregation, backend: Backend, clients: Clients, kept: Callable[[], None]) -> bool:
        """Write what the step makes of the models of ``clients``; return whether clients use other models now.

        ``kept`` is called between reading what they uploaded and writing: it puts back the models that they keep.
        """
        if self.algorithm.measures:
            return bool(self.mixing.write(backend, step.matrix, clients, kept).any())
        state = backend.work.state
        with one_thread():
            into = state.slots[step.into] if step.into else state.rows
            index = torch.from_numpy(clients).to(into.device)
            rows = state.rows if len(clients) == len(state.rows) else state.rows[index]
            if step.trim is None:
                made = combine(step.matrix[:1] if self.algorithm.shared else step.matrix, rows, state.initial)
            else:
                made = trimmed_mean(rows, step.trim)
            mixed = [torch.from_numpy(mix.matrix).to(into.device) @ state.slots[mix.of].double() for mix in step.mixes]
            kept()
            for part in state.layout.slices(step.only):
                if self.algorithm.shared:
                    into[:, part] = made[:1, part]
                else:
                    into[index, part] = made[:, part]
            for mix, matrix in zip(step.mixes, mixed, strict=True):
                state.slots[mix.into].copy_(matrix)
            if step.memory is not None and state.memory is not None:
                memory = state.memory.cpu().numpy().copy()
                memory[clients if self.algorithm.own_memory else np.ix_(clients, clients)] = step.memory
                state.memory.copy_(torch.from_numpy(memory))
        if not step.into:
            self._geometry = None
        return not step.into and not self.algorithm.deployed


def refuse_infinite(finite: NDArray[np.bool_]) -> None:
    """Raise `LearningError` that names the first client whose model is not finite, if there is one."""
    if not finite.all():
        client = int(np.flatnonzero(~finite)[0])
        raise LearningError(f"the model of client {client} is not finite; take a smaller lr, lam or eta")


def trial_tasks(chosen: Graph, clients: NDArray[np.int64], work: Work) -> list[ValueTask]:
    """Return one task for each of ``clients`` [k]: the model from which it started the round, then those it tries.

    ``chosen`` bool [k, k] says whose models among them that is. All samples that the client holds out are used.
    """
    tasks = []
    for i, row in zip(clients.tolist(), chosen, strict=True):
        tried = tuple(((j,), (1.0,)) for j in (i, *clients[row].tolist()))
        samples = len(work.held_out(i)) or len(work.members(i))
        tasks.append(ValueTask(i, tried, samples, first=START))
    return tasks


def collect(chosen: Graph, clients: NDArray[np.int64], results: Sequence[tuple[float, ...]], state: State) -> Trials:
    """Return the results of `trial_tasks` as matrices, with how far each model is from the one that it may replace."""
    losses, distances = np.full(chosen.shape, np.nan), np.full(chosen.shape, np.nan)
    for k, (i, found) in enumerate(zip(clients.tolist(), results, strict=True)):
        losses[k, chosen[k]] = found[1:]
        # In float64: late in training models lie close together, and their difference has few digits left.
        start = state.slots[START][i].double()
        apart = [float((state.rows[j].double() - start).square().sum().sqrt()) for j in clients[chosen[k]].tolist()]
        distances[k, chosen[k]] = apart
    return Trials(np.array([found[0] for found in results]), losses, distances)
