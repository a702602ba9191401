"""What a private run says of its privacy: what was spent, of what, at which delta, who stopped, what is not covered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analysis.run.market import MarketRecord
from marketproof.running.config import RunConfig
from marketproof.running.recorder import Unit
from mechanism.wording import number, plural

LEFT_OUT = (
    "clients' sizes and label shares, losses in the record, and all that is measured on held-out samples; "
    "manifest.json lists it"
)
"""The gist of `learning.privacy.NOT_COVERED`."""


def delta_of(config: RunConfig, records: Iterable[MarketRecord]) -> float:
    """Return the largest δ at which ε was counted: the one given, else that of the clients' sizes under each seed."""
    from learning.privacy.accounting import default_delta

    return config.privacy.delta or max(
        (default_delta(record.types.size[0].tolist()) for record in records), default=0.0
    )


def privacy_told(
    config: RunConfig, records: Sequence[tuple[Unit, MarketRecord]], notices: Sequence[str]
) -> dict[str, Any] | None:
    """Return the entry ``privacy`` of ``summary.json``; None for a run without privacy.

    ``methods``: for each the least and the most that a client spent in any seed, and who stopped under which seed
    before which round. ``together``: at most what all methods and seeds spent of one sample, ε and δ added up; ``usual
    delta``: `learning.privacy.accounting.default_delta`, with a ``warning`` where δ is above it.
    """
    if not config.privacy.epsilon:
        return None
    from learning.privacy import NOT_COVERED, UNIT
    from learning.privacy.accounting import default_delta
    from learning.privacy.guard import large_delta, stops

    delta = delta_of(config, (record for _, record in records))
    usual = min(default_delta(record.types.size[0].tolist()) for _, record in records)
    methods: dict[str, dict[str, Any]] = {}
    for unit, record in records:
        spent = [float(record.epsilon.min()), float(record.epsilon.max())]
        told = methods.setdefault(unit.method.name, {"epsilon": spent, "stopped": []})
        told["epsilon"] = [min(spent[0], told["epsilon"][0]), max(spent[1], told["epsilon"][1])]
        told["stopped"] += [
            {"seed": unit.seed, "client": client, "before_round": number}
            for where, client, number in stops(notices)
            if where == f"{unit.method.name}, seed {unit.seed}"
        ]
    return {
        "protects": f"{UNIT}, in the models of one method under one seed",
        "budget": config.privacy.epsilon,
        "delta": delta,
        "usual_delta": usual,
        "warning": large_delta(delta, usual) if config.privacy.delta else "",
        "rounds": config.rounds,
        "clients": config.data.clients,
        "methods": methods,
        "together": {
            "epsilon": float(sum(record.epsilon.max() for _, record in records)),
            "delta": min(1.0, delta * len(records)),
            "trainings": len(records),
        },
        "not_covered": list(NOT_COVERED),
    }


def privacy_lines(told: Mapping[str, Any]) -> list[str]:
    """Return what a run says of its privacy at its end: two lines, and a third where δ is too large."""
    methods: Mapping[str, Any] = told["methods"]
    least = min(one["epsilon"][0] for one in methods.values())
    most = max(one["epsilon"][1] for one in methods.values())
    lines = [
        f"Privacy: epsilon {_range(least, most)} of the budget of {number(told['budget'])} (over clients) at delta "
        f"{number(told['delta'], 3)} after {plural(told['rounds'], 'round')}, of {told['protects']}; "
        f"{_stopped(methods)}.",
        f"Not covered: {LEFT_OUT}.{_together(told['together'])}",
    ]
    return [*lines, f"Warning: {told['warning']}."] if told["warning"] else lines


def _range(least: float, most: float) -> str:
    low, high = number(least, 4), number(most, 4)
    return low if low == high else f"{low} to {high}"


def _stopped(methods: Mapping[str, Any]) -> str:
    """Say who stopped early; names where they are few."""
    every = [(name, one) for name, told in methods.items() for one in told["stopped"]]
    if not every:
        return "nobody stopped before the end"
    if len(every) > 4:
        clients = len({(one["seed"], one["client"]) for _, one in every})
        first = min(one["before_round"] for _, one in every)
        return f"{clients} clients stopped early, the first before round {first} (names: notices in manifest.json)"
    alone, seeds = len(methods) == 1, len({one["seed"] for _, one in every}) > 1
    named = [
        f"client {one['client']}"
        + ("" if alone else f" of {name}")
        + (f", seed {one['seed']}," if seeds else "")
        + f" before round {one['before_round']}"
        for name, one in every
    ]
    return f"stopped early: {', '.join(named)}"


def _together(told: Mapping[str, Any]) -> str:
    if told["trainings"] == 1:
        return ""
    return (
        f" The {told['trainings']} trainings (methods and seeds) use the same samples: who sees the models of all adds "
        f"up to epsilon {number(told['epsilon'], 4)} at delta {number(told['delta'], 3)}."
    )
