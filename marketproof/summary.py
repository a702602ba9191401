"""A run in a few numbers per method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from marketproof.recorder import Unit
from marketproof.records import MarketRecord
from mechanism.market.accounting import account


def unit_figures(record: MarketRecord, seconds: float) -> dict[str, float]:
    """Return the figures of one method under one seed.

    ``accuracy_best``: each client's best over the rounds, averaged over clients (as the paper counts);
    ``accuracy_final``: mean over clients after the last round; ``utility_total``: summed over clients and rounds;
    ``utility_mean``: per client and round; ``welfare``: the sum of utilities of all clearings, so the same money as
    ``utility_total``; ``seconds`` of work. Utilities are true ones.
    """
    accounts = account(record.types, record.outcome, record.market.law)
    return {
        "accuracy_best": float(record.accuracy.max(axis=0).mean()),
        "accuracy_final": float(record.accuracy[-1].mean()),
        "utility_total": float(accounts.utility.sum()),
        "utility_mean": float(accounts.utility.mean()),
        "welfare": float(accounts.welfare.sum()),
        "seconds": float(seconds),
    }


def summarise(task: str, records: Sequence[tuple[Unit, MarketRecord]], seconds: Mapping[str, float]) -> dict[str, Any]:
    """Return ``summary.json``: means over seeds; with more than one seed the sample deviation ``…_std`` beside them."""
    grouped: dict[str, list[dict[str, float]]] = {}
    seeds: list[int] = []
    for unit, record in records:
        grouped.setdefault(unit.method.name, []).append(unit_figures(record, seconds.get(unit.key, 0.0)))
        if unit.seed not in seeds:
            seeds.append(unit.seed)
    methods: dict[str, dict[str, float]] = {}
    for name, figures in grouped.items():
        methods[name] = {}
        for key in figures[0]:
            values = np.array([one[key] for one in figures])
            methods[name][key] = float(values.mean()) + 0.0
            if len(values) > 1:
                methods[name][f"{key}_std"] = float(values.std(ddof=1))
    return {"task": task, "seeds": seeds, "methods": methods}
