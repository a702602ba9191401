"""What follows the last round: tables, summary, audit, manifest, report. Idempotent, so a killed finish is redone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.run.audits import Audit
from analysis.run.files import digests
from analysis.run.ledger import ledger_table, rounds_table
from analysis.run.records import books_of, open_markets
from analysis.run.summary import Summary, summarise
from marketproof.files.atomic import dumps
from marketproof.running.audit import audit_markets
from marketproof.running.manifest import manifest
from marketproof.running.methods import Method
from marketproof.running.privacy_statement import privacy_statement
from marketproof.running.recorder import Recorder, Unit

if TYPE_CHECKING:
    from polars import DataFrame


def finish_run(recorder: Recorder, methods: Sequence[Method], units: Sequence[Unit]) -> tuple[Summary, Audit]:
    """Write everything that is computed from the recorded markets, the manifest with all digests last."""
    told = manifest(recorder.config, methods, recorder.progress)
    files = open_markets(recorder.folder, told.methods, told.seeds)
    traces, ledgers = books_of(told.methods, told.seeds, files)
    recorder.write("rounds.parquet", _parquet(rounds_table(traces, told.seeds)))
    recorder.write("ledger.parquet", _parquet(ledger_table(ledgers, told.seeds)))
    summary = summarise(told, traces, recorder.progress.seconds)
    private = privacy_statement(
        recorder.config,
        [(unit, files[unit.method.name, unit.seed].read(0, 1)) for unit in units],
        recorder.progress.notices,
    )
    if private is not None:
        # The delta used; config.toml has the one asked for, 0 for none.
        told = told.model_copy(update={"privacy": {**told.privacy, "delta": private.delta}})
        summary = summary.model_copy(update={"privacy": private})
    recorder.write("summary.json", dumps(summary.as_json()))
    audit = audit_markets(told, files)
    recorder.write("audit.json", dumps(audit.as_json()))
    told = told.model_copy(update={"digests": digests(recorder.folder)})
    recorder.write("manifest.json", dumps(told.model_dump()))
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
