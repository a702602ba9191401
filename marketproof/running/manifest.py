"""What a run was made with: versions, machine, seeds, backend, times."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from analysis.run.manifest import Manifest
from marketproof.running.config import RunConfig
from marketproof.running.methods import Method, judged_by
from marketproof.running.recorder import Progress

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
