"""What follows the last round: tables, manifest, audit, summary, report. Idempotent, so a killed finish is redone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marketproof.commands.options import dumps
from marketproof.running.audit import audit_run
from marketproof.running.ledgers import ledger_table, parquet, rounds_table
from marketproof.running.manifest import manifest
from marketproof.running.methods import Method
from marketproof.running.privacy_told import privacy_told
from marketproof.running.recorder import Recorder, Unit
from marketproof.running.records import read_market
from marketproof.running.summary import summarise


def finish_run(
    recorder: Recorder, methods: Sequence[Method], units: Sequence[Unit]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write everything that is computed from the recorded markets; return (summary, audit)."""
    records = [(unit, read_market(recorder.market(unit))) for unit in units]
    recorder.write("rounds.parquet", parquet(rounds_table(records)))
    recorder.write("ledger.parquet", parquet(ledger_table(records)))
    told = manifest(recorder.config, methods, recorder.progress)
    private = privacy_told(recorder.config, records, recorder.progress.notices)
    summary = summarise(recorder.config.task, records, recorder.progress.seconds)
    if private is not None:
        told["privacy"] |= {"delta": private["delta"]}  # the one used; config.toml has the one asked for, 0 for none
        summary["privacy"] = private
    recorder.write("manifest.json", dumps(told))
    recorder.write("summary.json", dumps(summary))
    audit = audit_run(recorder.folder)
    recorder.write("audit.json", dumps(audit))
    recorder.complete()
    return summary, audit


def make_report(folder: Path) -> Path:
    """Write the run's ``report.html``."""
    from analysis.page.report import write_report

    return write_report([folder], folder / "report.html")
