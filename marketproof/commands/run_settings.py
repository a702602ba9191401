"""From the options of ``marketproof run`` to a configuration: of a new run, or of the one that is resumed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from marketproof.errors import InputError
from marketproof.running.config import RunConfig, load_task, overridden, resolve
from marketproof.running.methods import DEFAULT_MECHANISM, DEFAULT_METHODS, split_names
from marketproof.running.recorder import CONFIG, recorded_config

DEFAULT_TASK = "digits-niid"


def settings(task: str | None, options: Mapping[str, Any], out: Path | None, *, resume: bool) -> tuple[RunConfig, bool]:
    """Return the configuration and whether a recorded run is gone on with.

    With ``resume``, what is not given comes from the record. If nothing is recorded yet and the task is named, the run
    starts afresh: the same command can be given until it succeeds.

    Raises
    ------
    InputError
        If an option is wrong, or ``resume`` has nothing to go on with.
    """
    given = dict(options)
    if given.get("methods") is not None:
        given["methods"] = split_names(given["methods"])
    if resume and out is None:
        raise InputError("--resume needs --out DIR: the folder of the run to go on with")
    if resume and out is not None and (task is None or (out / CONFIG).is_file()):
        recorded = recorded_config(out)
        if task is None:
            return overridden(recorded.model_dump(), given), True
        return _fresh(task, given), True
    return _fresh(task or DEFAULT_TASK, given), False


def _fresh(task: str, given: Mapping[str, Any]) -> RunConfig:
    defaults = {"seed": 0, "seeds": 1, "methods": split_names(DEFAULT_METHODS), "mechanism": DEFAULT_MECHANISM}
    told = {key: value for key, value in given.items() if value is not None}
    return resolve(task, load_task(task), {**defaults, **told})


def default_folder(task: str) -> Path:
    """Return ``runs/TASK-TIME``; a counter is added where two runs start in one second."""
    stem = f"{Path(task).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    folder = Path("runs") / stem
    count = 2
    while folder.exists():
        folder = Path("runs") / f"{stem}-{count}"
        count += 1
    return folder
