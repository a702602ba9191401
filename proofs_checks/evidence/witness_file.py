"""Witnesses as JSON that comes from anyone: a model of what is expected, and bounds on all of it."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from mechanism.errors import MarketProofError, shown
from mechanism.market.clients import LARGEST
from mechanism.market.gains import law_from_dict
from mechanism.reading import validated
from proofs_checks.evidence_errors import WitnessError
from proofs_checks.search.cases import Cases

OLDER = "marketproof-witness-1"
"""The format in which earlier versions wrote witnesses about cleared markets."""

MOST_NUMBERS, MOST_AGENTS, MOST_TEXT = 1 << 20, 1000, 100_000


def _array(values: Any) -> np.ndarray[Any, np.dtype[Any]]:
    try:
        array = np.array(values)
    except ValueError:
        raise ValueError("expected numbers; rows of one length") from None
    if array.dtype.kind not in "if" or array.size > MOST_NUMBERS or not np.isfinite(array).all():
        raise ValueError(f"expected finite numbers, {MOST_NUMBERS} at most")
    return array


Numbers = Annotated[Any, AfterValidator(_array)]
Text = Annotated[str, Field(max_length=MOST_TEXT)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class MarketFile(_Model):
    """The public terms of a cleared market."""

    lam: Annotated[FiniteFloat, Field(ge=0.0, le=LARGEST)]
    law: dict[Name, Any]


class WitnessFile(_Model):
    """A witness as it is written (`Witness.to_dict`)."""

    format: str
    property: Name
    mechanism: Annotated[str, Field(max_length=200)]
    variant: dict[Name, bool | int | FiniteFloat | Text]
    names: Annotated[list[Text], Field(min_length=1, max_length=2 * MOST_AGENTS)]
    types: Numbers
    before: Numbers
    after: Numbers | None
    deviators: Annotated[list[int], Field(max_length=MOST_AGENTS)] | None
    extra: dict[Text, Numbers]
    built: Annotated[int, Field(le=MOST_AGENTS)]
    violation: FiniteFloat
    numbers: dict[Text, Numbers]
    sentence: Text
    digest: Text
    agents: Annotated[list[Name], Field(max_length=MOST_AGENTS)] = []
    market: MarketFile | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        shape = (len(self.types) if self.types.ndim else 0, len(self.names))
        for name in ("types", "before"):
            if getattr(self, name).shape != shape or not shape[0]:
                raise ValueError(f"{name} must have one row per agent and {shape[1]} columns")
        if self.after is not None:
            alternatives = self.after[None] if self.after.ndim == 2 else self.after
            if alternatives.ndim != 3 or alternatives.shape[1:] != shape or not len(alternatives):
                raise ValueError(f"after must be tables of one row per agent and {shape[1]} columns")
        if not all(0 <= agent < shape[0] for agent in self.deviators or ()):
            raise ValueError(f"deviators must be agents 0 to {shape[0] - 1}")
        if self.agents and len(self.agents) != shape[0]:
            raise ValueError(f"agents must be a name of each of the {shape[0]} agents")
        if self.built < shape[0]:
            raise ValueError(f"built must be a number of agents from {shape[0]} to {MOST_AGENTS}")
        return self

    def parts(self) -> dict[str, Any]:
        """Return the fields of the `Witness` that it says; ``terms`` as (lam, law), or None."""
        types, before = (np.asarray(part, dtype=np.float64)[None] for part in (self.types, self.before))
        after = deviators = None
        if self.after is not None:
            after = np.asarray(self.after, dtype=np.float64).reshape(1, -1, *types.shape[1:])
        if self.deviators is not None:
            deviators = np.isin(np.arange(types.shape[1]), self.deviators)[None]
        return {
            "property": self.property,
            "mechanism": self.mechanism,
            "names": tuple(self.names),
            "case": Cases(types, before, after, deviators, tuple((k, v[None]) for k, v in sorted(self.extra.items()))),
            "violation": float(self.violation),
            "numbers": {name: np.asarray(row, dtype=np.float64).ravel().tolist() for name, row in self.numbers.items()},
            "sentence": self.sentence,
            "variant": self.variant,
            "built": self.built,
            "terms": None if self.market is None else (self.market.lam, law_from_dict(self.market.law)),
            "digest": self.digest[:64],
            "people": tuple(self.agents),
        }


def read(data: Any, expected: str) -> dict[str, Any]:
    """Return the fields of the witness in what was read from JSON, which must be of the format ``expected``.

    `WitnessError`: in one line, if it is none, or one of an earlier version about a cleared market.
    """
    if not isinstance(data, Mapping):
        raise WitnessError(f"no witness: expected an object of the format {expected!r}")
    if data.get("format") == OLDER:
        raise WitnessError("this witness was written by an earlier version; make the run or the verdict again")
    if data.get("format", expected) != expected:
        raise WitnessError(f"the witness has the format {shown(data['format'])}; expected {expected!r}")
    try:
        return validated(WitnessFile, data, "the witness", error=WitnessError).parts()
    except WitnessError:
        raise
    except (MarketProofError, RecursionError, OverflowError) as error:  # numbers that are those of no gain law
        raise WitnessError(f"the witness holds no case: {error}") from None
