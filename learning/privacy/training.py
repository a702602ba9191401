"""One client's local training by DP-SGD (Abadi et al. 2016): the steps of `learning.local`, with private gradients.

The sum of per-sample gradients, each clipped to a norm, is the one thing that is computed from private samples.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.func import grad_and_value, vmap

from learning.errors import LearningError
from learning.local import TrainTask, descend
from learning.models.network import Network
from learning.privacy.accounting import sampling_rate
from learning.privacy.keys import normals, poisson_sample, subkey
from learning.work import Work


def train_client_privately(work: Work, task: TrainTask) -> float:
    """Train one client's model in place by DP-SGD and return the mean loss of the samples it drew.

    In each of ``spec.steps`` steps every sample is drawn by itself with probability q = min(1, batch / n); the sum of
    the drawn samples' gradients, each clipped to ``dp_clip``, gets noise N(0, (``task.noise`` · ``dp_clip``)²) in every
    parameter and is divided by the expected size q n. All else works on that: pull, correction, the mean that is kept,
    weight decay and the optimiser see no sample, so they cost no privacy. A step that draws nothing is a step of noise
    alone.

    The loss returned is not protected; it is 0 if nothing was drawn in the whole round. `LearningError` if the task has
    no noise.
    """
    plan, spec, bench = work.facts.plan, task.spec, work.bench
    if not task.noise > 0:  # the ledger would count steps that protect nothing
        raise LearningError(f"private training of client {task.client} has noise {task.noise}; expected more than 0")
    members = work.members(task.client, spec.whole)
    q = sampling_rate(plan.batch, len(members))
    setting = (q, task.noise, plan.dp_clip)
    slots = [spec.model, *([spec.target] if spec.pull else []), *([spec.correction] if spec.correction else [])]
    start = b"".join(work.models(slot)[task.client].cpu().numpy().tobytes() for slot in slots)
    chunk, drawn = chunk_for(work.network), 0
    total = torch.zeros((), dtype=torch.float64, device=work.device)

    def secret(purpose: str, step: int) -> bytes:
        name = f"{purpose}/{spec.model}"
        return subkey(task.key, name, task.client, task.round_index, step, setting, start)

    def differentiate(step: int) -> None:
        nonlocal drawn
        chosen = torch.from_numpy(poisson_sample(secret("sample", step), len(members), q)).to(work.device)
        index = members[chosen]
        losses = clipped_sum(
            work.network,
            bench.row,
            work.inputs(work.tensors["train_x"][index]),
            work.tensors["train_y"][index],
            masks(work, len(index), secret("dropout", step)),
            plan.dp_clip,
            chunk,
            bench.gradient,
        )
        total.add_(losses.double().sum())
        drawn += len(losses)
        noise = normals(secret("noise", step), len(bench.row)) * (task.noise * plan.dp_clip)
        bench.gradient.add_(torch.from_numpy(noise.astype("float32")).to(work.device)).div_(q * len(members))

    descend(work, task, task.client, bench.row, bench.gradient, differentiate)
    return float(total) / max(1, drawn)


def masks(work: Work, samples: int, secret: bytes) -> list[torch.Tensor]:
    """Return dropout masks [n, *shape] of 0 or 1/(1 − rate) that only the holder of the key can know.

    Were they known, a sample removed would visibly shift the masks of those after it, and change more than its own
    gradient.
    """
    if not work.network.drops:
        return []
    return work.masks(samples, torch.Generator().manual_seed(int.from_bytes(secret[:8], "little", signed=True)))


Tensor = torch.Tensor

_BYTES = 64 * 2**20


def chunk_for(network: Network) -> int:
    """Return how many samples to differentiate at a time: a power of 2 up to 64 whose gradients fit 64 MiB.

    It depends on the network only: another size would change the last bits of the sum.
    """
    chunk = 64
    while chunk > 1 and 4 * chunk * network.layout.parameters > _BYTES:
        chunk //= 2
    return chunk


def clipped_sum(
    network: Network, row: Tensor, x: Tensor, y: Tensor, masks: Sequence[Tensor], clip: float, chunk: int, out: Tensor
) -> Tensor:
    """Write Σ_k g_k · min(1, clip / ‖g_k‖) into ``out`` [P] and return the losses [n] of the samples.

    g_k is the gradient of sample k's loss in all parameters ``row`` [P]; x [n, ...] is what ``network.forward`` takes,
    y [n, ...], each of ``masks`` [n, ...]. One sample more or less changes the sum by at most ``clip`` (up to rounding,
    a relative 1e-5): a gradient that is not finite counts as 0. An empty batch gives 0 and no losses.

    Samples are taken ``chunk`` at a time with `torch.func.vmap`, or one by one where vmap is slower: a network's
    ``loops`` says which.
    """
    if not clip > 0:
        raise LearningError(f"clip is {clip}; expected a norm > 0")
    out.zero_()
    if not len(x):
        return x.new_zeros(0, dtype=torch.float32)
    layout = network.layout
    parameters = layout.views(row.detach())
    add = _one_by_one if network.loops else _stacked
    losses = [
        add(network, parameters, x[k : k + chunk], y[k : k + chunk], [m[k : k + chunk] for m in masks], clip, out)
        for k in range(0, len(x), chunk)
    ]
    return torch.cat(losses)


def _factors(squares: Tensor, clip: float) -> tuple[Tensor, Tensor]:
    """Return by what to multiply gradients of these squared norms [n] (float64), and which of them are finite."""
    finite = squares.isfinite()
    factors = (clip / squares.sqrt().clamp_min(1e-30)).clamp_max(1.0)
    return torch.where(finite, factors, 0.0), finite


def _stacked(
    network: Network,
    parameters: Sequence[Tensor],
    x: Tensor,
    y: Tensor,
    masks: Sequence[Tensor],
    clip: float,
    out: Tensor,
) -> Tensor:

    def loss(values: tuple[Tensor, ...], sample: Tensor, label: Tensor, drops: tuple[Tensor, ...]) -> Tensor:
        return network.batch_loss(
            values, sample.unsqueeze(0), label.unsqueeze(0), [mask.unsqueeze(0) for mask in drops]
        )

    each: Callable[..., Any] = vmap(grad_and_value(loss), in_dims=(None, 0, 0, 0))
    gradients, losses = each(tuple(parameters), x, y, tuple(masks))
    flat = [gradient.flatten(1) for gradient in gradients]
    squares = sum(torch.linalg.vector_norm(g, dim=1).double().square() for g in flat)
    factors, finite = _factors(torch.as_tensor(squares), clip)
    if not bool(finite.all()):  # 0 · ∞ is not 0
        flat = [torch.where(finite[:, None], g, 0.0) for g in flat]
    offsets = network.layout.offsets
    for start, end, g in zip(offsets, offsets[1:], flat, strict=False):
        out[start:end].addmv_(g.T, factors.to(out.dtype))
    return losses.detach().float()


def _one_by_one(
    network: Network,
    parameters: Sequence[Tensor],
    x: Tensor,
    y: Tensor,
    masks: Sequence[Tensor],
    clip: float,
    out: Tensor,
) -> Tensor:
    leaves = [parameter.detach().requires_grad_() for parameter in parameters]
    views = network.layout.views(out)
    losses = []
    for k in range(len(x)):
        with torch.enable_grad():
            one = network.batch_loss(leaves, x[k : k + 1], y[k : k + 1], [m[k : k + 1] for m in masks])
        gradients = torch.autograd.grad(one, leaves, materialize_grads=True)
        squares = torch.stack([torch.linalg.vector_norm(g).double().square() for g in gradients]).sum()
        factor, finite = _factors(squares[None], clip)
        if bool(finite.all()):
            for view, gradient in zip(views, gradients, strict=True):
                view.add_(gradient, alpha=float(factor))
        losses.append(one.detach().float())
    return torch.stack(losses)
