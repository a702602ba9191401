"""A synthetic run folder whose economics is real: markets cleared by the mechanisms, accounts by the one identity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from safetensors.numpy import save_file

from analysis.findings.base import Finding, Section, find
from mechanism import Market, Outcome, Types, account, fixed_outcome, market_mechanism, objective, optimal_objective

METHODS: dict[str, str | None] = {"local": None, "fedavg": None, "ipfl/ipfl": "ipfl", "ipfl/ipfl-exact": "ipfl-exact"}
FACTORS = (0.5, 0.8, 0.9, 0.95, 1.05, 1.2, 1.5)


def section(finding: Finding[Any, Any], subject: object) -> Section:
    """Return a finding as a subject has it, such as a read run."""
    (found,) = find([finding], subject)
    return found


def _types(rng: np.random.Generator, m: int) -> Types:
    return Types(
        size=rng.integers(60, 400, m).astype(float), cost=rng.uniform(0.8, 6.0, m), gain=rng.uniform(2e4, 5e4, m)
    )


def _cleared(name: str, mechanism: str | None, types: Types, market: Market) -> Outcome:
    m = types.clients
    if mechanism is not None:
        return market_mechanism(mechanism).clear(types.truthful(), market)
    return fixed_outcome(np.zeros((m, m), bool) if name == "local" else np.ones((m, m), bool))


def _best_lie(mechanism: str, types: Types, market: Market, place: dict[str, int]) -> dict[str, Any]:
    rule, m = market_mechanism(mechanism), types.clients
    costs = np.tile(types.cost, (m, len(FACTORS) + 1, 1))
    for i in range(m):
        costs[i, 1:, i] *= FACTORS
    utility = account(types, rule.clear(types.report(cost=costs), market), market.law).utility
    own = np.stack([utility[i, :, i] for i in range(m)])
    gains = own - own[:, :1]
    client, which = np.unravel_index(int(np.argmax(gains)), gains.shape)
    if gains[client, which] <= 1e-9:
        which = 0
    gain = float(gains[client, which])
    report = float(costs[client, which, client])
    return {
        "gain": gain,
        **place,
        "client": int(client),
        "truth": float(types.cost[client]),
        "report": report,
        "utility_truthful": float(own[client, 0]),
        "utility_lying": float(own[client, which]),
        "deviations": m * len(FACTORS),
        "sentence": f"client {client} says {report:.3f} and wins {gain:.4f}." if gain else "No lie about cost pays.",
        "witness": {"mechanism": mechanism} if gain else None,
    }


def write_run(
    folder: Path,
    *,
    clients: int = 6,
    rounds: int = 3,
    seeds: Sequence[int] = (0, 1),
    methods: dict[str, str | None] | None = None,
    lam: float = 0.4,
    task: str = "digits-niid",
) -> Path:
    """Write a run folder as `marketproof run` does, from drawn types and differences."""
    methods = METHODS if methods is None else methods
    (folder / "markets").mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    book: list[dict[str, Any]] = []
    audit: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    for place, (name, mechanism) in enumerate(methods.items()):
        missed = 0.0
        lies, totals, low = [], [0.0, 0.0], {"client": np.inf, "buyer": np.inf, "seller": np.inf}
        for seed in seeds:
            draw = np.random.default_rng([abs(seed), 7])
            types = _types(draw, clients)
            stacks: dict[str, list[Any]] = {}
            for r in range(1, rounds + 1):
                d = draw.uniform(0.1, 1.5, (clients, clients))
                d = (d + d.T) / 2
                np.fill_diagonal(d, 0.0)
                market = Market(d, lam)
                outcome = _cleared(name, mechanism, types, market)
                books = account(types, outcome, market.law)
                missed = max(missed, abs(float(outcome.centre.sum())))
                reached = objective(types.truthful(), outcome.imports, market)
                best, _ = optimal_objective(types.truthful(), market)
                totals[0] += float(reached)
                totals[1] += float(best)
                for role, amounts in (("client", books.utility), ("buyer", books.buyer), ("seller", books.seller)):
                    low[role] = min(low[role], float(amounts.min()))
                accuracy = 0.97 - (0.1 + 0.03 * place) * np.exp(-r / 2) - draw.uniform(0, 0.03, clients)
                for i in range(clients):
                    rows.append(
                        {"method": name, "seed": seed, "round": r, "client": i, "accuracy": accuracy[i]}
                        | {"loss": 1.0 - accuracy[i], "gain": books.gain[i], "cost": books.cost[i]}
                        | {"paid": books.paid[i], "received": books.received[i], "utility": books.utility[i]}
                        | {"imports": int(outcome.imports[i].sum()), "exports": int(outcome.imports[:, i].sum())}
                    )
                penalties = market.penalties(types.size)
                for i, j in zip(*np.nonzero(outcome.imports), strict=True):
                    book.append(
                        {"method": name, "seed": seed, "round": r, "importer": int(i), "exporter": int(j)}
                        | {"payment": outcome.prices[i, j], "cost": types.cost[j]}
                        | {"difference": d[i, j], "penalty": penalties[i, j]}
                    )
                recorded = {
                    "differences": d, "size": types.size, "cost": types.cost, "gain": types.gain,
                    "reported_size": types.size, "reported_cost": types.cost, "reported_gain": types.gain,
                    "imports": outcome.imports.astype(np.uint8), "prices": outcome.prices, "centre": outcome.centre,
                    "gap": outcome.gap, "objective": np.asarray(reached), "optimal_objective": np.asarray(best),
                }  # fmt: skip
                for key, value in recorded.items():
                    stacks.setdefault(key, []).append(value)
                if mechanism is not None:
                    lies.append(_best_lie(mechanism, types, market, {"seed": seed, "round": r}))
            tensors = {k: np.ascontiguousarray(np.stack(v)) for k, v in stacks.items()}
            save_file(
                tensors | {"lam": np.array(lam)}, folder / "markets" / f"{name.replace('/', '__')}-{seed}.safetensors"
            )
        lie = max(lies, key=lambda found: found["gain"]) if lies else None
        if lie is not None:
            lie["deviations"] *= len(lies)
        audit[name] = {
            "mechanism": mechanism,
            "lowest_utility": low,
            "budget_imbalance": missed,
            "optimality_gap": max(0.0, totals[1] - totals[0]),
            "objective": totals[0],
            "optimal_objective": totals[1],
            "best_lie": {"cost": lie} if lie else None,
            "words": [f"Lowest utility of any client in any round: {low['client']:.4f}."]
            + ([lie["sentence"]] if lie else ["Nobody reports anything and nobody pays."]),
        }
        summary[name] = {"accuracy_best": 0.9, "utility_total": 1.0, "welfare": 1.0, "seconds": 2.0 + place}
    integers = dict.fromkeys(("seed", "round", "importer", "exporter"), pl.Int64)
    reals = dict.fromkeys(("payment", "cost", "difference", "penalty"), pl.Float64)
    pl.DataFrame(rows).write_parquet(folder / "rounds.parquet")
    pl.DataFrame(book, schema={"method": pl.String} | integers | reals).write_parquet(folder / "ledger.parquet")
    scope = "Truthfulness is claimed for one clearing with the differences given, not for effects on later rounds."
    manifest = {
        "versions": {"marketproof": "0.1.0", "numpy": np.__version__},
        "seed": seeds[0],
        "seeds": list(seeds),
        "methods": list(methods),
        "backend": "rows",
        "device": "cpu",
        "machine": "test",
        "timings": dict.fromkeys(methods, 2.0),
        "task": task,
        "clients": clients,
        "mechanisms": methods,
        "data": "digits",
    }
    for name, value in (
        ("manifest.json", manifest),
        ("summary.json", {"task": task, "seeds": list(seeds), "methods": summary}),
        ("audit.json", {"scope": scope, "tolerance": 1e-9, "methods": audit}),
    ):
        (folder / name).write_text(json.dumps(value))
    (folder / "config.toml").write_text(f'task = "{task}"\nseed = {seeds[0]}\n\n[market]\nlam = {lam}\nC = 1.0\n')
    return folder
