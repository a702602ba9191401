"""A run's audit, ``audit.json``: per method the lowest utilities, the balance, the best lies. Written and read here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from analysis.run.files import RecordError, read_json
from mechanism.reading import validated

Amount = Annotated[float, Field(allow_inf_nan=False)]
Coordinate = Literal["cost", "gain", "size"]
Role = Literal["client", "buyer", "seller"]

_LARGEST_TOLERANCE = 1e-6
"""A tolerance for money above this would let losses pass for rounding."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class RecordedLie(_Part):
    """The best lie found about one private coordinate: who, where, what it said and what it won (money).

    ``gain`` >= 0 is utility_lying - utility_truthful, or 0 when no report beat the truth. ``round`` counts from 1.
    ``deviations`` is the number of reports tried, ``exact`` whether they are known to hold the best one. ``present``:
    who took part in the clearing. ``witness``: replayable, where the lie pays.
    """

    gain: Annotated[Amount, Field(ge=0)]
    seed: int
    round: Annotated[int, Field(ge=1)]
    client: Annotated[int, Field(ge=0)]
    truth: Amount
    report: Amount
    utility_truthful: Amount
    utility_lying: Amount
    deviations: Annotated[int, Field(ge=0, le=2**62)]
    exact: bool = False
    sentence: str
    present: list[int] | None = None
    witness: dict[str, Any] | None = None

    @property
    def pays(self) -> bool:
        """Whether a replayable witness was stored, or the gain is beyond rounding."""
        beyond_rounding = self.gain > 1e-7 * max(1.0, abs(self.utility_truthful), abs(self.utility_lying))
        return self.witness is not None or beyond_rounding


class Premise(_Part):
    """How far measured gains depart from the law in the worst round, and what that leaves of the theorems, money.

    The bounds are None where no theorem rests on the law.
    """

    kind: str
    concavity_defect: Amount
    fit: dict[str, Amount] | None
    regret: Amount | None = None
    cost_regret: Amount | None = None
    lowest_utility: Amount | None = None
    welfare: Amount | None = None
    words: list[str]


class MethodAudit(_Part):
    """The audit of one method: money throughout; ``best_lie`` by coordinate, None where nobody reports anything.

    ``reproduced``: whether clearing the recorded reports again gives what was recorded, None where nothing is cleared.
    """

    mechanism: str | None
    lowest_utility: dict[Role, Amount]
    budget_imbalance: Amount
    optimality_gap: Amount
    objective: Amount
    optimal_objective: Amount
    reproduced: bool | None = None
    best_lie: dict[Coordinate, RecordedLie | None] | None = None
    premise: Premise | None = None
    words: list[str]

    @property
    def lies(self) -> dict[str, RecordedLie]:
        """The lies that were searched for, by coordinate; empty where nobody reports anything."""
        return {name: lie for name, lie in (self.best_lie or {}).items() if lie is not None}


class Audit(_Part):
    """The whole audit: its scope in a sentence, its relative tolerance for money, and one entry per method."""

    scope: str
    tolerance: Annotated[float, Field(ge=0, le=_LARGEST_TOLERANCE)]
    methods: dict[str, MethodAudit]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is written."""
        return self.model_dump()


def read_audit(path: Path) -> Audit:
    """Return what is in an ``audit.json``; `RecordError` if it is damaged."""
    return validated(Audit, read_json(path), str(path), error=RecordError)
