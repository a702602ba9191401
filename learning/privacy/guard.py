"""Who may still train: every client's noise, key and ledger, and the budget that none of them exceeds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from learning.errors import CheckpointError, LearningError
from learning.plan import LearningPlan
from learning.privacy.accounting import Ledger, default_delta, sampling_rate
from learning.privacy.noise import noises_for

if TYPE_CHECKING:
    from learning.local import TrainTask
    from learning.work import Work

_STOPS = re.compile(r"(?s)(?P<unit>.+): client (?P<client>\d+) stops before round (?P<round>\d+): another round would ")


def stops(notices: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return (unit, client, round before which it stopped) of each notice 'UNIT: what `Guard.admit` said'."""
    found = [_STOPS.match(line) for line in notices]
    return [(told["unit"], int(told["client"]), int(told["round"])) for told in found if told is not None]


def stop_notice(client: int, round_index: int, now: float, then: float, budget: float) -> str:
    """Return what is said of a client that stops; `stops` reads it."""
    return (
        f"client {client} stops before round {round_index}: another round would take its epsilon from {now:.4g} to "
        f"{then:.4g}, above the budget of {budget:g}; its model and its record are kept"
    )


def large_delta(delta: float, usual: float) -> str:
    """Return what is wrong with a δ above ``usual`` (`default_delta` of the clients' sizes), "" if it is not above."""
    if delta <= usual:
        return ""
    return (
        f"delta is {delta:g}, above {usual:.3g} (1e-5, or a tenth of one in the samples of the largest client): at one "
        "in them, a method that publishes one at random would pass as private; lower privacy.delta, or leave it out"
    )


class Guard:
    """The privacy of m clients under one budget ε.

    ``samples`` [m]: how many each trains on; ``steps``: private steps of a client in a round. The noise multiplier is
    the plan's, or where that is 0 for each client the smallest with which all of the plan's rounds stay within the
    budget: a client with fewer samples is drawn more often and needs more noise. A client that another round would
    bring above the budget is not admitted to it, nor to any later one. ``delta`` is the plan's, or where that is 0
    `default_delta` of ``sizes`` [m]: how many samples each has, those that it holds out included (None: as many as it
    trains on).
    """

    def __init__(
        self,
        plan: LearningPlan,
        samples: Sequence[int],
        steps: int,
        keys: Sequence[bytes],
        sizes: Sequence[int] | None = None,
    ) -> None:
        self._usual = default_delta(samples if sizes is None else sizes)
        self.budget, self.delta, self.steps, self.keys = (
            plan.dp_epsilon,
            plan.dp_delta or self._usual,
            steps,
            list(keys),
        )
        rates = [sampling_rate(plan.batch, count) for count in samples]
        whole = steps * max(1, plan.rounds)
        needed = {} if plan.dp_noise else noises_for(self.budget, self.delta, rates, whole)
        self.noise = [plan.dp_noise or needed[q] for q in rates]
        self._ledgers = [Ledger(noise, self.delta, q) for noise, q in zip(self.noise, rates, strict=True)]
        for ledger in self._ledgers:  # who can train to the end is asked once, not every round
            ledger.foresee(whole, self.budget)
        self._stopped = np.zeros(len(rates), dtype=bool)
        self.notices: list[str] = []

    @property
    def faults(self) -> list[str]:
        """What is wrong with δ, in a line, or nothing."""
        fault = large_delta(self.delta, self._usual)
        return [fault] if fault else []

    def admit(self, present: NDArray[np.bool_], round_index: int) -> NDArray[np.bool_]:
        """Return who of ``present`` [m] may train another round; say so in ``notices`` once of each who may not."""
        self.notices += self.faults if round_index == 1 else []
        for client in np.flatnonzero(present & ~self._stopped).tolist():
            if not self.admits(client):
                self.notices.append(stop_notice(client, round_index, *self.after(client), self.budget))
        return present & ~self._stopped

    def admits(self, client: int) -> bool:
        """Say whether one client may train another round; who may not stops for good."""
        if not self._stopped[client]:
            self._stopped[client] = self._ledgers[client].would_exceed(self.steps, self.budget)
        return not self._stopped[client]

    def after(self, client: int) -> tuple[float, float]:
        """Return what one client has spent, ε at δ, now and after another round."""
        ledger = self._ledgers[client]
        return ledger.epsilon(), ledger.epsilon(self.steps)

    def record(self, clients: Sequence[int]) -> None:
        """Write down that these clients train a round."""
        for client in clients:
            self._ledgers[client].record(self.steps)

    def protect(self, tasks: Sequence[TrainTask]) -> list[TrainTask]:
        """Write down that the clients of these tasks train a round; return the tasks with their keys and noise."""
        self.record([task.client for task in tasks])
        return [replace(task, key=self.keys[task.client], noise=self.noise[task.client]) for task in tasks]

    @property
    def epsilon(self) -> NDArray[np.float64]:
        """What every client has spent, ε at δ, float64 [m]."""
        return np.array([ledger.epsilon() for ledger in self._ledgers])

    def rows(self) -> list[dict[str, Any]]:
        """Return all ledgers as plain rows {client, rate, noise, steps}."""
        return [{**row, "client": k} for k, ledger in enumerate(self._ledgers) for row in ledger.rows()]

    @property
    def stopped(self) -> list[int]:
        """Who was told to stop."""
        return [int(client) for client in np.flatnonzero(self._stopped)]

    def restore(self, rows: Sequence[Mapping[str, Any]], stopped: Sequence[int] = ()) -> None:
        """Take back what `rows` and `stopped` gave; who else has to stop is found anew when it is asked for."""
        known = range(len(self._ledgers))
        odd = [row for row in rows if not isinstance(row, Mapping) or row.get("client") not in known]
        if odd:
            raise CheckpointError("the saved privacy ledger has rows of no client; it is damaged")
        for client, ledger in enumerate(self._ledgers):
            own = [row for row in rows if row["client"] == client]
            ledger.restore([{name: value for name, value in row.items() if name != "client"} for row in own])
        self._stopped = np.isin(np.arange(len(self._ledgers)), list(stopped))


def guard_of(plan: LearningPlan, work: Work, steps: int, sizes: Sequence[int], keys: Sequence[bytes]) -> Guard:
    """Return the guard of a plan with a budget; ``keys`` of all clients, ``steps`` of a round."""
    if len(keys) != plan.clients:
        raise LearningError(f"{len(keys)} noise keys were given; expected one for each of {plan.clients}")
    return Guard(plan, [len(work.members(client)) for client in range(plan.clients)], steps, keys, sizes)
