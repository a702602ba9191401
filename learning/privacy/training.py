"""One client's local training by DP-SGD (Abadi et al. 2016): the update of `learning.local`, with private gradients."""

from __future__ import annotations

import torch

from learning.algorithms.algorithm import LocalSpec
from learning.errors import LearningError
from learning.local import TrainTask, descend
from learning.privacy.accounting import sampling_rate
from learning.privacy.gradients import chunk_for, clipped_sum
from learning.privacy.keys import normals, poisson_sample, subkey
from learning.work import Work


def private_steps(spec: LocalSpec | None) -> int:
    """Return how many steps of a round touch a client's samples: those of every stream, as the ledger counts them."""
    return 0 if spec is None else spec.steps + private_steps(spec.then)


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
    members = work.members(task.client)
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

    descend(work, task, task.client, bench.row, bench.gradient, work.optimizer, differentiate)
    return float(total) / max(1, drawn)


def masks(work: Work, samples: int, secret: bytes) -> list[torch.Tensor]:
    """Return dropout masks [n, *shape] of 0 or 1/(1 − rate) that only the holder of the key can know.

    Were they known, a sample removed would visibly shift the masks of those after it, and change more than its own
    gradient.
    """
    if not work.network.drops:
        return []
    return work.masks(samples, torch.Generator().manual_seed(int.from_bytes(secret[:8], "little", signed=True)))
