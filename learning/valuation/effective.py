"""Effective data, measured: how many of its own samples another's model is worth to a client.

A client holds half of its samples (at most `JUDGED`) out of its *probe*, a second model that trains on the rest, for
a quarter of the steps, and is mixed with what the client imports as its own model is. What it uses and uploads
sees all samples: nobody gives up data. On the line from probe p to seller's model θ_j let α minimise the held-out loss
of (1 − α) p + α θ_j. Then e_ij = n_i α/(1 − α): the weight at which a sample-weighted average would mix them.

It is 0 unless the loss falls by more than its noise: paired over the held-out samples, below the probe's own, below the
best mixture with θ_0, which knows nothing, and of a new seller below the same mixture with its parameters in random
order and with flipped signs. (A small share of *anything* makes an overconfident model less so, and its loss smaller.)
The slope of the held-out loss towards all sellers costs one gradient; only the `MOST` steepest falls are tried, at more
than one weight only where the least of them lowers the loss, beside placebos only where all else is passed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from learning.algorithms.algorithm import PROBE, Algorithm
from learning.errors import LearningError
from learning.plan import LearningPlan
from learning.streams import stream
from learning.valuation.measuring import held_index, sample_losses, samples
from learning.work import Work
from mechanism.space import Floats

GRID = (0.25, 0.5)
"""Mixing weights tried; the minimiser is that of the parabola through them and 0, at most `LARGEST`."""
LARGEST = 0.75
MOST = 12
"""Sellers tried by a client in a round at most."""
JUDGED, TRIED = 1000, 128
"""Samples held out of the probe at most, and how many of them a seller is tried on."""
CERTAIN = 2.0
"""Standard errors by which a loss must fall, for large samples."""


def held_out(plan: LearningPlan, method: Algorithm) -> tuple[float, int]:
    """Return which share of each client's samples a method holds out of training, and how many at most.

    `LearningError` if effective data and a gain law are to be measured at once: both need samples of their own.
    """
    if method.measures and plan.held_out:
        raise LearningError(f"{method.name} measures what models are worth itself; leave the valuation at size")
    if method.measures:
        return 0.5, JUDGED
    return (0.1 if plan.held_out or method.tries is not None else 0.0), 10**9


@dataclass(frozen=True)
class LineTask:
    """Measure on lines from the probe of ``client`` what the models of ``sellers`` are worth; see `measure_lines`.

    Those in ``known`` need no placebo again; ``round_index`` keys the order of shuffled ones.
    """

    client: int
    sellers: tuple[int, ...]
    known: frozenset[int]
    round_index: int

    @property
    def cost(self) -> float:
        """Relative length of the task, for sharing work out: samples."""
        return float(TRIED * (len(self.sellers) + 1))


@dataclass(frozen=True)
class MixtureTask:
    """Judge the probe of ``client`` mixed with ``share`` of an average of ``rows``, weighted by ``weights``.

    The weights sum to 1. ``joint``: find the best share too.
    """

    client: int
    rows: tuple[int, ...]
    weights: tuple[float, ...]
    share: float
    joint: bool = False

    @property
    def cost(self) -> float:
        """Relative length of the task, for sharing work out: samples."""
        return float((3 if self.joint else 2) * JUDGED)


def needed(samples: int) -> float:
    """Return how many standard errors a mean over so many samples must be from 0: Student's quantile, to first order.

    z (1 + (z² + 1)/(4 (n − 1))) with z = `CERTAIN`; infinite for one sample.
    """
    return CERTAIN * (1.0 + (CERTAIN**2 + 1.0) / (4.0 * (samples - 1))) if samples > 1 else np.inf


def certainty(differences: Floats) -> float:
    """Return the mean of paired differences [n] in its standard errors; 0 if that is no finite number.

    >>> certainty(np.array([1.0, 3.0]))
    2.0
    """
    n = len(differences)
    if n < 2:
        return 0.0
    with np.errstate(all="ignore"):
        mean = mean_of(differences)
        off = differences - mean  # numpy's own mean and spread take longer than the sums
        found = mean / (np.sqrt((off * off).sum() / (n - 1)) / np.sqrt(n))
    return float(found) if math.isfinite(found) else 0.0


def lowest(losses: Sequence[float]) -> int:
    """Return the place of the lowest loss, the first of equals; what is not a number is the highest."""
    return min(range(len(losses)), key=lambda k: math.inf if math.isnan(losses[k]) else losses[k])


def mean_of(losses: Floats) -> float:
    """Return the mean of losses [n], as numpy's own does, in a third of its time."""
    return float(losses.sum() / len(losses))


