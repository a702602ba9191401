"""What follows the last round: tables, summary, audit, manifest, report. Idempotent, so a killed finish is redone."""

from __future__ import annotations

import io
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.run.files import Manifest, digests
from analysis.run.ledger import ledger_table, rounds_table
from analysis.run.records import books_of, open_markets
from analysis.run.results import Audit, Summary, summarise
from marketproof.files.atomic import dumps
from marketproof.running.audit import audit_markets
from marketproof.running.config import RunConfig
from marketproof.running.methods import Method, judged_by
from marketproof.running.privacy import privacy_statement
from marketproof.running.recorder import Progress, Recorder, Unit

if TYPE_CHECKING:
    from polars import DataFrame

_PACKAGES = ("marketproof", "numpy", "scipy", "numba", "torch", "polars", "safetensors", "scikit-learn")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _privacy(config: RunConfig, progress: Progress) -> dict[str, Any] | None:
    """Return what a private run promises and what it does not; None for one without privacy."""
    if not config.privacy.epsilon:
        return None
    from learning.privacy import NOT_COVERED, UNIT
    from learning.privacy.keys import SECRET, SEEDED

    return {
        **config.privacy.model_dump(),
        "protects": f"{UNIT}, in the models of one method under one seed",
        "noise_keys": SECRET if progress.keys else SEEDED,
        "not_covered": list(NOT_COVERED),
    }


def manifest(config: RunConfig, methods: Sequence[Method], progress: Progress) -> Manifest:
    """Return what ``manifest.json`` says beside the digests."""
    return Manifest(
        task=config.task,
        data={**config.data.model_dump(), "split": config.split.model_dump()},
        clients=config.data.clients,
        seed=config.seed,
        seeds=config.seed_list,
        methods=[method.name for method in methods],
        judged={method.name: judged_by(method.algorithm) for method in methods},
        mechanisms={method.name: method.mechanism for method in methods},
        backend=progress.backend,
        backend_used=dict(progress.used),
        backend_reason=dict(progress.reasons),
        device=progress.device,
        machine={
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        versions={name: _version(name) for name in _PACKAGES},
        privacy=_privacy(config, progress),
        notices=list(progress.notices),
        timings={"seconds": dict(progress.seconds), "total": sum(progress.seconds.values())},
    )


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
