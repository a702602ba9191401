"""Which file measures which study."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from marketproof.studies.study_findings import Findings
from marketproof.studies.study_runs import Recorded


def measured(name: str, cases: Mapping[str, Recorded]) -> Findings:
    """Return what a study found in its finished runs, by the name of the study."""
    return cast(Findings, import_module(f"marketproof.studies.study_{name}").findings(cases))