def minimiser(losses: Sequence[float], grid: tuple[float, float] = GRID, largest: float = LARGEST) -> float:
    """Return where the parabola through the mean losses at 0 and ``grid`` (h, 2 h) is lowest, in [0, ``largest``].

    Where it bends downwards, the best of the three points.

    >>> minimiser([4.0, 1.0, 0.0])  # 4 (2 α − 1)²
    0.5
    """
    zero, half, full = losses
    bend = zero - 2.0 * half + full
    if not np.isfinite(bend) or bend <= 0:
        return (0.0, *grid)[lowest(losses)]
    return float(np.clip(grid[0] * (3.0 * zero - 4.0 * half + full) / (2.0 * bend), 0.0, largest))


class _Line:
    """Losses, on a client's held-out samples, of mixtures of its probe with other models."""

    def __init__(self, work: Work, client: int, most: int) -> None:
        self.work, self.probe = work, work.models(PROBE)[client]
        self.index = held_index(work, client, most)
        self.loaded = samples(work, self.index)

    def losses(self, other: torch.Tensor, share: float) -> Floats:
        """Return the losses [n] of (1 − share) probe + share other."""
        torch.lerp(self.probe, other, share, out=self.work.bench.row)
        return np.asarray(torch.cat(sample_losses(self.work, self.loaded)).cpu().numpy())

    def slopes(self, sellers: Sequence[int]) -> dict[int, float]:
        """Return the derivative of the mean loss towards each seller's model, from one gradient at the probe."""
        work, bench = self.work, self.work.bench
        bench.row.copy_(self.probe)
        bench.gradient.zero_()
        for chunk in self.index.split(64):
            loss = bench.loss(work.inputs(work.tensors["train_x"][chunk]), work.tensors["train_y"][chunk])
            (loss * (len(chunk) / len(self.index))).backward()
        towards = (work.models("") @ bench.gradient - torch.dot(self.probe, bench.gradient)).tolist()
        return {j: towards[j] for j in sellers}


def measure_lines(work: Work, task: LineTask) -> tuple[float, ...]:
    """Return for each seller α, shrunk by (1 − 1/t²), then for each the t: by how many standard errors the loss falls.

    t is that against the strongest rival of the mixture: the probe, one with θ_0, placebos. Where it is not above 0, or
    the loss rises on the way there, α is 0, and t −1 or what was found.
    """
    line = _Line(work, task.client, TRIED)
    rows, start = work.models(""), work.tensors["initial"]
    alphas, ts = dict.fromkeys(task.sellers, 0.0), dict.fromkeys(task.sellers, -1.0)
    slopes = line.slopes(task.sellers)
    promising = sorted((j for j in task.sellers if slopes[j] < 0), key=lambda j: (slopes[j], j))[:MOST]
    own = line.losses(line.probe, 0.0)
    rivals = [own]
    for j in promising:
        tried = [line.losses(rows[j], GRID[0])]
        if not mean_of(tried[0]) < mean_of(own):
            continue
        if len(rivals) == 1:
            rivals.append(min((line.losses(start, share) for share in GRID), key=mean_of))
        tried.append(line.losses(rows[j], GRID[1]))
        means = [mean_of(losses) for losses in (own, *tried)]
        best = lowest(means[1:])
        ts[j] = min(certainty(rival - tried[best]) for rival in rivals)
        if ts[j] > needed(len(own)) and j not in task.known:  # else it would not be bought anyway
            order = stream(work.facts.seed, "placebo", task.round_index, j).permutation(len(rows[j]))
            fakes = (rows[j][torch.from_numpy(order).to(work.device)], -rows[j])
            ts[j] = min(ts[j], *(certainty(line.losses(fake, GRID[best]) - tried[best]) for fake in fakes))
        if ts[j] > 1:
            alphas[j] = minimiser(means) * (1.0 - 1.0 / ts[j] ** 2)
    return (*alphas.values(), *ts.values())


def judge_mixture(work: Work, task: MixtureTask) -> tuple[float, ...]:
    """Return how the task's mixture does beside the probe on the client's held-out samples.

    By how much the mean loss falls, that in standard errors, and the α at which it would be lowest (0 if not asked): by
    a parabola through half the task's share and all of it, in reach of both as `GRID` is of `LARGEST`, and no more than
    if each of the models were worth the most that one can be.
    """
    line = _Line(work, task.client, JUDGED)
    rows, weights = list(task.rows), torch.tensor(task.weights, dtype=torch.float64, device=work.device)
    other = (weights @ work.models("")[rows].double()).float()
    own, mixed = line.losses(line.probe, 0.0), line.losses(other, task.share)
    alpha = 0.0
    if task.joint:
        grid, worth = (task.share / 2.0, task.share), len(rows) * LARGEST / (1.0 - LARGEST)
        means = [mean_of(losses) for losses in (own, line.losses(other, grid[0]), mixed)]
        alpha = minimiser(means, grid, min(task.share * LARGEST / GRID[1], worth / (1.0 + worth)))
    with np.errstate(all="ignore"):
        fall = mean_of(own - mixed)
    return (fall if np.isfinite(fall) else -1.0, certainty(own - mixed), alpha)
