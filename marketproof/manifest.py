"""What a run was made with: versions, machine, seeds, backend, times."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from marketproof.config import RunConfig
from marketproof.methods import Method
from marketproof.recorder import Progress

_PACKAGES = ("marketproof", "numpy", "scipy", "numba", "torch", "polars", "safetensors", "scikit-learn")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def manifest(config: RunConfig, methods: Sequence[Method], progress: Progress) -> dict[str, Any]:
    """Return ``manifest.json``."""
    return {
        "task": config.task,
        "data": {**config.data.model_dump(), "split": config.split.model_dump()},
        "clients": config.data.clients,
        "seed": config.seed,
        "seeds": config.seed_list,
        "methods": [method.name for method in methods],
        "mechanisms": {method.name: method.mechanism for method in methods},
        "backend": progress.backend,
        "device": progress.device,
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "versions": {name: _version(name) for name in _PACKAGES},
        "timings": {"seconds": dict(progress.seconds), "total": sum(progress.seconds.values())},
    }
