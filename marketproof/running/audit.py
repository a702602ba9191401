"""The audit of a run: every promise checked against the record alone, without training anything again.

Read are the recorded clearings (``markets/*.safetensors``) and which mechanism cleared them (``manifest.json``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marketproof.clearing.promises import SCOPE, Promises, measure, sentences
from marketproof.clearing.settling import clear_and_settle
from marketproof.errors import InputError, shown
from marketproof.running.lies import COORDINATES, FoundLie, best_lie, witness_of
from marketproof.running.records import MarketRecord, read_market
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import TwoStage
from mechanism.tolerance import MONEY

_TWO_STAGES = (
    "Payments follow from gains here, the law's at the true parameters and not those measured set by set: the bounds "
    "for payments that read reports alone do not apply."
)


@dataclass(frozen=True, eq=False)
class Lie:
    """The best lie about one number in a run: which seed, and the lie itself (its index is the round, from 0)."""

    seed: int
    found: FoundLie
    tried: int

    @property
    def round(self) -> int:
        """Round of the lie, from 1."""
        return self.found.where[0] + 1

    @property
    def sentence(self) -> str:
        """The lie in words."""
        text = self.found.sentence(tried=self.tried)
        return f"{text} (Seed {self.seed}, round {self.round}.)" if self.found.pays else text


def audit_run(folder: Path) -> dict[str, Any]:
    """Return ``audit.json`` of a recorded run.

    Raises
    ------
    InputError
        If the folder's manifest or markets are missing or damaged.
    """
    path = folder / "manifest.json"
    try:
        told = json.loads(path.read_bytes())
        mechanisms: dict[str, str | None] = dict(told["mechanisms"])
        seeds = [int(seed) for seed in told["seeds"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{shown(path)} is missing or damaged; name a complete run folder") from None
    methods = {}
    for name, mechanism in mechanisms.items():
        files = [folder / "markets" / f"{name.replace('/', '__')}-{seed}.safetensors" for seed in seeds]
        records = [read_market(file) for file in files]
        methods[name] = audit_method(None if mechanism is None else market_mechanism(mechanism), seeds, records)
    return {"scope": SCOPE, "tolerance": MONEY, "methods": methods}


def audit_method(mechanism: Clearing | None, seeds: Sequence[int], records: Sequence[MarketRecord]) -> dict[str, Any]:
    """Audit one method over its seeds; ``mechanism`` None where a method implies its graph and nobody reports."""
    measured = [measure(r.types, r.outcome, r.market, r.objective, r.optimal, r.optimal_gap)[0] for r in records]
    promises = _worst(measured)
    clearings = sum(record.rounds for record in records)
    words = sentences(promises, clearings=clearings)
    lies: dict[str, dict[str, Any] | None] = dict.fromkeys(COORDINATES)
    same: bool | None = None
    if mechanism is not None:
        for coordinate in COORDINATES:
            best = _best(mechanism, seeds, records, coordinate)
            lies[coordinate] = _lie_json(mechanism, best, records[list(seeds).index(best.seed)])
            words.append(best.sentence)
        same = all(_reproduces(mechanism, record) for record in records)
        words.append(_same_words(same, clearings))
    else:
        words.append("Nobody reports anything here: the method itself implies the graph, and nobody pays.")
    premise = _premise(mechanism, records)
    words += [] if premise is None else premise["words"]
    return {
        "mechanism": None if mechanism is None else mechanism.id,
        "lowest_utility": {"client": promises.client, "buyer": promises.buyer, "seller": promises.seller},
        "budget_imbalance": promises.imbalance,
        "optimality_gap": promises.gap,
        "objective": promises.objective,
        "optimal_objective": promises.optimal,
        "reproduced": same,
        "best_lie": lies,
        "premise": premise,
        "words": words,
    }


def _premise(mechanism: Clearing | None, records: Sequence[MarketRecord]) -> dict[str, Any] | None:
    """Return how far measured gains depart from the law in the worst round, and what that leaves of the theorems.

    No bounds (None) where no theorem rests on the law: nobody reports, or the payments follow from gains themselves.
    """
    found = [(valuation, valuation.premise()) for record in records for valuation in record.valuations]
    told = [(valuation, bounds) for valuation, bounds in found if bounds is not None]
    if not told:
        return None
    worst, bounds = max(told, key=lambda pair: float(pair[1].regret.max()))
    found_law = {"kind": worst.kind, "concavity_defect": worst.concavity_defect, "fit": worst.fit}
    none = dict.fromkeys(("regret", "cost_regret", "lowest_utility", "welfare"))
    if mechanism is None:
        return found_law | none | {"words": worst.sentences(bounds_hold=False)}
    if isinstance(mechanism, TwoStage):
        return found_law | none | {"words": [*worst.sentences(bounds_hold=False), _TWO_STAGES]}
    return found_law | {
        "regret": float(bounds.regret.max()),
        "cost_regret": float(bounds.cost_regret.max()),
        "lowest_utility": float(bounds.lowest_utility.min()),
        "welfare": float(bounds.welfare.max()),
        "words": worst.sentences(),
    }


def _worst(measured: Sequence[Promises]) -> Promises:
    return Promises(
        client=min(p.client for p in measured),
        buyer=min(p.buyer for p in measured),
        seller=min(p.seller for p in measured),
        pays_in=max(p.pays_in for p in measured),
        keeps=max(p.keeps for p in measured),
        objective=sum(p.objective for p in measured),
        optimal=sum(p.optimal for p in measured),
        gap=sum(p.gap for p in measured),
        scale=max(p.scale for p in measured),
    )


def _best(mechanism: Clearing, seeds: Sequence[int], records: Sequence[MarketRecord], coordinate: str) -> Lie:
    """Return the best lie over all seeds; the earliest of equal ones."""
    found = [best_lie(mechanism, record.types, record.market, coordinate, record.present) for record in records]
    tried = sum(lie.deviations for lie in found)
    k = int(np.argmax([lie.gain if lie.deviations else -1.0 for lie in found]))
    return Lie(seeds[k], found[k], tried)


def _lie_json(mechanism: Clearing, lie: Lie, record: MarketRecord) -> dict[str, Any] | None:
    found = lie.found
    if found.deviations == 0:
        return None
    witness = witness_of(mechanism, found, record.types, record.market, record.present) if found.pays else None
    return {
        "gain": found.gain,
        "seed": lie.seed,
        "round": lie.round,
        "client": found.client,
        "truth": found.truth,
        "report": found.report,
        "utility_truthful": found.utility_truthful,
        "utility_lying": found.utility_lying,
        "deviations": lie.tried,
        "exact": found.exact,
        "sentence": lie.sentence,
        "present": np.flatnonzero(record.present[found.where]).tolist(),
        "witness": witness,
    }


def _reproduces(mechanism: Clearing, record: MarketRecord) -> bool:
    """Say whether clearing the recorded reports again gives the recorded imports and prices."""
    again = clear_and_settle(mechanism, record.reports, record.types, record.market, record.present)
    close = np.abs(again.prices - record.outcome.prices) <= MONEY * np.maximum(1.0, np.abs(again.prices))
    return bool(np.array_equal(again.imports, record.outcome.imports) and close.all())


def _same_words(same: bool, clearings: int) -> str:
    if same:
        return f"Clearing the recorded reports again gives the recorded imports and prices ({clearings} clearings)."
    return (
        "Clearing the recorded reports again does NOT give the recorded imports and prices: the record is not trusted."
    )
