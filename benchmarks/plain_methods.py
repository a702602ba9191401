"""The nine methods as one writes them in plain PyTorch, a small class each: the other side of `methods`."""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.nn.functional as F
from clearing import plain_root
from plain_rounds import Local, PlainCNN, PlainData, Weights, cosines_of, flat, mean_of
from scipy.optimize import minimize
from sklearn.cluster import AgglomerativeClustering

from learning.plan import LearningPlan


class FedAvg(Local):
    """The average of all, weighted by samples, for everybody."""

    common = moves = True

    def server(self, uploads: list[Weights]) -> None:
        """Average."""
        self.give([mean_of(uploads, self.shares)] * self.m)


class FedProx(FedAvg):
    """FedAvg, pulled to the common model of the start."""

    pull = 0.1

    def train(self) -> None:
        """Train near the common model."""
        self.targets = list(self.start)
        super().train()


class Ditto(FedAvg):
    """A personal model beside the common one, pulled to it."""

    pull = 1.0
    moves = False

    def __init__(self, plan: LearningPlan, data: PlainData) -> None:
        super().__init__(plan, data)
        self.personal = copy.deepcopy(self.models)

    def train(self) -> None:
        """Train the personal models, then the common one."""
        for i, model in enumerate(self.personal):
            self.fit(i, model, self.start[i])
        super().train()

    def deployed(self) -> list[PlainCNN]:
        """Return the personal models."""
        return self.personal


class FedAMP(Local):
    """Pulled to cloud models, averages in which similar models weigh more."""

    pull = 0.01

    def server(self, uploads: list[Weights]) -> None:
        """Make the cloud models."""
        cosines = cosines_of(uploads, [self.data.initial] * self.m)
        for i in range(self.m):
            weights = np.exp(10.0 * cosines[i])
            weights[i] = 0.0
            weights *= 0.7 / weights.sum()
            weights[i] = 0.3
            self.targets[i] = mean_of(uploads, weights.tolist())


class CFL(Local):
    """One model per cluster; a cluster that stands still and disagrees is cut in two."""

    moves = True

    def __init__(self, plan: LearningPlan, data: PlainData) -> None:
        super().__init__(plan, data)
        self.clusters = [list(range(self.m))]

    def server(self, uploads: list[Weights]) -> None:
        """Cut where needed, then average inside each cluster."""
        cosines, after = cosines_of(uploads, self.start), []
        moved = [flat(model) - flat(start) for model, start in zip(uploads, self.start, strict=True)]
        for members in self.clusters:
            total = sum(self.data.sizes[i] for i in members)
            mean = sum(self.data.sizes[i] / total * moved[i] for i in members)
            still, split_up = float(torch.as_tensor(mean).norm()) < 2.0, max(float(moved[i].norm()) for i in members)
            if len(members) > 1 and still and split_up > 2.5:
                halves = AgglomerativeClustering(2, metric="precomputed", linkage="complete")
                labels = halves.fit(1.0 - cosines[np.ix_(members, members)]).labels_
                after += [[i for i, label in zip(members, labels, strict=True) if label == half] for half in (0, 1)]
            else:
                after.append(members)
        self.clusters = after
        for members in self.clusters:
            total = sum(self.data.sizes[i] for i in members)
            mean = mean_of([uploads[i] for i in members], [self.data.sizes[i] / total for i in members])
            for i in members:
                self.models[i].load_state_dict(mean)


