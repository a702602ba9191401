"""Reads recorded runs: metrics, plots, tables and the report. Knows the economics, never the training.

>>> from analysis import read_run, write_report  # doctest: +SKIP
"""

from importlib import import_module
from typing import Any

_HOME = {
    "RecordError": "run.files",
    "Run": "run.records",
    "export_runs": "page.gallery",
    "read_run": "run.records",
    "write_report": "page.report",
}

__all__ = ["RecordError", "Run", "export_runs", "read_run", "write_report"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `import analysis` stays cheap."""
    if name not in _HOME:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(f"analysis.{_HOME[name]}"), name)
