"""What follows the last round: the audit, tables, summary, manifest, report. A killed finish is redone.

The audit checks every promise against the record alone, without training anything again: against the recorded clearings
and which mechanism cleared them.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.run.files import Manifest, digests, read_manifest
from analysis.run.ledger import ledger_table, rounds_table
from analysis.run.market import VALUATION, MarketRecord
from analysis.run.records import Markets, books_of, open_markets
from analysis.run.results import SKIPPED, Audit, Coordinate, MethodAudit, Premise, RecordedLie, Summary, summarise
from learning.valuation.valuation import Valuation
from marketproof.running.certificates import certified
from marketproof.running.manifest import manifest_of
from marketproof.running.methods import Method
from marketproof.running.privacy import privacy_statement
from marketproof.running.recorder import Recorder, Unit
from mechanism.market.accounting import MONEY, gains
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.earned import Earned
from mechanism.market.rules.rule import Clearing
from mechanism.market.scope import scope_of
from mechanism.market.settling import Promises, TwoStage, clear_and_settle, measure, sentences
from mechanism.wording import count, listed, number
from mechanism.writing import dumps
from proofs_checks.evidence.witness import Witness
from proofs_checks.search.lies import COORDINATES, best_lie

if TYPE_CHECKING:
    from polars import DataFrame

_TWO_STAGES = (
    "Payments follow from gains here, the law's at the true parameters and not those measured set by set: the bounds "
    "for payments that read reports alone do not apply."
)


def audit_run(folder: Path) -> Audit:
    """Return the audit of a recorded run.

    `RecordError` if the folder's manifest or markets are missing, damaged or were changed.
    """
    manifest = read_manifest(folder)
    return audit_markets(manifest, open_markets(folder, manifest.methods, manifest.seeds, manifest.digests))


def audit_markets(manifest: Manifest, files: Markets) -> Audit:
    """Return the audit of recorded markets."""
    methods, scopes = {}, dict[str, list[str]]()
    for name in manifest.methods:
        mechanism, records = manifest.mechanisms[name], [files[name, seed].read() for seed in manifest.seeds]
        rule = None if mechanism is None else market_mechanism(mechanism)
        names = tuple(manifest.names) or None
        methods[name] = audit_method(rule, manifest.seeds, records, names, searched=manifest.audited)
        if rule is not None:
            scopes.setdefault(scope_of(records[0].market), []).append(name)
    return Audit(scope=_scope(scopes), tolerance=MONEY, methods=methods)


def _scope(scopes: Mapping[str, Sequence[str]]) -> str:
    """Return of what truthfulness is claimed; each scope with its methods, where they are not all of one."""
    if len(scopes) < 2:
        return next(iter(scopes), scope_of(None))
    return " ".join(f"Under {listed(names)}: {said}" for said, names in scopes.items())


def audit_method(
    mechanism: Clearing | None,
    seeds: Sequence[int],
    records: Sequence[MarketRecord],
    names: tuple[str, ...] | None = None,
    *,
    searched: bool = True,
) -> MethodAudit:
    """Audit one method over its seeds; ``mechanism`` None where a method implies its graph and nobody reports.

    ``names`` of the clients, where they have any. Not ``searched``: only what the accounts say, nothing is cleared.
    """
    measured = [
        measure(r.types, r.outcome, r.market, r.objective, r.optimal_objective, r.optimal_gap, r.gained)[0]
        for r in records
    ]
    promises = _worst(measured)
    clearings = sum(record.rounds for record in records)
    words = sentences(promises, clearings=clearings)
    lies: dict[Coordinate, RecordedLie | None] = dict.fromkeys(COORDINATES)
    same: bool | None = None
    if mechanism is not None and not searched:
        words.append(f"{SKIPPED}: the audit was left out (--no-audit), and nothing was cleared again or certified.")
    elif mechanism is not None:
        asked = mechanism.rule if isinstance(mechanism, Earned) else mechanism  # what is expected when reports are made
        for coordinate in COORDINATES:
            lies[coordinate], sentence = _best(asked, seeds, records, coordinate, names)
            words.append(sentence)
        same = all(_reproduces(mechanism, record) for record in records)
        words.append(_same_words(same, clearings))
    else:
        words.append("Nobody reports anything here: the method itself implies the graph, and nobody pays.")
    words += _measured_words(records)
    proofs = certified(mechanism, records) if searched else None
    words += [] if proofs is None else [proofs.words]
    premise = _premise(mechanism, records)
    return MethodAudit(
        mechanism=None if mechanism is None else mechanism.id,
        lowest_utility={"client": promises.client, "buyer": promises.buyer, "seller": promises.seller},
        budget_imbalance=promises.imbalance,
        optimality_gap=promises.gap,
        objective=promises.objective,
        optimal_objective=promises.optimal,
        reproduced=same,
        best_lie=lies,
        certified=proofs,
        premise=premise,
        words=list(dict.fromkeys([*words, *([] if premise is None else premise.words)])),
    )


def _measured_words(records: Sequence[MarketRecord]) -> list[str]:
    """Return in a sentence how far the gains that payments were settled on are from the law's; none where by law."""
    surprises = [r.valuation["surprise"][r.imports.any(-1)] for r in records if "surprise" in r.valuation]
    if surprises:
        told = np.concatenate(surprises)
        mean, most = (float(told.mean()), float(told.max())) if told.size else (0.0, 0.0)
        return [
            f"What prices are above cost was settled on what models brought when they were used: of {count(told.size)} "
            f"buyers' rounds, {number(mean)} times what was expected more in the mean and {number(most)} at most. Lies "
            "are searched for at what was expected: no report pays in expectation where surprises are 0 in the mean."
        ]
    off = [
        (r.gained - gains(r.types, r.imports, r.market)).sum(axis=-1).ravel() for r in records if r.gained is not None
    ]
    if not off:
        return []
    less, more = (number(max(0.0, float(max(one.max() for one in signed)))) for signed in ([-a for a in off], off))
    return [
        f"Payments were settled on gains that were measured when models were combined: in a clearing they sum to up to "
        f"{less} less and {more} more than the gain law says. Nobody loses at the truth only where they are no less."
    ]