class FedFomo(Local):
    """Mixtures of downloaded models that lower the loss on the client's own validation samples."""

    moves = True

    def __init__(self, plan: LearningPlan, data: PlainData) -> None:
        super().__init__(plan, data)
        self.liked = np.zeros((self.m, self.m))
        self.rng = np.random.default_rng(0)

    def server(self, uploads: list[Weights]) -> None:
        """Let every client try its own model and six others, and mix those that help."""
        self.give([self.mixed(i, uploads) for i in range(self.m)])

    def mixed(self, i: int, uploads: list[Weights]) -> Weights:
        """Return one client's mixture."""
        others = self.rng.permutation([j for j in range(self.m) if j != i])
        if self.rng.random() >= max(0.0, 0.3 - 0.05 * (self.number - 1)):
            others = others[np.argsort(-self.liked[i, others], kind="stable")]
        before, raw = self.loss(i, self.start[i]), {}
        for j in [i, *others[:6].tolist()]:
            away = sum(float(((uploads[j][name] - old) ** 2).sum()) for name, old in self.start[i].items()) ** 0.5
            raw[j] = (before - self.loss(i, uploads[j])) / away
            self.liked[i, j] += raw[j]
        total = sum(max(0.0, value) for value in raw.values())
        if total == 0.0:
            return uploads[i]
        return mean_of([uploads[j] for j in raw], [max(0.0, value) / total for value in raw.values()])

    def loss(self, i: int, weights: Weights) -> float:
        """Return the mean loss of a model on client i's validation samples."""
        model, total, count = PlainCNN(), 0.0, 0
        model.load_state_dict(weights)
        model.eval()
        with torch.no_grad():
            for x, y in self.data.checks[i]:
                total += F.cross_entropy(model(x), y).item() * len(y)
                count += len(y)
        return total / count


class PFedGraph(Local):
    """Averages whose weights solve a small quadratic programme per client."""

    pull = 0.01
    moves = True

    def server(self, uploads: list[Weights]) -> None:
        """Solve for the weights, and average."""
        d, shares = 1.0 - cosines_of(uploads, [self.data.initial] * self.m), np.array(self.shares)
        models = []
        for i in range(self.m):
            found = minimize(
                lambda w, i=i: w @ d[i] + 0.8 * ((w - shares) ** 2).sum(),
                shares,
                method="SLSQP",
                bounds=[(0.0, 1.0)] * self.m,
                constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0},
            )
            models.append(mean_of(uploads, found.x.tolist()))
        self.give(models)
        self.targets = list(models)


class IPFL(Local):
    """A market of models without its payments: thresholds by `fsolve`, then targets."""

    def __init__(self, plan: LearningPlan, data: PlainData) -> None:
        super().__init__(plan, data)
        self.pull = plan.lam / plan.eta

    def server(self, uploads: list[Weights]) -> None:
        """Clear by the threshold rule at C = 1, K = 5e5, and make the targets."""
        cosines = cosines_of(uploads, [self.data.initial] * self.m)
        moved = [flat(model) - flat(self.data.initial) for model in uploads]
        for i in range(self.m):
            step = torch.zeros_like(moved[i])
            for j in self.bought(i, 1.0 - cosines[i]):
                slope = moved[j] / (moved[i].norm() * moved[j].norm()) - cosines[i, j] * moved[i] / moved[i].norm() ** 2
                step += self.data.sizes[j] / self.data.sizes[i] * slope
            target, place = {}, 0
            for name, tensor in uploads[i].items():
                target[name] = tensor + self.plan.eta * step[place : place + tensor.numel()].view_as(tensor)
                place += tensor.numel()
            self.targets[i] = target

    def bought(self, i: int, d: np.ndarray, cost: float = 1.0, gain: float = 5e5) -> list[int]:
        """Return whose models i imports."""
        size = self.data.sizes
        price = [cost + self.plan.lam * d[j] * size[j] / size[i] for j in range(self.m)]
        threshold = {j: plain_root(gain, float(size[j]), price[j]) for j in range(self.m) if j != i}
        held, chosen = size[i], []
        for j in sorted(threshold, key=lambda j: (-threshold[j], j)):
            if held + size[j] >= threshold[j]:
                break
            chosen.append(j)
            held += size[j]
        return chosen


PLAIN: dict[str, type[Local]] = {
    "local": Local,
    "fedavg": FedAvg,
    "fedprox": FedProx,
    "ditto": Ditto,
    "fedamp": FedAMP,
    "cfl": CFL,
    "fedfomo": FedFomo,
    "pfedgraph": PFedGraph,
    "ipfl": IPFL,
}
"""The plain rendering of each method by its name."""
