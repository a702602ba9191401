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
from analysis.run.results import Audit, Privacy, Summary, summarise
from marketproof.files.atomic import dumps
from marketproof.running.audit import audit_markets
from marketproof.running.config import Method, RunConfig, judged_by
from marketproof.running.privacy import noise_of, privacy_statement
from marketproof.running.recorder import Progress, Recorder, Unit

if TYPE_CHECKING:
    from polars import DataFrame

_PACKAGES = ("marketproof", "numpy", "scipy", "numba", "torch", "polars", "safetensors", "scikit-learn")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def finish_run(recorder: Recorder, methods: Sequence[Method], units: Sequence[Unit]) -> tuple[Summary, Audit]:
    """Write everything that is computed from the recorded markets, the manifest with all digests last."""
    config, progress = recorder.config, recorder.progress
    names, seeds = [method.name for method in methods], config.seed_list
    files = open_markets(recorder.folder, names, seeds)
    traces, ledgers = books_of(names, seeds, files)
    recorder.write("rounds.parquet", _parquet(rounds_table(traces, seeds)))
    recorder.write("ledger.parquet", _parquet(ledger_table(ledgers, seeds)))
    first_rounds = [(unit, files[unit.method.name, unit.seed].read(0, 1)) for unit in units]
    private = privacy_statement(config, first_rounds, progress.notices) if config.privacy.epsilon else None
    told = _manifest(config, methods, progress, private)
    manifest = Manifest.model_validate(told)
    summary = summarise(manifest, traces, progress.seconds, private)
    recorder.write("summary.json", dumps(summary.as_json()))
    audit = audit_markets(manifest, files)
    recorder.write("audit.json", dumps(audit.as_json()))
    recorder.write("manifest.json", dumps({**told, "digests": digests(recorder.folder)}))
    recorder.complete()
    return summary, audit


def _manifest(
    config: RunConfig, methods: Sequence[Method], progress: Progress, private: Privacy | None
) -> dict[str, Any]:
    """Return what ``manifest.json`` says beside the digests.

    ``backend`` is that of the last unit; ``backend_used`` names for each unit (method and seed, as in file names) the
    backend that did its training, ``backend_reason`` why. The ``delta`` of its privacy is the one used; config.toml has
    the one asked for, 0 for none.
    """
    return {
        "task": config.task,
        "data": {**config.data.model_dump(), "split": config.split.model_dump()},
        "clients": config.data.clients,
        "seed": config.seed,
        "seeds": config.seed_list,
        "methods": [method.name for method in methods],
        "judged": {method.name: judged_by(method.algorithm) for method in methods},
        "mechanisms": {method.name: method.mechanism for method in methods},
        "backend": progress.backend,
        "backend_used": progress.used,
        "backend_reason": progress.reasons,
        "device": progress.device,
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "versions": {name: _version(name) for name in _PACKAGES},
        "privacy": private
        and {
            **config.privacy.model_dump(),
            "delta": private.delta,
            "protects": private.protects,
            "noise_keys": noise_of(progress.keys),
            "not_covered": private.not_covered,
        },
        "notices": progress.notices,
        "timings": {"seconds": progress.seconds, "total": sum(progress.seconds.values())},
    }


def _parquet(frame: DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def make_report(folder: Path) -> Path:
    """Write the run's ``report.html``."""
    from analysis.page.report import write_report

    return write_report([folder], folder / "report.html")
