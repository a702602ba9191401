"""A run in a few numbers per method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketproof.running.methods import judged_by
from marketproof.running.populations import BENIGN, ROLES
from marketproof.running.recorder import Unit
from marketproof.running.records import MarketRecord
from mechanism.market.accounting import account


def unit_figures(record: MarketRecord, seconds: float) -> dict[str, float]:
    """Return the figures of one method under one seed.

    ``accuracy_best``: each client's best over the rounds in which it took part, averaged over clients (as the paper
    counts); ``accuracy_final``: mean over clients of what they had when they last took part; ``utility_total``: summed
    over clients and rounds; ``utility_mean``: per client and round; ``welfare``: the sum of everybody's utilities in
    all clearings; ``seconds`` of work. Utilities are true ones. All but welfare are of benign clients, who are not
    attackers or free-riders (paper, personal accuracy and utility); of others ``utility_others`` is the mean per client
    and round, and ``accuracy_others`` the best accuracy. ``epsilon``: the most that a client's training spent.
    """
    accounts = account(record.types, record.outcome, record.market.law)
    benign = np.isin(record.roles[0], [ROLES.index(role) for role in BENIGN])
    figures = {
        "accuracy_best": _best(record, benign),
        "accuracy_final": _final(record, benign),
        "utility_total": float(accounts.utility[:, benign].sum()),
        "utility_mean": float(accounts.utility[:, benign].mean()) if benign.any() else 0.0,
        "welfare": float(accounts.welfare.sum()),
        "seconds": float(seconds),
    }
    if record.epsilon.any():
        figures["epsilon"] = float(record.epsilon.max())
    if not benign.all():
        figures["utility_others"] = float(accounts.utility[:, ~benign].mean())
        figures["accuracy_others"] = _best(record, ~benign)
    return figures


def _best(record: MarketRecord, who: NDArray[np.bool_]) -> float:
    """Return the mean over clients of the best accuracy while they took part; 0 if none ever did."""
    took = record.present[:, who]
    best = np.where(took, record.accuracy[:, who], 0.0).max(axis=0)[took.any(axis=0)]
    return float(best.mean()) if best.size else 0.0


def _final(record: MarketRecord, who: NDArray[np.bool_]) -> float:
    """Return the mean over clients of the accuracy when they last took part; 0 if none ever did."""
    took = record.present[:, who]
    last = took.shape[0] - 1 - np.argmax(took[::-1], axis=0)
    final = record.accuracy[:, who][last, np.arange(took.shape[1])][took.any(axis=0)]
    return float(final.mean()) if final.size else 0.0


def summarise(task: str, records: Sequence[tuple[Unit, MarketRecord]], seconds: Mapping[str, float]) -> dict[str, Any]:
    """Return ``summary.json``: means over seeds; with more than one seed the sample deviation ``…_std`` beside them.

    ``judged`` says of each method whether accuracies are those of the "trained" or of the "aggregated" models.
    """
    grouped: dict[str, list[dict[str, float]]] = {}
    seeds: list[int] = []
    for unit, record in records:
        grouped.setdefault(unit.method.name, []).append(unit_figures(record, seconds.get(unit.key, 0.0)))
        if unit.seed not in seeds:
            seeds.append(unit.seed)
    methods: dict[str, dict[str, float]] = {}
    for name, figures in grouped.items():
        methods[name] = {}
        for key in dict.fromkeys(key for one in figures for key in one):
            values = np.array([one.get(key, 0.0) for one in figures])  # nothing was spent where nobody could train
            methods[name][key] = float(values.mean()) + 0.0
            if len(values) > 1:
                methods[name][f"{key}_std"] = float(values.std(ddof=1))
    judged = {unit.method.name: judged_by(unit.method.algorithm) for unit, _ in records}
    return {"task": task, "seeds": seeds, "methods": methods, "judged": judged}
