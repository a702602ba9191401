"""Runs the kernels: as plain Python for small work, compiled and on several threads above it.

Compiled code is cached beside the source where that can be written, else it lives as long as the process. The number
of threads changes no bit of a result: importers are independent of each other.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

from mechanism.market.allocation import kernels

PLAIN_WORK = 2_000
"""Below this many (importer, exporter) pairs plain Python answers sooner than the compiler loads."""

_NAME = "mechanism.market.allocation.kernels_compiled"
_lock = threading.Lock()


def compiled() -> ModuleType:
    """Return the kernels as machine code, loading (or compiling) them at the first call."""
    with _lock:
        module = sys.modules.get(_NAME)
        if module is None:
            spec = importlib.util.spec_from_file_location(_NAME, kernels.__file__)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[_NAME] = module
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[_NAME]
                raise
        return module


def clear_importers(tasks: int, pairs: int, *arguments: Any, mode: str = "auto") -> None:
    """Run `kernels.clear_importers` over tasks 0..tasks-1 (``pairs`` importer-exporter pairs in all).

    ``mode``: "plain", "compiled", or "auto" (compiled above `PLAIN_WORK` pairs, or once it is loaded anyway).
    """
    if mode == "plain" or (mode == "auto" and pairs < PLAIN_WORK and _NAME not in sys.modules):
        kernels.clear_importers(0, tasks, *arguments)
        return
    run = compiled().clear_importers
    workers = min(os.cpu_count() or 1, 8, tasks)
    if workers < 2 or pairs < 100 * PLAIN_WORK:
        run(0, tasks, *arguments)
        return
    pieces = min(tasks, 4 * workers)  # a few each, so that uneven ones even out
    edges = [tasks * p // pieces for p in range(pieces + 1)]
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(run, a, b, *arguments) for a, b in itertools.pairwise(edges)]:
            done.result()
