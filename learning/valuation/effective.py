"""Effective data, measured: how many of its own samples another's model is worth to a client.

A client holds half of its samples (at most `JUDGED`) out of its *probe*, a second model that trains on the rest, for
a quarter of the steps, and is mixed with what the client imports as its own model is. What it uses and uploads
sees all samples: nobody gives up data. On the line from probe p to seller's model θ_j let α minimise the held-out loss
of (1 − α) p + α θ_j. Then e_ij = n_i α/(1 − α): the weight at which a sample-weighted average would mix them.

It is 0 unless the loss falls by more than its noise: paired over the held-out samples, below the probe's own, below the
best mixture with θ_0, which knows nothing, and of a new seller below the same mixture with its parameters in random
order and with flipped signs. (A small share of *anything* makes an overconfident model less so, and its loss smaller.)
What a client *uses* is its own model, which is better than its probe and has less to gain from a mixture: how much of
one is best for it is asked on all of its samples. It has trained on them, so that its loss on them is too low; by how
much is reckoned from the gaps of all probes between samples they trained on and held-out ones. (Others have seen them
only through it: what it uploads carries them, so who mixed it in seems worth more than it is; `REMEMBERED` in mixing.)

The slope of the held-out loss towards all sellers costs one gradient; only the `MOST` steepest falls are tried, at more
than one weight only where the least of them lowers the loss, beside placebos only where all else is passed. A seller
that was better beyond noise once needs neither again (`learning.mixing.Mixing.effective`): any fall keeps its old e.
"""

import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from learning.adversaries import HONEST
from learning.algorithms.algorithm import HELD, JUDGED, PROBE
from learning.streams import stream
from learning.valuation.measuring import Batch, held_index, sample_losses, samples, spread
from learning.work import Work
from mechanism.space import Floats

GRID = (0.25, 0.5)
"""Mixing weights tried; the minimiser is that of the parabola through them and 0, at most `LARGEST`."""
LARGEST = 0.75
MOST = 12
"""Sellers tried by a client in a round at most."""
TRIED, SEEN = 128, 256
"""On how many held-out samples a seller is tried, and on how many of those that it was trained on a model."""
CERTAIN = 2.0
"""Standard errors by which a loss must fall, for large samples."""


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
        return float((3 if self.joint else 2) * JUDGED + 3 * SEEN)


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


Blend = tuple[int, float, str]
"""A mixture of a client's probe with another model: whose that is (`COMMON`: θ_0), its share, and how it is taken: as
it is (""), with its parameters in random order ("shuffled"), or with flipped signs ("flipped")."""

COMMON = -1


def blended(work: Work, task: LineTask, blend: Blend) -> torch.Tensor:
    """Return the model [P] that a client asks for on its lines: (1 − share) probe + share other."""
    seller, share, how = blend
    other = work.tensors["initial"] if seller == COMMON else work.models("")[seller]
    if how == "shuffled":
        order = stream(work.facts.seed, "placebo", task.round_index, seller).permutation(len(other))
        other = other[torch.from_numpy(order).to(work.device)]
    return torch.lerp(work.models(PROBE)[task.client], -other if how == "flipped" else other, share)


def slopes(work: Work, task: LineTask, gradient: torch.Tensor) -> list[float]:
    """Return the derivative of the mean loss from the probe, where it has this ``gradient`` [P], towards each seller.

    Per unit of distance: who is far away by chance, as noise is, must not take the place of who is where it falls.
    """
    probe, models = work.models(PROBE)[task.client], work.models("")
    towards = (models @ gradient - torch.dot(probe, gradient)).tolist()
    return [towards[j] / (float(torch.dist(models[j], probe)) or 1.0) for j in task.sellers]