def _premise(mechanism: Clearing | None, records: Sequence[MarketRecord]) -> Premise | None:
    """Return how far measured gains depart from the law in the worst round, and what that leaves of the theorems.

    No bounds (None) where no theorem rests on the law: nobody reports, or the payments follow from gains themselves.
    """
    every = (valuation for record in records for valuation in valuations(record))
    told = [(valuation, bounds) for valuation in every if (bounds := valuation.premise()) is not None]
    if not told:
        return None
    worst, bounds = max(told, key=lambda pair: float(pair[1].regret.max()))
    hold = mechanism is not None and not isinstance(mechanism, TwoStage)
    premise = Premise(
        kind=worst.kind,
        concavity_defect=worst.concavity_defect,
        fit=worst.fit,
        words=worst.sentences(bounds_hold=hold) + ([_TWO_STAGES] if isinstance(mechanism, TwoStage) else []),
    )
    if not hold:
        return premise
    return premise.model_copy(
        update={
            "regret": float(bounds.regret.max()),
            "cost_regret": float(bounds.cost_regret.max()),
            "lowest_utility": float(bounds.lowest_utility.min()),
            "welfare": float(bounds.welfare.max()),
        }
    )


def valuations(record: MarketRecord) -> list[Valuation]:
    """Return the valuation of each round, none where gains were not measured."""
    told = {name: array for name, array in record.tensors().items() if name.startswith(VALUATION)}
    rounds = range(record.rounds if "kind" in record.valuation else 0)
    return [Valuation.from_arrays({name: array[k] for name, array in told.items()}) for k in rounds]


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


def _best(
    mechanism: Clearing,
    seeds: Sequence[int],
    records: Sequence[MarketRecord],
    coordinate: Coordinate,
    names: tuple[str, ...] | None,
) -> tuple[RecordedLie | None, str]:
    """Return the best lie over all seeds (the earliest of equal ones; None if none was searched for) and its words."""
    every = [best_lie(mechanism, record.types, record.market, coordinate, record.present) for record in records]
    tried = sum(lie.deviations for lie in every)
    k = int(np.argmax([lie.gain if lie.deviations else -1.0 for lie in every]))
    found, record = every[k], records[k]
    sentence = found.sentence(names, tried)
    if found.pays:
        sentence += f" (Seed {seeds[k]}, round {found.where[0] + 1}.)"
    if found.deviations == 0:
        return None, sentence
    witness = None
    if found.pays:
        one, single, teller = found.among(record.types, record.market, record.present)
        witness = Witness.of_lie(mechanism, one, single, teller, coordinate, found.report).to_dict()
    recorded = {
        "seed": seeds[k],
        "round": found.where[0] + 1,
        "client": found.client,
        "deviations": tried,
        "sentence": sentence,
        "present": np.flatnonzero(record.present[found.where]).tolist(),
        "witness": witness,
    }
    numbers = tuple(str(client) for client in range(record.clients))
    return RecordedLie.model_validate({**(found.as_json(numbers) or {}), **recorded}), sentence


def _reproduces(mechanism: Clearing, record: MarketRecord) -> bool:
    """Say whether clearing the recorded reports again gives the recorded imports and prices."""
    again = clear_and_settle(mechanism, record.reports, record.types, record.market, record.present, record.settled_on)
    close = np.abs(again.prices - record.outcome.prices) <= MONEY * np.maximum(1.0, np.abs(again.prices))
    return bool(np.array_equal(again.imports, record.outcome.imports) and close.all())


def _same_words(same: bool, clearings: int) -> str:
    if same:
        return f"Clearing the recorded reports again gives the recorded imports and prices ({clearings} clearings)."
    return (
        "Clearing the recorded reports again does NOT give the recorded imports and prices: the record is not trusted."
    )


def finish_run(
    recorder: Recorder, methods: Sequence[Method], units: Sequence[Unit], *, audited: bool = True
) -> tuple[Summary, Audit]:
    """Write everything that is computed from the recorded markets, the manifest with all digests last."""
    config, progress = recorder.config, recorder.progress
    names, seeds = [method.name for method in methods], config.seed_list
    files = open_markets(recorder.folder, names, seeds)
    traces, ledgers = books_of(names, seeds, files)
    called = {seed: progress.owners.get(str(seed), config.data.names) for seed in seeds}
    recorder.write("rounds.parquet", _parquet(rounds_table(traces, seeds, called)))
    recorder.write("ledger.parquet", _parquet(ledger_table(ledgers, seeds, called)))
    first_rounds = [(unit, files[unit.method.name, unit.seed].read(0, 1)) for unit in units]
    private = privacy_statement(config, first_rounds, progress.notices) if config.privacy.epsilon else None
    told = manifest_of(config, methods, progress, private) | {"audited": audited}
    manifest = Manifest.model_validate(told)
    audit = audit_markets(manifest, files)
    summary = summarise(manifest, traces, progress.seconds, private, audit)
    recorder.write("summary.json", dumps(summary.as_json()))
    recorder.write("audit.json", dumps(audit.as_json()))
    recorder.write("manifest.json", dumps({**told, "digests": digests(recorder.folder)}))
    recorder.complete()
    return summary, audit


def _parquet(frame: DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def make_report(folder: Path) -> Path:
    """Write the run's ``report.html``."""
    from analysis.page.report import write_report

    return write_report([folder], folder / "report.html")
