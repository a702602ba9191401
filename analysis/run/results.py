"""What a run came to: ``summary.json``, its figures, and ``audit.json``, its promises. Written and read here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from analysis.run.files import Manifest, RecordError, read_json, unit_key
from analysis.run.ledger import Trace, figures
from mechanism.reading import validated

Figure = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class Stop(_Part):
    """A client that trained no more, under which seed, from which round on."""

    seed: int
    client: int
    before_round: int


class Spent(_Part):
    """The least and the most that a client spent in any seed of a method, and who stopped."""

    epsilon: list[Figure]
    stopped: list[Stop]


class Together(_Part):
    """What at most all trainings of a run spent of one sample, ε and δ added up."""

    epsilon: Figure
    delta: Figure
    trainings: int


class Privacy(_Part):
    """What a private run says of its privacy.

    ``protects`` what, within which ``budget`` ε at which ``delta``; ``usual_delta``: the largest that is advised for
    its sizes, with a ``warning`` where δ is above it ("" where not). ``not_covered``: what ε says nothing of.
    """

    protects: str
    budget: Figure
    delta: Figure
    usual_delta: Figure
    warning: str
    rounds: int
    clients: int
    methods: dict[str, Spent]
    together: Together
    not_covered: list[str]


class Summary(_Part):
    """``summary.json``: means over seeds by method; with more than one seed the sample deviation ``…_std`` beside them.

    ``judged`` says of each method whether accuracies are those of the "trained" or of the "aggregated" models.
    ``names`` of the clients, if they have any. ``audit``: its sentences on each method; what was not checked, or only
    on a sample, is said there. ``privacy`` is absent in runs without.
    """

    task: str
    seeds: list[int]
    methods: dict[str, dict[str, Figure]]
    judged: dict[str, str] = {}
    names: list[str] = []
    audit: dict[str, list[str]] = {}
    privacy: Privacy | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as it is written."""
        return self.model_dump(exclude={name for name in ("privacy", "names") if not getattr(self, name)})


def read_summary(path: Path) -> Summary:
    """Return what is in a ``summary.json``; `RecordError` if it is damaged."""
    return validated(Summary, read_json(path), str(path), error=RecordError)


def summarise(
    manifest: Manifest, traces: Mapping[str, Trace], seconds: Mapping[str, float], privacy: Privacy | None = None,
    audit: "Audit | None" = None,
) -> Summary:  # fmt: skip
    """Return the summary of a run; ``seconds`` of work of each unit, by its name in files."""
    methods: dict[str, dict[str, float]] = {}
    for name, trace in traces.items():
        methods[name] = {}
        worked = np.array([seconds.get(unit_key(name, seed), 0.0) for seed in manifest.seeds])
        for key, values in {**figures(trace), "seconds": worked}.items():
            methods[name][key] = float(values.mean()) + 0.0
            if len(values) > 1:
                methods[name][f"{key}_std"] = float(values.std(ddof=1))
    words = {} if audit is None else {name: told.words for name, told in audit.methods.items()}
    return Summary(
        task=manifest.task,
        seeds=manifest.seeds,
        methods=methods,
        judged=manifest.judged,
        names=manifest.names,
        audit=words,
        privacy=privacy,
    )


Coordinate = Literal["cost", "gain", "size"]
Role = Literal["client", "buyer", "seller"]

_LARGEST_TOLERANCE = 1e-6
"""A tolerance for money above this would let losses pass for rounding."""


SKIPPED = "No lie was searched for"
"""How the sentence begins of an audit that searched none, where somebody reports something."""


class RecordedLie(_Part):
    """The best lie found about one private coordinate: who, where, what it said and what it won (money).

    ``gain`` >= 0 is utility_lying - utility_truthful, or 0 when no report beat the truth. ``round`` counts from 1.
    ``deviations`` is the number of reports tried, ``exact`` whether they are known to hold the best one. ``present``:
    who took part in the clearing. ``witness``: replayable, where the lie pays.
    """

    gain: Annotated[Figure, Field(ge=0)]
    seed: int
    round: Annotated[int, Field(ge=1)]
    client: Annotated[int, Field(ge=0)]
    truth: Figure
    report: Figure
    utility_truthful: Figure
    utility_lying: Figure
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
    concavity_defect: Figure
    fit: dict[str, Figure] | None
    regret: Figure | None = None
    cost_regret: Figure | None = None
    lowest_utility: Figure | None = None
    welfare: Figure | None = None
    words: list[str]


class Certified(_Part):
    """How many of the recorded clearings were checked by certificate, and proved; ``largest_gap`` in money.

    None where a certificate could not be made.
    """

    clearings: Annotated[int, Field(ge=0)]
    checked: Annotated[int, Field(ge=0)]
    proved: Annotated[int, Field(ge=0)]
    largest_gap: Figure | None
    words: str


class MethodAudit(_Part):
    """The audit of one method: money throughout; ``best_lie`` by coordinate, None where nobody reports anything.

    ``reproduced``: whether clearing the recorded reports again gives what was recorded, None where nothing is cleared.
    """

    mechanism: str | None
    lowest_utility: dict[Role, Figure]
    budget_imbalance: Figure
    optimality_gap: Figure
    objective: Figure
    optimal_objective: Figure
    reproduced: bool | None = None
    best_lie: dict[Coordinate, RecordedLie | None] | None = None
    certified: Certified | None = None
    premise: Premise | None = None
    words: list[str]

    @property
    def lies(self) -> dict[str, RecordedLie]:
        """The lies that were searched for, by coordinate; empty where nobody reports anything."""
        return {name: lie for name, lie in (self.best_lie or {}).items() if lie is not None}

    @property
    def skipped(self) -> str | None:
        """Why no lie was searched for, in the audit's sentence; None where one was, or nobody reports anything."""
        return next((line for line in self.words if line.startswith(SKIPPED)), None)


class Audit(_Part):
    """The whole audit: the scope of its claims in words, its relative tolerance for money, and one entry per method."""

    scope: str
    tolerance: Annotated[float, Field(ge=0, le=_LARGEST_TOLERANCE)]
    methods: dict[str, MethodAudit]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is written."""
        return self.model_dump()


def read_audit(path: Path) -> Audit:
    """Return what is in an ``audit.json``; `RecordError` if it is damaged."""
    return validated(Audit, read_json(path), str(path), error=RecordError)
