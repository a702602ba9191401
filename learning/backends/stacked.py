"""Several clients at once: their models as one matrix, their gradients by `torch.func.vmap`.

On a CUDA device, and with tiny batches on the CPU, a step of one client is mostly the cost of starting operations;
here each operation serves many clients. Results agree with the plain loop to some 1e-6, not to the last bit: batched
products sum in another order.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.func import grad_and_value, vmap
from torch.nn.utils.rnn import pad_sequence
from torch.overrides import TorchFunctionMode

from learning.backends.backend import Ours, Result, Task, one_thread, perform
from learning.local import TrainTask, batch_order, descend, dropout
from learning.models.network import Network
from learning.streams import stream
from learning.work import Work

Tensor = torch.Tensor

_ALONE = ("lstm", "lora")  # vmap runs an LSTM client by client, and a language model's batches differ in length
_CPU_BYTES = 256 * 2**20
_CUDA_SHARE = 0.25  # of the memory that is free: what vmap needs besides is an estimate
UNCOUNTED = -100
"""The label of a sample that fills up a batch: cross entropy leaves it out."""

_MATRICES = 9  # of parameters: models, targets, corrections, gradients thrice, two of AdamW, one to work in


def stackable(work: Work) -> bool:
    """Say whether this work's training can be stacked: not LSTMs, language models, or training with privacy."""
    return work.network.name not in _ALONE and not work.facts.plan.dp_epsilon


def client_bytes(work: Work) -> int:
    """Estimate what one client's share of a stacked step takes: its vectors, and twice what its batch saves.

    What a sample's forward pass saves for the backward pass is what two samples save more than one.
    """
    activations = _saved_bytes(work, 2) - _saved_bytes(work, 1)
    return _MATRICES * 4 * work.network.layout.parameters + 2 * work.facts.plan.batch * activations


def _saved_bytes(work: Work, samples: int) -> int:
    held = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal held
        held += tensor.numel() * tensor.element_size()
        return tensor

    first = torch.zeros(samples, dtype=torch.int64, device=work.device)
    masks = [torch.ones(samples, *shape, device=work.device) for _, shape in work.network.drops]
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        work.bench.loss(work.inputs(work.tensors["train_x"][first]), work.tensors["train_y"][first], masks)
    return held


def budget_of(device: torch.device) -> int:
    """Return the bytes that a chunk of clients may take: 256 MiB on the CPU, a quarter of what is free on CUDA."""
    if device.type != "cuda":
        return _CPU_BYTES
    return int(_CUDA_SHARE * torch.cuda.mem_get_info(device)[0])


