"""A synthetic run folder whose economics is real: markets cleared by the mechanisms, all else derived from them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

from analysis.findings.base import Finding, Section, find
from analysis.run.files import Manifest, digests, unit_key
from analysis.run.ledger import ledger_table, rounds_table
from analysis.run.market import EFFECTIVE, MarketRecord, encode, stack
from analysis.run.records import books_of, market_file, open_markets
from analysis.run.results import Audit, MethodAudit, RecordedLie, summarise
from mechanism import Market, Outcome, Types, account, fixed_outcome, market_mechanism, objective, optimal_objective

METHODS: dict[str, str | None] = {"local": None, "fedavg": None, "ipfl/ipfl": "ipfl", "ipfl/ipfl-exact": "ipfl-exact"}
FACTORS = (0.5, 0.8, 0.9, 0.95, 1.05, 1.2, 1.5)
SCOPE = "Truthfulness is claimed for one clearing with the differences given, not for effects on later rounds."


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


def _best_lie(mechanism: str, record: MarketRecord, seed: int, number: int) -> RecordedLie:
    rule, types, m = market_mechanism(mechanism), record.types, record.clients
    costs = np.tile(types.cost, (m, len(FACTORS) + 1, 1))
    for i in range(m):
        costs[i, 1:, i] *= FACTORS
    utility = account(types, rule.clear(types.report(cost=costs), record.market), record.market).utility
    own = np.stack([utility[i, :, i] for i in range(m)])
    gains = own - own[:, :1]
    client, which = np.unravel_index(int(np.argmax(gains)), gains.shape)
    if gains[client, which] <= 1e-9:
        which = 0
    gain = float(gains[client, which])
    report = float(costs[client, which, client])
    return RecordedLie(
        gain=gain,
        seed=seed,
        round=number,
        client=int(client),
        truth=float(types.cost[client]),
        report=report,
        utility_truthful=float(own[client, 0]),
        utility_lying=float(own[client, which]),
        deviations=m * len(FACTORS),
        sentence=f"client {client} says {report:.3f} and wins {gain:.4f}." if gain else "No lie about cost pays.",
        witness={"mechanism": mechanism} if gain else None,
    )


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
    lies: dict[str, list[RecordedLie]] = {name: [] for name in methods}
    for place, (name, mechanism) in enumerate(methods.items()):
        for seed in seeds:
            draw = np.random.default_rng([abs(seed), 7])
            types, records = _types(draw, clients), []
            for r in range(1, rounds + 1):
                d = draw.uniform(0.1, 1.5, (clients, clients))
                d = (d + d.T) / 2
                np.fill_diagonal(d, 0.0)
                e = draw.uniform(0, 300, (clients, clients)) if name.startswith("ipfl-effective/") else None
                market = Market(d, lam, effective=e)
                outcome = _cleared(name, mechanism, types, market)
                accuracy = 0.97 - (0.1 + 0.03 * place) * np.exp(-r / 2) - draw.uniform(0, 0.03, clients)
                record = MarketRecord.of(
                    types, types.truthful(), market, outcome, accuracy=accuracy, loss=1.0 - accuracy,
                    objective=objective(types.truthful(), outcome.imports, market),
                    optimal_objective=optimal_objective(types.truthful(), market)[0],
                    valuation={} if e is None else {EFFECTIVE: market.effective},
                )  # fmt: skip
                records.append(record)
                lies[name] += [] if mechanism is None else [_best_lie(mechanism, record, seed, r)]
            market_file(folder, name, seed).write_bytes(encode(stack(records)))
    told = {
        "task": task, "clients": clients, "seeds": list(seeds), "methods": list(methods), "mechanisms": methods,
        "data": {"dataset": "digits"}, "backend": "rows", "device": "cpu", "machine": {"system": "test"},
        "versions": {"marketproof": "0.1.0", "numpy": np.__version__}, "timings": {"total": 2.0},
    }  # fmt: skip
    manifest = Manifest.model_validate(told)
    files = open_markets(folder, list(methods), seeds)
    traces, ledgers = books_of(list(methods), seeds, files)
    rounds_table(traces, seeds).write_parquet(folder / "rounds.parquet")
    ledger_table(ledgers, seeds).write_parquet(folder / "ledger.parquet")
    audit = {
        name: _audited(mechanism, [files[name, seed].read() for seed in seeds], lies[name])
        for name, mechanism in methods.items()
    }
    seconds = {unit_key(name, seed): 2.0 + k for k, name in enumerate(methods) for seed in seeds}
    for file, value in (
        ("summary.json", summarise(manifest, traces, seconds).as_json()),
        ("audit.json", Audit(scope=SCOPE, tolerance=1e-9, methods=audit).as_json()),
    ):
        (folder / file).write_text(json.dumps(value))
    (folder / "config.toml").write_text(f'task = "{task}"\nseed = {seeds[0]}\n\n[market]\nlam = {lam}\nC = 1.0\n')
    (folder / "manifest.json").write_text(json.dumps({**told, "digests": digests(folder)}))
    return folder


def _audited(mechanism: str | None, records: list[MarketRecord], lies: list[RecordedLie]) -> MethodAudit:
    reached = sum(float(record.objective.sum()) for record in records)
    best = sum(float(record.optimal_objective.sum()) for record in records)
    low = {
        role: min(float(getattr(record.accounts, part).min()) for record in records)
        for role, part in (("client", "utility"), ("buyer", "buyer"), ("seller", "seller"))
    }
    lie = max(lies, key=lambda found: found.gain, default=None)
    if lie is not None:
        lie = lie.model_copy(update={"deviations": lie.deviations * len(lies)})
    return MethodAudit(
        mechanism=mechanism,
        lowest_utility=low,
        budget_imbalance=max(float(np.abs(record.centre.sum(axis=-1)).max()) for record in records),
        optimality_gap=max(0.0, best - reached),
        objective=reached,
        optimal_objective=best,
        best_lie={"cost": lie} if lie else None,
        words=[f"Lowest utility of any client in any round: {low['client']:.4f}."]
        + ([lie.sentence] if lie else ["Nobody reports anything and nobody pays."]),
    )


def one_market(types: Types, lam: float = 0.0, **told: Any) -> MarketRecord:
    """Return a round in which all models are alike, everybody is truthful and nobody trades yet."""
    market = Market(np.zeros((types.clients, types.clients)), lam)
    return MarketRecord.of(types, types.truthful(), market, _cleared("local", None, types, market), **told)


def edit_market(folder: Path, method: str, seed: int, **tensors: Any) -> Path:
    """Record other tensors in place of some of a unit's, as whoever writes a record would."""
    path = market_file(folder, method, seed)
    whole = load_file(path) | {name: np.array(array, order="C") for name, array in tensors.items()}
    path.write_bytes(save(whole))
    return renew_digests(folder)


def change_json(path: Path, change: Callable[[Any], object]) -> None:
    """Change a JSON file in place."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def forget_digests(folder: Path) -> Path:
    """Make a record one of version 0.1, whose files nothing vouches for."""
    change_json(folder / "manifest.json", lambda told: told.pop("digests"))
    return folder


def renew_digests(folder: Path) -> Path:
    """Make a record that was changed a whole one again."""
    change_json(folder / "manifest.json", lambda told: told.update(digests=digests(folder)))
    return folder
