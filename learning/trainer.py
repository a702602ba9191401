"""The facade that a round loop drives: train, compare, aggregate, evaluate, save and go on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from learning import checkpoint
from learning.adversaries import FREE_RIDES, HONEST, upload
from learning.algorithms import method_named
from learning.algorithms.algorithm import HELD, START, Aggregation, Graph
from learning.begin import begin, device_named, refuse
from learning.errors import LearningError
from learning.local import TrainTask
from learning.models.build import base_digest_of
from learning.plan import LearningPlan
from learning.server import Server, refuse_infinite
from learning.streams import stream
from learning.valuation.curves import WIDTH, Curve, collect
from learning.valuation.sets import chosen_tasks, value_tasks
from learning.work import Before, State, recover
from mechanism.space import Floats

if TYPE_CHECKING:
    from learning.federation.transport import Transport
    from mechanism.market.clients import Types


class Trainer(AbstractContextManager["Trainer"]):
    """Training of m clients by one method; the graph comes from outside where the method leaves it to a market.

    In a round r = 1..R call `train`, `differences`, `aggregate` with the graph, `evaluate`, in this order. ``seed``
    decides the split, θ_0 and every batch; the numbers do not depend on the number of processes, nor on the backend but
    for the last bits of stacked. Use it as a context manager, or `close` it: it may hold worker processes. ``keys``:
    the clients' secret noise keys, where the plan asks for privacy (`learning.privacy.keys`). ``transport``: what
    carries messages to clients elsewhere, with backend "federated": they have the samples and the keys.
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
        keys: Sequence[bytes] = (),
        transport: Transport | None = None,
    ) -> None:
        method = method_named(algorithm)
        refuse(plan, method, backend, seed)
        self.plan, self.seed, self.algorithm = plan, seed, method
        place = device_named(device, backend)
        self._conduct = plan.conduct or (HONEST,) * plan.clients
        self._slots = self.algorithm.slots + ((HELD,) if set(self._conduct) != {HONEST} else ())
        self._server = Server(plan, self.algorithm, seed)
        found = begin(plan, method, self._slots, backend, place, seed, data_dir, processes, keys, transport)
        self.sizes, self._exam, self.choice, self._backend = found.sizes, found.exam, found.choice, found.backend
        self.backend, self.device, self._guard = self._backend.name, str(place), found.guard
        self.names, self.left_out = found.names, found.left_out
        parts = (found.data, self.state.layout, base_digest_of(plan.model, plan.base_model))
        self._identity, self._notices = checkpoint.identity(plan, algorithm, seed, *parts), list[str]()
        self._aggregated, self._poisoned = np.zeros((2, plan.clients), dtype=bool)  # poisoned: see `Server.mark`
        self._present, self._strange = np.ones(plan.clients, dtype=bool), list[int]()  # who uploads something else
        self.round, self._uploaded = 0, False  # the last one trained; do rows hold uploads?

    @property
    def state(self) -> State:
        """The live state: the matrices that local work and the server read and write in place."""
        return self._backend.work.state

    @property
    def present(self) -> NDArray[np.bool_]:
        """Who took part in the last round [m]: who was called, must train and did what it was asked so far."""
        for client, notice in self._backend.away.items():
            if self._present[client]:
                self._present[client] = False
                self._notices += [notice] if notice else []
        return self._present

    def train(self, round_index: int, present: NDArray[np.bool_] | None = None) -> Floats:
        """Let clients do their local work of round ``round_index`` >= 1; return the mean losses [m] of their batches.

        ``present`` bool [m]: who takes part, everybody if None; the others keep what they have. 0 for who does not
        train. `LearningError` if training diverges; whom attackers or free-riders gave something goes back, told as 0.
        """
        if round_index < 1:
            raise LearningError(f"round_index is {round_index}; rounds are counted from 1")
        m = self.plan.clients
        self._present = np.ones(m, dtype=bool) if present is None else np.array(present, dtype=bool)
        if self._present.shape != (m,):
            raise LearningError(f"present has shape {list(self._present.shape)}; expected [{m}]")
        ours = self.backend != "federated"  # else clients look after their privacy themselves
        if self._guard is not None and ours:
            told = len(self._guard.notices)
            self._present = self._guard.admit(self._present, round_index)
            self._notices += self._guard.notices[told:]
        elif self._guard is not None and round_index == 1:
            self._notices += self._guard.faults
        self._server.forget()
        self._backend.begin(round_index)
        state, spec = self.state, self.algorithm.local_spec
        if START in self.algorithm.slots:
            state.slots[START].copy_(state.rows)
        clients = [k for k in np.flatnonzero(self.present).tolist() if self._conduct[k] not in FREE_RIDES]
        plans = {k: self.plan.of(len(self._backend.work.members(k)), k) for k in clients}
        tasks = [TrainTask(k, round_index, spec(plan, not self._aggregated[k])) for k, plan in plans.items()]
        if self._guard is not None and ours:
            tasks = self._guard.protect(tasks)
        before = Before.of(state) if HELD in self._slots else None
        losses = np.zeros(m)
        losses[clients] = self._backend.run(tasks)
        clients = [k for k in clients if self.present[k]]
        self._notices += recover(state, before, losses, clients, round_index, self.algorithm.own, self._poisoned)
        if self.algorithm.deployed:  # the rows are looked at with their geometry
            refuse_infinite(state.slots[self.algorithm.deployed].isfinite().all(1).cpu().numpy())
        base = state.initial if self.plan.model == "lora" else None
        self._strange = self._dishonest()
        for k in self._strange:
            state.slots[HELD][k] = state.rows[k]
            rng, start = stream(self.seed, "upload", round_index, k), None if before is None else before.rows[k]
            state.rows[k] = upload(self._conduct[k], state.rows[k], rng, base, start)
        self.round, self._uploaded = round_index, True
        return losses

    @property
    def judged(self) -> str:
        """By which models the method is judged: those "trained" in a round, or those "aggregated" after it."""
        return self.algorithm.deploys

    @property
    def attack_success(self) -> Floats | None:
        """How well a backdoor works on the models that were tested last [m], None without one (`Exam`)."""
        return self._exam.attack_success

    def types(self) -> Types | None:
        """Return what clients elsewhere say of themselves; None here, where a run's settings say it."""
        return None

    @property
    def epsilon(self) -> Floats:
        """Return what each client's training has spent, ε at the plan's δ, float64 [m]; 0 without privacy."""
        return self._backend.epsilon if self._guard is None else self._guard.epsilon

    @property
    def notices(self) -> list[str]:
        """What a user should be told so far, one line each; also who is away, and why."""
        _ = self.present  # says who is away
        return self._notices

    def _dishonest(self) -> list[int]:
        """Return who takes part and uploads something else than its model."""
        return [k for k in np.flatnonzero(self.present).tolist() if self._conduct[k] != HONEST]

    def differences(self) -> tuple[Floats, NDArray[np.bool_]]:
        """Return d_ij = 1 − cos(θ_i − θ_0, θ_j − θ_0) [m, m] and which clients [m] are still at θ_0 (d = 1)."""
        return self._server.differences(self.state, self._backend)

    def implied_imports(self, sizes: Floats | None = None) -> NDArray[np.bool_] | None:
        """Return the graph [m, m] that the method implies (row imports from column), None if a market decides it.

        It has an edge where the weight of the round's server step is not 0: ask for it between `train` and `aggregate`,
        with the same ``sizes``. Who does not take part has none.
        """
        within = self.algorithm.implied(self.plan.clients)
        if within is None:
            return None
        graph = within & self.present[:, None] & self.present[None, :]
        clients = np.flatnonzero(self.present)
        step = self._step(within, sizes) if len(clients) else None
        if step is not None:
            graph[np.ix_(clients, clients)] &= step.graph
        return graph

    def _step(self, imports: Graph, sizes: Floats | None) -> Aggregation | None:
        clients = np.flatnonzero(self.present)
        said = np.asarray(self.sizes if sizes is None or self.algorithm.measures else sizes, dtype=np.float64)
        return self._server.step(self._backend, self.state, imports, clients, said, self.round)

    def aggregate(self, imports: NDArray[np.bool_], sizes: Floats | None = None) -> bool:
        """Do the server's step on the graph ``imports`` bool [m, m]; it sets what the next round starts from.

        Return whether that changed the models that clients use: then, and only then, `evaluate` finds other ones.
        ``sizes`` [m] are the numbers of samples that clients say they have, the true ones if None.
        """
        graph, m = np.asarray(imports), self.plan.clients
        if graph.dtype != bool or graph.shape != (m, m):
            raise LearningError(f"imports are {graph.dtype} {list(graph.shape)}; expected bool [{m}, {m}]")
        clients = np.flatnonzero(self.present)
        step = self._step(graph, sizes) if len(clients) else None
        moved = step is not None and self._server.write(step, self._backend, clients, self._put_back)
        if step is None:
            self._put_back()
        self._aggregated[clients] = True
        self._server.mark(self._poisoned, step, clients, self._strange)
        self._server.forget()
        self._uploaded = False
        return moved

    def _put_back(self) -> None:
        """Give their own models back to those who uploaded something else."""
        for k in self._strange:
            self.state.rows[k] = self.state.slots[HELD][k]

    def evaluate(self) -> tuple[Floats, Floats]:
        """Return personal test accuracy [m] and test loss [m] of the models that clients would use now.

        Between `train` and `aggregate` these are the trained ones, whatever a client uploads in place of its own.
        Per stratum (class, unless the data says otherwise), weighted by each client's own shares.
        """
        method, trained = self.algorithm, self._uploaded
        deployed = "" if trained and method.deploys == "aggregated" else method.deployed
        slots = [deployed] * self.plan.clients
        for k in self._strange if trained and not deployed else ():
            slots[k] = HELD
        return self._exam.results(self._backend.run, self._backend.work.models, slots)

    def effective(self) -> Floats | None:
        """Return e [m, m], what models are measured to be worth in samples of the importer (row); None: not measured.

        Call it as `measure`. Who did not train or is there for the first time measures nothing: its probe is too raw.
        """
        if not self.algorithm.measures:
            return None
        clients = np.flatnonzero(self.present).tolist()
        buyers = [k for k in clients if self._aggregated[k] and self._conduct[k] not in FREE_RIDES]
        return self._server.mixing.effective(self._backend, self.sizes.astype(float), clients, buyers, self.round)

    def joint(self, imports: NDArray[np.bool_]) -> Floats:
        """Return what all that each client imports is measured to be worth together, in its samples, float64 [m]."""
        step = self._step(np.asarray(imports), None)
        return self._server.mixing.joint(self._backend, step, np.flatnonzero(self.present), self.sizes.astype(float))

    def brought(self, imports: NDArray[np.bool_]) -> Floats:
        """Return by how much imports make the loss fall of the model that each client uses, nats [m]; 0 if unused."""
        clients, step = np.flatnonzero(self.present), self._step(np.asarray(imports), None)
        return self._server.mixing.brought(self._backend, step, clients)

    def judge(self, imports: NDArray[np.bool_]) -> None:
        """Let importers judge what `aggregate` will mix for them, where the method asks: so it asks nobody itself."""
        clients = np.flatnonzero(self.present)
        if self.algorithm.measures and len(clients) and (step := self._step(np.asarray(imports), None)) is not None:
            self._server.mixing.judged(self._backend, step.matrix, clients)

    def measure(self, imports: NDArray[np.bool_] | None = None) -> Curve:
        """Return what averaging others' models brings every client on the samples that it holds out.

        On nested and random sets of those who are there, or with ``imports`` [m, m] on what each client imports alone:
        a curve of one column. Models are those trained in this round, so call it before `aggregate`.
        """
        held = [len(self._backend.work.held_out(client)) for client in range(self.plan.clients)]
        if imports is None:
            tasks, width = value_tasks(self.sizes, held, self.seed, self.round, self.present), WIDTH
        else:
            tasks, width = chosen_tasks(imports, self.sizes, held), 1
        return collect(self.sizes, tasks, self._backend.run(tasks), width)

    def save(self, path: Path) -> None:
        """Write all that the next round depends on to one safetensors file; an existing one is replaced whole."""
        flags = {"aggregated": self._aggregated, "poisoned": self._poisoned, "present": self.present}
        progress = {name: told.tolist() for name, told in flags.items()} | {
            "round": self.round,
            "uploaded": self._uploaded,
            "use": self._backend.work.facts.use(self.algorithm.deployed),
            "spent": [] if self._guard is None else self._guard.rows(),
            "stopped": [] if self._guard is None else self._guard.stopped,
            **self._backend.memory(),
        }
        checkpoint.save(Path(path), self.state.tensors(), self._identity | progress)

    def load(self, path: Path) -> None:
        """Go on from a saved state, bitwise. `CheckpointError` if it is damaged or of another plan, method or seed."""
        tensors, manifest = checkpoint.load(
            Path(path), self.state.tensors(), lambda told: checkpoint.refuse_other_runs(self._identity, told, self.plan)
        )
        for name, tensor in tensors.items():
            self._backend.work.tensors[name].copy_(tensor)
        self.round, self._aggregated = manifest["round"], np.array(manifest["aggregated"], dtype=bool)
        self._poisoned = np.array(manifest.get("poisoned", manifest["aggregated"]), dtype=bool)  # before: not told
        self._present = np.array(manifest["present"], dtype=bool)
        self._strange = self._dishonest()
        self._uploaded = manifest.get("uploaded") is True  # runs of version 0.1 were saved after the server's step
        if self._guard is not None:
            self._guard.restore(manifest["spent"], manifest["stopped"])
        self._backend.recall(manifest)
        self._server.forget()

    def close(self) -> None:
        """End worker processes, if there are any; harmless when done twice."""
        self._backend.close()

    def __exit__(self, *error: object) -> None:
        self.close()
