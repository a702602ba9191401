"""The findings in the order of the page. A new one is a file and a line here."""

from collections.abc import Sequence
from typing import Any

from analysis.findings.achieved import ACHIEVED
from analysis.findings.base import Finding
from analysis.findings.imports import IMPORTS
from analysis.findings.optimum import OPTIMUM
from analysis.findings.payments import MONEY
from analysis.findings.provenance import AUDIT, SETTINGS
from analysis.findings.roles import ROLES
from analysis.findings.rounds import ROUNDS
from analysis.findings.rules.regions import REGIONS
from analysis.findings.rules.trade import TRADE
from analysis.findings.rules.truthfulness import LIES
from analysis.findings.rules.verdicts import VERDICTS
from analysis.findings.several.compared import COMPARED, DIFFERING
from analysis.findings.spread import SPREAD
from analysis.findings.waterline import WATERLINE
from analysis.findings.welfare import WELFARE
from analysis.run.records import Run

OF_A_RUN: tuple[Finding[Run, Any], ...] = (
    ACHIEVED, TRADE, WATERLINE, ROLES, WELFARE, MONEY, IMPORTS, OPTIMUM, LIES, SPREAD, ROUNDS, REGIONS, VERDICTS,
    AUDIT, SETTINGS,
)  # fmt: skip
"""What a report asks of one run."""

OF_SEVERAL: tuple[Finding[Sequence[Run], Any], ...] = (DIFFERING, COMPARED)
"""What it asks before that of several runs."""