def chunk_of(work: Work, budget: int) -> int:
    """Return how many clients fit ``budget`` bytes, rounded down to a power of 2, at least 1.

    Chunks of another size may give other last bits; so a little more or less free memory must not change them.
    """
    return int(2 ** math.floor(math.log2(max(1, budget // client_bytes(work)))))


class _AnyLayout(TorchFunctionMode):
    """Leave tensors in the layout that they have: vmap knows no channels last, which changes speed and not numbers."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is Tensor.contiguous:
            return args[0]
        return func(*args, **(kwargs or {}))


def stacked_gradient(network: Network) -> Callable[..., Any]:
    """Return the function of (parameters [c, ...] each, x [c, n, ...], y [c, n, ...], masks [c, n, ...] each).

    It gives each client's gradients, like the parameters, and its mean loss [c].
    """

    def loss(parameters: tuple[Tensor, ...], x: Tensor, y: Tensor, masks: tuple[Tensor, ...]) -> Tensor:
        with _AnyLayout():
            return network.batch_loss(parameters, x, y, masks)

    return vmap(grad_and_value(loss))


class _Batches:
    """The batches of several clients side by side, each its own: what `train_client` would draw for it alone.

    A step is as wide as its widest batch. Narrower ones, the last of their epochs, are filled up with a sample of
    their own whose label is -100, which cross entropy counts neither in its sum nor in what it divides by: exact.
    """

    def __init__(self, work: Work, tasks: Sequence[TrainTask]) -> None:
        spec, round_index = tasks[0].spec, tasks[0].round_index
        purpose = f"batches/{spec.model}" if spec.model else "batches"
        self._work, self._visited, cuts = work, [], []
        for task in tasks:
            members = work.members(task.client, spec.whole).cpu().numpy()
            rng = stream(work.facts.seed, purpose, round_index, task.client)
            order, cut = batch_order(len(members), work.facts.plan.batch, spec.steps, rng)
            self._visited.append(members[order])
            cuts.append(cut)
        self._cuts = np.array(cuts)
        self._masks = [dropout(work, purpose, task) for task in tasks]

    def at(self, step: int) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Return inputs [c, n, ...], labels [c, n] and masks [c, n, ...] of a step."""
        tensors, device = self._work.tensors, self._work.device
        starts, sizes = self._cuts[:, step], np.diff(self._cuts[:, step : step + 2])[:, 0]
        place = np.arange(sizes.max())
        real = place < sizes[:, None]
        index = np.stack([v[a + np.where(r, place, 0)] for v, a, r in zip(self._visited, starts, real, strict=True)])
        where = torch.from_numpy(index).to(device)
        x = self._work.inputs(tensors["train_x"][where.flatten()]).unflatten(0, index.shape)
        y = tensors["train_y"][where]
        if not real.all():
            y = torch.where(torch.from_numpy(real).to(device), y, UNCOUNTED)
        drawn = [draw(size) for draw, size in zip(self._masks, sizes.tolist(), strict=True)]
        return x, y, tuple(pad_sequence(list(of_one), batch_first=True) for of_one in zip(*drawn, strict=True))


def train_stacked(work: Work, tasks: Sequence[TrainTask]) -> list[float]:
    """Train the clients of ``tasks`` together and return what `perform` returns for each.

    All tasks must have one round and one spec. Clients see the same batches and dropout masks as alone.
    """
    spec, batches = tasks[0].spec, _Batches(work, tasks)
    clients = torch.tensor([task.client for task in tasks], device=work.device)
    rows = torch.empty(len(tasks), work.network.layout.parameters, device=work.device)
    gradient, total = torch.zeros_like(rows), torch.zeros(len(tasks), dtype=torch.float64, device=work.device)
    stacked = stacked_gradient(work.network)

    def differentiate(step: int) -> None:
        found, losses = stacked(_parameters(work.network, rows), *batches.at(step))
        torch.cat([part.flatten(1) for part in found], dim=1, out=gradient)
        total.add_(losses)

    descend(work, tasks[0], clients, rows, gradient, differentiate)
    means: list[float] = (total / spec.steps).tolist()
    if spec.then is not None:
        further = train_stacked(work, [replace(task, spec=spec.then) for task in tasks])
        # divergence anywhere is the trainer's to report
        means = [own if math.isfinite(more) else more for own, more in zip(means, further, strict=True)]
    return means


def _parameters(network: Network, rows: Tensor) -> tuple[Tensor, ...]:
    """Return the parameters [c, ...] of the models in ``rows`` [c, P], as views of them."""
    offsets, shapes = network.layout.offsets, network.layout.shapes
    return tuple(rows[:, a:b].unflatten(1, s) for a, b, s in zip(offsets, offsets[1:], shapes, strict=False))


class StackedBackend(Ours):
    """Trains clients in chunks that fit ``budget`` bytes; everything else runs as in the plain loop.

    Chunks are made of clients with like numbers of samples, so that their batches differ in size less often. On a CUDA
    device the whole work is moved there. ``budget`` 0: see `budget_of`.
    """

    name = "stacked"

    def __init__(self, work: Work, device: torch.device | None = None, budget: int = 0) -> None:
        self.work = work if device is None else work.to(device)
        self._stacks = stackable(self.work)
        self.chunk = chunk_of(self.work, budget or budget_of(self.work.device)) if self._stacks else 1

    def run(self, tasks: Sequence[Task]) -> list[Result]:
        """Return the result of each task."""
        results: dict[int, Result] = {}
        alike: dict[tuple[Any, ...], list[tuple[int, TrainTask]]] = defaultdict(list)
        with one_thread():
            for k, task in enumerate(tasks):
                if self._stacks and isinstance(task, TrainTask) and not task.key:
                    alike[task.round_index, task.spec].append((k, task))
                else:
                    results[k] = perform(self.work, task)
            for group in alike.values():
                group.sort(key=lambda numbered: (len(self.work.members(numbered[1].client)), numbered[0]))
                for start in range(0, len(group), self.chunk):
                    numbers, part = zip(*group[start : start + self.chunk], strict=True)
                    alone = len(part) == 1  # then the plain loop, whose bits these are
                    losses = [perform(self.work, part[0])] if alone else train_stacked(self.work, part)
                    results.update(zip(numbers, losses, strict=True))
        return [results[k] for k in range(len(tasks))]

    def close(self) -> None:
        """Nothing is held."""
