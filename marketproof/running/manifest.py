"""What ``manifest.json`` says of a run beside the digests: what was run, where, by which versions, how long."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from analysis.run.results import Privacy
from marketproof.running.config import RunConfig
from marketproof.running.methods import Method, judged_by
from marketproof.running.privacy import noise_of
from marketproof.running.recorder import Progress

_PACKAGES = ("marketproof", "numpy", "scipy", "numba", "torch", "polars", "safetensors", "scikit-learn")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def names_of(config: RunConfig, progress: Progress) -> list[str]:
    """Return what clients are called, if they have names and the same ones under every seed."""
    found = [progress.owners.get(str(seed), []) for seed in config.seed_list]
    return config.data.names or (found[0] if all(names == found[0] for names in found) else [])


def manifest_of(
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
        "names": names_of(config, progress),
        "owners": progress.owners,
        "left_out": [*config.data.left_out, *dict.fromkeys(progress.left_out.values())],
        "code": config.code,
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
            "noise_keys": noise_of(progress.keys or config.federation),
            "not_covered": private.not_covered,
        },
        "notices": progress.notices,
        "timings": {"seconds": progress.seconds, "total": sum(progress.seconds.values())},
    }
