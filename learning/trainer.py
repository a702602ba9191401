"""The facade that a round loop drives: train, compare, aggregate, evaluate, save and go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from learning import checkpoint
from learning.algorithms import ALGORITHMS
from learning.algorithms.algorithm import START, Aggregation, Graph, Uploads
from learning.backends import BACKENDS
from learning.backends.auto import Choice, choose, usable_cores
from learning.backends.backend import Backend, one_thread
from learning.backends.pool import PoolBackend
from learning.backends.rows import RowsBackend
from learning.data.dataset import Dataset, load
from learning.data.splits import split
from learning.differences import Geometry, combine, geometry
from learning.errors import CheckpointError, LearningError
from learning.evaluation import evaluation_tasks, personal
from learning.local import TrainTask
from learning.models.network import initial_row, network
from learning.plan import LearningPlan
from learning.state import State, fresh_state
from learning.streams import stream
from learning.trials import collect, hold_out, trial_tasks
from learning.work import assemble

Array = NDArray[np.float64]


class Trainer:
    """Training of m clients by one method; the graph comes from outside where the method leaves it to a market.

    In a round r = 1..R call `train`, `differences`, `aggregate` with the graph, `evaluate`, in this order. ``seed``
    decides the split, θ_0 and every batch; the numbers do not depend on backend or number of processes. Use it as a
    context manager, or `close` it: it may hold worker processes.
    """

    def __init__(
        self,
        plan: LearningPlan,
        algorithm: str = "ipfl",
        backend: str = "auto",
        device: str = "auto",
        seed: int = 0,
        data_dir: Path | None = None,
        processes: int | None = None,
    ) -> None:
        if algorithm not in ALGORITHMS:
            raise LearningError(f"there is no method {algorithm!r}; expected one of {', '.join(ALGORITHMS)}")
        if backend not in BACKENDS:
            raise LearningError(f"there is no backend {backend!r}; expected one of {', '.join(BACKENDS)}")
        if not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise LearningError(f"seed is {seed!r}; expected an integer from 0 to 2**63 - 1")
        self.plan, self.seed, self.algorithm = plan, seed, ALGORITHMS[algorithm]
        self.algorithm.local_spec(plan, False)  # a plan that the method cannot follow is refused before any work
        place = _device(device, backend)
        dataset = load(plan.dataset, data_dir)
        self._digest, self.data_source = dataset.digest(), dataset.source
        members = split(
            plan.split, dataset.train_y, plan.clients, dataset.classes, stream(seed, "split"), plan.split_beta
        )
        self.sizes: NDArray[np.int64] = np.array([len(indices) for indices in members], dtype=np.int64)
        labels = [np.bincount(dataset.train_y[indices], minlength=dataset.classes) for indices in members]
        self._weights = np.array(labels) / self.sizes[:, None]
        self._class_sizes = np.bincount(dataset.test_y, minlength=dataset.classes)
        self.choice, self._backend = self._start(dataset, members, backend, place, processes)
        self.backend, self.device = self._backend.name, str(place)
        self._round, self._aggregated = 0, False
        self._geometry: Geometry | None = None
        self._step: tuple[Aggregation | None] | None = None

    def _start(
        self,
        dataset: Dataset,
        members: list[NDArray[np.int64]],
        backend: str,
        place: torch.device,
        processes: int | None,
    ) -> tuple[Choice, Backend]:
        net = network(self.plan.model, dataset.shape, dataset.classes)
        initial = torch.from_numpy(initial_row(net.layout, stream(self.seed, "initial")))
        method = self.algorithm
        state = fresh_state(net.layout, initial, self.plan.clients, method.slots, method.memory)
        ordered, held = hold_out(members, self.seed) if method.tries else (members, [])
        work = assemble(self.plan, self.seed, dataset, ordered, state, net, held)
        self._layout = net.layout
        if backend == "auto":
            choice = choose(work, self._images(), place, processes)
        else:
            count = (processes or min(usable_cores(), self.plan.clients)) if backend == "pool" else 1
            choice = Choice(backend, count, f"{backend}: asked for")
        if choice.backend == "pool":
            return choice, PoolBackend(work, choice.processes)
        return choice, RowsBackend(work, place)

    def _images(self) -> int:
        """Return how many test images one evaluation looks at."""
        needed: NDArray[np.bool_] = self._weights > 0
        if self.algorithm.common:
            needed = np.any(needed, axis=0, keepdims=True)
        return int((needed * self._class_sizes).sum())

    @property
    def state(self) -> State:
        """The live state: the matrices that local work and the server read and write in place."""
        tensors = self._backend.work.tensors
        slots = {name: tensors[f"slot/{name}"] for name in self.algorithm.slots}
        return State(self._layout, tensors["rows"], tensors["initial"], slots, tensors.get("memory"))

    @property
    def round(self) -> int:
        """The last round that was trained, 0 before the first."""
        return self._round

    def train(self, round_index: int) -> Array:
        """Let every client do its local work of round ``round_index`` >= 1; return the mean losses [m] of its batches.

        `LearningError` if a client's training diverges.
        """
        if round_index < 1:
            raise LearningError(f"round_index is {round_index}; rounds are counted from 1")
        self._geometry = self._step = None
        if START in self.algorithm.slots:
            self.state.slots[START].copy_(self.state.rows)
        spec = self.algorithm.local_spec(self.plan, not self._aggregated)
        tasks = [TrainTask(client, round_index, spec) for client in range(self.plan.clients)]
        losses = np.array(self._backend.run(tasks), dtype=np.float64)
        if not np.isfinite(losses).all():
            client = int(np.flatnonzero(~np.isfinite(losses))[0])
            raise LearningError(
                f"training of client {client} diverged in round {round_index}: its loss is {losses[client]}; take a "
                "smaller lr, lam or eta"
            )
        if self.algorithm.deployed:  # the rows are looked at with their geometry
            _refuse_infinite(self.state.slots[self.algorithm.deployed].isfinite().all(1).cpu().numpy())
        self._round = round_index
        return losses

    def _current_geometry(self) -> Geometry:
        if self._geometry is None:
            with one_thread():
                self._geometry = geometry(self.state.rows, self.state.initial)
            _refuse_infinite(np.isfinite(self._geometry.norms))
        return self._geometry

    def differences(self) -> tuple[Array, NDArray[np.bool_]]:
        """Return d_ij = 1 − cos(θ_i − θ_0, θ_j − θ_0) [m, m] and which clients [m] are still at θ_0 (d = 1)."""
        found = self._current_geometry()
        return found.differences, found.zero

    def implied_imports(self) -> NDArray[np.bool_] | None:
        """Return the graph [m, m] that the method implies (row imports from column), None if a market decides it.

        It has an edge where the weight of the round's server step is not 0: ask for it between `train` and `aggregate`.
        """
        within = self.algorithm.implied(self.plan.clients)
        if within is None:
            return None
        step = self._server_step(within)
        return within if step is None else within & step.graph

    def _server_step(self, imports: Graph) -> Aggregation | None:
        """Return the server's step; a method that implies its graph is asked once a round, whatever ``imports``."""
        if self._step is None or self.algorithm.implied(self.plan.clients) is None:
            uploads = self._uploads(imports)
            if self.algorithm.tries is not None:
                chosen = self.algorithm.tries(uploads)
                results = self._backend.run(trial_tasks(chosen, self._backend.work))
                uploads = replace(uploads, trials=collect(chosen, results))
            self._step = (self.algorithm.aggregate(uploads),)
        return self._step[0]

    def _uploads(self, imports: Graph) -> Uploads:
        found, origin, m = self._current_geometry(), self.algorithm.origin, self.plan.clients
        if origin:
            with one_thread():
                found = geometry(self.state.rows, self.state.slots[origin])
        memory = np.zeros((m, m)) if self.state.memory is None else self.state.memory.cpu().numpy().copy()
        sizes = self.sizes.astype(np.float64)
        return Uploads(self.plan, imports, sizes, found.cosines, found.norms, memory, self.seed, self._round)

    def aggregate(self, imports: NDArray[np.bool_]) -> None:
        """Do the server's step on the graph ``imports`` bool [m, m]; it sets what the next round starts from."""
        graph, m = np.asarray(imports), self.plan.clients
        if graph.dtype != bool or graph.shape != (m, m):
            raise LearningError(f"imports are {graph.dtype} {list(graph.shape)}; expected bool [{m}, {m}]")
        step, self._step = self._server_step(graph), None
        self._aggregated = True
        if step is None:
            return
        with one_thread():
            tensors = self._backend.work.tensors
            combined = combine(step.matrix, self.state.rows, self.state.initial)
            tensors[f"slot/{step.into}" if step.into else "rows"].copy_(combined)
            if step.memory is not None:
                tensors["memory"].copy_(torch.from_numpy(step.memory))
        if not step.into:
            self._geometry = None

    def evaluate(self) -> tuple[Array, Array]:
        """Return personal test accuracy [m] and test loss [m] of the models that clients would use now.

        Per class, weighted by each client's own label shares; only classes with a share are tested, and a model that
        all clients have in common is tested once.
        """
        slot, needed = self.algorithm.deployed, self._weights > 0
        rows = self._backend.work.models(slot)
        shared = bool((rows == rows[0]).all())
        tested = np.any(needed, axis=0, keepdims=True) if shared else needed
        tasks = evaluation_tasks(range(len(tested)), tested, self._class_sizes, slot)
        correct, loss = np.zeros(tested.shape), np.zeros(tested.shape)
        for task, result in zip(tasks, self._backend.run(tasks), strict=True):
            correct[task.row] += result.correct
            loss[task.row] += result.loss
        return personal(self._weights, correct / self._class_sizes), personal(self._weights, loss / self._class_sizes)

    def _manifest(self) -> dict[str, Any]:
        return {
            "plan": self.plan.to_dict(),
            "algorithm": self.algorithm.name,
            "seed": self.seed,
            "data": self._digest,
            "layout": [[n, list(s)] for n, s in zip(self._layout.names, self._layout.shapes, strict=True)],
            "round": self._round,
            "aggregated": self._aggregated,
        }

    def save(self, path: Path) -> None:
        """Write all that the next round depends on to one safetensors file; an existing one is replaced whole."""
        checkpoint.save(Path(path), self.state.tensors(), self._manifest())

    def load(self, path: Path) -> None:
        """Go on from a saved state, bitwise. `CheckpointError` if it is damaged or of another plan, method or seed."""
        tensors, manifest = checkpoint.load(Path(path), self.state.tensors(), self._refuse_other_runs)
        for name, tensor in tensors.items():
            self._backend.work.tensors[name].copy_(tensor)
        self._round, self._aggregated = manifest["round"], manifest["aggregated"]
        self._geometry = self._step = None

    def _refuse_other_runs(self, manifest: dict[str, Any]) -> None:
        mine, plan = self._manifest(), manifest.get("plan")
        differing = self.plan.differing(plan if isinstance(plan, dict) else {})
        differing += [
            f"{name} is {mine[name]!r} here and {manifest.get(name)!r} there"
            for name in ("algorithm", "seed", "data", "layout")
            if manifest.get(name) != mine[name]
        ]
        if differing:
            raise CheckpointError(f"the saved state belongs to another run: {'; '.join(differing)}")
        done, aggregated = manifest.get("round"), manifest.get("aggregated")
        if not isinstance(done, int) or isinstance(done, bool) or done < 0 or not isinstance(aggregated, bool):
            raise CheckpointError("the saved state does not say how far it got; it is damaged")

    def close(self) -> None:
        """End worker processes, if there are any; harmless when done twice."""
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _refuse_infinite(finite: NDArray[np.bool_]) -> None:
    """Raise `LearningError` that names the first client whose model is not finite, if there is one."""
    if not finite.all():
        client = int(np.flatnonzero(~finite)[0])
        raise LearningError(f"the model of client {client} is not finite; take a smaller lr, lam or eta")


def _device(name: str, backend: str) -> torch.device:
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
