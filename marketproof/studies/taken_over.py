"""Units of a study over several tasks that a finished run has trained already, with the same settings."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analysis.run.files import market_file, read_manifest, unit_key, verify
from analysis.run.records import read_market
from marketproof.running.config import differences
from marketproof.running.recorder import read_progress, recorded_config
from marketproof.studies.units import Trained, Units, figures, keep, machine
from mechanism.errors import InputError, shown


def take_over(units: Units, run: Path) -> int:
    """Record what a finished run has of the units that are missing; return how many that were.

    Their seconds are of the clock, of their code the version is told. `InputError` if the run is not finished, was
    trained elsewhere than on the processor one model at a time, or with other settings but for methods and seeds;
    `RecordError` if a file of it was changed.
    """
    manifest, progress, recorded = read_manifest(run), read_progress(run), recorded_config(run)
    config = units.configs.get(recorded.task)
    if config is None:
        raise InputError(f"{shown(run)} is of {shown(recorded.task)}, none of the tasks; leave it out")
    if not progress.complete or progress.device != "cpu" or "stacked" in progress.used.values():
        raise InputError(f"{shown(run)} is no finished run of backend rows or pool on the CPU; leave it out")
    shared = config.model_dump(include={"seed", "seeds", "methods", "code"})
    if changed := differences(recorded.model_copy(update=shared), config):
        raise InputError(f"{shown(run)} was recorded with other settings ({'; '.join(changed[:3])}); leave it out")
    there, wanted, new = manifest.model_dump(), set(units), 0
    for method, seed in itertools.product(manifest.methods, manifest.seeds):
        if (config.task, method, seed) not in wanted or units.file(config.task, method, seed).is_file():
            continue
        place = market_file(Path(), method, seed).as_posix()
        record = read_market(verify(run, place, manifest.digests))
        told = Trained(
            task=config.task, method=method, seed=seed, **figures(config, method, seed, record),
            seconds=round(progress.seconds[unit_key(method, seed)], 2),
            commit=f"version {there['versions']['marketproof']}", machine=_machine(there),
        )  # fmt: skip
        keep(units, told, record)
        new += 1
    return new


def _machine(manifest: Mapping[str, Any]) -> str:
    """Return where a run was trained: this machine, if the manifest knows no difference."""
    system, versions = manifest["machine"]["system"], manifest["versions"]
    if system == platform.platform() and all(version(name) == versions[name] for name in ("torch", "numpy")):
        return machine()
    cores, torch, numpy = manifest["machine"]["cores"], versions["torch"], versions["numpy"]
    return f"{system}, {cores} cores, torch {torch}, numpy {numpy}"
