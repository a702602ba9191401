"""FACT: who trains together pays what that spares it, and whose cost lies between two others' gets it back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mechanism.direct import Floats, Space
from mechanism.entry import CatalogueEntry, truths

LOW, HIGH = 0.5, 1.5
"""Bounds of the cost of a sample, in units of loss."""


@dataclass(frozen=True, eq=False)
class Training:
    """Samples that each agent trains on, and what it pays in loss, ``[batch, agents]`` each."""

    data: Floats
    price: Floats


@dataclass(frozen=True, eq=False)
class Fact:
    """One common model; each agent reports what a sample costs it, and trains on the data that would serve it alone.

    In units of half the paper's γσL an agent alone with m samples at cost c each has the loss 1/m + c m, least at
    m*(c) = 1/√c. Together the first part is 1/M, M the sum of all samples.

    1. i trains on m_i = m*(ĉ_i), ĉ its report: the penalty for free riding makes it so. (Equation 4 of the paper; here
       its strictness grows without bound, α → 2, where the penalty at m_i vanishes.)
    2. i pays what it is spared by training together, Δ_i = 1/m_i - 1/M.
    3. In a group of three drawn at random, who reports a cost strictly between the two others' gets three times the
       mean Δ of the others (equation 10): Σ_{j≠i} Δ_j · 3/n. Here its expectation over the groups.

    U_i, the loss alone less the loss here, is 2√c - (√ĉ + c/√ĉ) + prize: at the truth the prize alone, never negative.
    The first part is best at ĉ = c, but a small lie costs nothing of first order, and a report nearer to the middle
    wins more often: truthful only for who believes its own cost to be the median, as the paper's experiment has it
    (others' costs normal about one's own).

    Source: Bornstein, Bedi, Mohamed, Huang, FACT or Fiction: Can Truthful Mechanisms Eliminate Federated Free Riding?
    NeurIPS 2024; formulas as in the authors' code (github.com/marcobornstein/FACT, fact/mechanism.py), whose comments
    give the equations; samples are not rounded down, and 1. and 2. on a false report are this file's reading of it.
    """

    agents: int = 3
    name: str = "fact"
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        space = Space(self.agents, ("cost",), np.array([LOW]), np.array([HIGH]), called="client")
        object.__setattr__(self, "space", space)

    def outcome(self, reports: Floats) -> Training:
        """Answer ``[batch, agents, 1]``."""
        cost = reports[..., 0]
        n = self.agents
        data = 1.0 / np.sqrt(cost)
        spared = 1.0 / data - 1.0 / data.sum(axis=-1, keepdims=True)
        below = (cost[..., :, None] > cost[..., None, :]).sum(axis=-1)
        above = (cost[..., :, None] < cost[..., None, :]).sum(axis=-1)
        wins = below * above / ((n - 1) * (n - 2) / 2)
        prize = wins * (3.0 / n) * (spared.sum(axis=-1, keepdims=True) - spared)
        return Training(data, spared - prize)

    def utility(self, types: Floats, outcome: Training) -> Floats:
        """Return the least loss alone, less loss, cost of data and payment here ``[batch, agents]``."""
        cost = types[..., 0]
        return 2.0 * np.sqrt(cost) - self._loss(types, outcome) - outcome.price

    def _loss(self, types: Floats, outcome: Training) -> Floats:
        return 1.0 / outcome.data.sum(axis=-1, keepdims=True) + types[..., 0] * outcome.data

    def payments(self, outcome: Training) -> Floats:
        """Return what each pays the server, in loss ``[batch, agents]``."""
        return outcome.price

    def welfare(self, types: Floats, outcome: Training) -> Floats:
        """Return minus the sum of losses and costs ``[batch]``; payments are transfers."""
        return -self._loss(types, outcome).sum(axis=-1)

    def optimal_welfare(self, types: Floats) -> Floats:
        """Return the largest of -n/M - Σ c m: all data from the cheapest, M = √(n/c) ``[batch]``."""
        return np.asarray(-2.0 * np.sqrt(self.agents * types[..., 0].min(axis=-1)))

    def consequences(self, outcome: Training) -> Floats:
        """Own data, all data and payment of each ``[batch, agents, 3]``."""
        whole = np.broadcast_to(outcome.data.sum(axis=-1, keepdims=True), outcome.data.shape)
        return np.stack([outcome.data, whole, outcome.price], axis=-1)

    def resized(self, agents: int) -> Fact:
        """Return the same for another number of agents."""
        return Fact(agents)


ENTRY = CatalogueEntry(
    "fact", "everybody pays what training together spares it; who is in the middle of three gets it back",
    "Bornstein, Bedi, Mohamed, Huang 2024",
    f"one common model; a private cost of a sample in [{LOW:g}, {HIGH:g}] per agent, money in units of loss",
    truths(
        ir="yes", interim_ir="yes", dsic="no (towards the middle)", dsic_cost="no (towards the middle)",
        expost_cost="no (towards the middle)", bic="no (towards the middle)",
        budget_balance="no (the server keeps something)", weak_budget_balance="yes", efficiency="no",
        anonymity="yes", non_bossiness="yes",  # who changes no data of its own has said the same
        group_dsic="no",
    ),
    Fact, fewest=3,
)  # fmt: skip