class Line:
    """The samples of a client and its probe: losses of models between that, or the client's own model, and others."""

    def __init__(self, work: Work, client: int, most: int) -> None:
        self.work, self.client, self.probe = work, client, work.models(PROBE)[client]
        self.index = held_index(work, client, most)
        self.loaded = samples(work, self.index)

    def losses(self, model: torch.Tensor, loaded: Sequence[Batch] = ()) -> Floats:
        """Return the losses [n] of a model [P], on the held-out samples or those ``loaded``."""
        self.work.bench.row.copy_(model)
        return np.asarray(torch.cat(sample_losses(self.work, loaded or self.loaded)).cpu().numpy())

    def seen(self, whole: bool) -> list[Batch]:
        """Return samples that the probe trains on; if ``whole``, that the client's own model does."""
        return samples(self.work, spread(self.work.members(self.client, whole), SEEN))

    def gradient(self) -> torch.Tensor:
        """Return the gradient [P] of the mean loss at the probe."""
        work, bench = self.work, self.work.bench
        bench.row.copy_(self.probe)
        bench.gradient.zero_()
        for chunk in self.index.split(64):
            loss = bench.loss(work.inputs(work.tensors["train_x"][chunk]), work.tensors["train_y"][chunk])
            (loss * (len(chunk) / len(self.index))).backward()
        return bench.gradient

    def measured(self, task: LineTask) -> Generator[torch.Tensor | list[Blend], Any, tuple[float, ...]]:
        """Measure as `measure_lines` says, asking for what only the holder of all models can make.

        Yields the `gradient` and takes the `slopes`; after that yields lists of blends and takes their models in turn.
        """
        alphas, ts = dict.fromkeys(task.sellers, 0.0), dict.fromkeys(task.sellers, -1.0)
        towards = yield self.gradient()
        falling = sorted((slope, j) for j, slope in zip(task.sellers, towards, strict=True) if slope < 0)
        own, tried = self.losses(self.probe), {}
        gap = mean_of(own) - mean_of(self.losses(self.probe, self.seen(whole=False)))
        if falling:
            wanted: list[Blend] = [(j, GRID[0], "") for _, j in falling[:MOST]]
            models = yield wanted
            tried = {blend[0]: [self.losses(model)] for blend, model in zip(wanted, models, strict=True)}
        promising = [j for j, losses in tried.items() if mean_of(losses[0]) < mean_of(own)]
        if not promising:
            return (*alphas.values(), *ts.values(), gap)
        wanted = [(COMMON, share, "") for share in GRID] + [(j, GRID[1], "") for j in promising]
        models = yield wanted
        found = [self.losses(model) for model in models]
        rivals = (own, min(found[: len(GRID)], key=mean_of))
        means, best = {}, {}
        for j, losses in zip(promising, found[len(GRID) :], strict=True):
            means[j] = [mean_of(at) for at in (own, *tried[j], losses)]
            best[j] = lowest(means[j][1:])
            tried[j].append(losses)
            ts[j] = min(certainty(rival - tried[j][best[j]]) for rival in rivals)
        # A new seller's model must be better than placebos made of it; else it would not be bought anyway.
        new = [j for j in promising if ts[j] > needed(len(own)) and j not in task.known]
        wanted = [(j, GRID[best[j]], how) for j in new for how in ("shuffled", "flipped")]
        models = (yield wanted) if wanted else ()
        for (j, _, _), model in zip(wanted, models, strict=True):
            ts[j] = min(ts[j], certainty(self.losses(model) - tried[j][best[j]]))
        for j in promising:
            if ts[j] > 1:
                alphas[j] = minimiser(means[j]) * (1.0 - 1.0 / ts[j] ** 2)
        return (*alphas.values(), *ts.values(), gap)

    def judged(self, task: MixtureTask, models: Iterable[torch.Tensor]) -> tuple[float, ...]:
        """Judge the models of `mixtures` as `judge_mixture` says."""
        *blends, unmixed, half, full = models
        own, (mixed, *between) = self.losses(self.probe), map(self.losses, blends)
        loaded = self.seen(whole=True)
        seen = [mean_of(self.losses(model, loaded)) for model in (unmixed, half, full)]
        alpha = 0.0
        if task.joint:
            grid, worth = (task.share / 2.0, task.share), len(task.rows) * LARGEST / (1.0 - LARGEST)
            means = [mean_of(losses) for losses in (own, *between, mixed)]
            alpha = minimiser(means, grid, min(task.share * LARGEST / GRID[1], worth / (1.0 + worth)))
        with np.errstate(all="ignore"):
            fall = mean_of(own - mixed)
        return (fall if np.isfinite(fall) else -1.0, certainty(own - mixed), alpha, *seen)


def measure_lines(work: Work, task: LineTask) -> tuple[float, ...]:
    """Return for each seller α, shrunk by (1 − 1/t²), then for each the t: by how many standard errors the loss falls.

    t is that against the strongest rival of the mixture: the probe, one with θ_0, placebos. Where it is not above 0, or
    the loss rises on the way there, α is 0, and t −1 or what was found. Last is the probe's gap, held-out loss less
    that on samples it trained on.
    """
    steps = Line(work, task.client, TRIED).measured(task)
    try:
        wanted = next(steps)
        while True:
            if isinstance(wanted, torch.Tensor):
                wanted = steps.send(slopes(work, task, wanted))
            else:
                wanted = steps.send(blended(work, task, blend) for blend in wanted)
    except StopIteration as end:
        found: tuple[float, ...] = end.value
        return found


def mixtures(work: Work, task: MixtureTask) -> Iterator[torch.Tensor]:
    """Return the probe with the task's share of the average of its rows and, if ``joint``, with half that share.

    Then the client's own model, whatever it uploads, with none of that average, half the share and all of it.
    """
    weights = torch.tensor(task.weights, dtype=torch.float64, device=work.device)
    other = (weights @ work.models("")[list(task.rows)].double()).float()
    for share in (task.share, task.share / 2.0)[: 1 + task.joint]:
        yield torch.lerp(work.models(PROBE)[task.client], other, share)
    plan = work.facts.plan
    honest = not plan.conduct or plan.conduct[task.client] == HONEST
    for share in (0.0, task.share / 2.0, task.share):
        yield torch.lerp(work.models("" if honest else HELD)[task.client], other, share)


def judge_mixture(work: Work, task: MixtureTask) -> tuple[float, ...]:
    """Return how the task's mixture does beside the probe on the client's held-out samples.

    By how much the mean loss falls, that in standard errors, and the α at which it would be lowest (0 if not asked): by
    a parabola through half the task's share and all of it, in reach of both as `GRID` is of `LARGEST`, and no more than
    if each of the models were worth the most that one can be. Then the mean losses of the client's own model and of
    its mixtures with half of the share and all of it, on samples that it has seen.
    """
    return Line(work, task.client, JUDGED).judged(task, mixtures(work, task))
