"""A verdict, its witness, and their JSON."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from proofs_checks.errors import WitnessError
from proofs_checks.evidence.market_witness import Grade
from proofs_checks.search.cases import Cases

if TYPE_CHECKING:
    from mechanism.direct import DirectMechanism
    from proofs_checks.properties.property import Property

FORMAT = "marketproof-direct-witness-1"
_MOST_NUMBERS = 100_000
_MOST_AGENTS = 1000
_MOST_TEXT = 16 * 2**20


@dataclass(frozen=True, eq=False)
class DirectWitness:
    """One case that breaks a property of a direct mechanism, with what it gives, ready to be replayed.

    ``violation``: by how much (money, or units of allocation for monotonicity). ``numbers``: what the check computed
    on the way, by name. ``variant``: the property's parameters. ``built``: for how many agents the mechanism was built
    before it was resized to those of the case (what is sold may depend on it); default as many as the case has.
    ``digest``: of everything else, as it was written; a witness that was read keeps the one that it came with.
    """

    property: str
    mechanism: str
    names: tuple[str, ...]
    case: Cases
    violation: float
    numbers: dict[str, list[float]]
    sentence: str
    variant: dict[str, Any] = field(default_factory=dict)
    built: int = 0
    digest: str = ""

    @classmethod
    def of(
        cls, mechanism: DirectMechanism, prop: Property, case: Cases, *, built: int = 0, name: str = ""
    ) -> DirectWitness:
        """Record a case as it is, with what it gives; ``name`` and ``built`` where the mechanism was resized."""
        numbers = prop.numbers(mechanism, case)
        return cls(
            property=prop.id,
            mechanism=name or name_of(mechanism),
            names=mechanism.space.names,
            case=case,
            violation=float(prop.violation(mechanism, case).max()),
            numbers=numbers,
            sentence=prop.sentence(mechanism, case, numbers),
            variant=prop.variant,
            built=built,
        )

    @builtins.property
    def agents(self) -> int:
        """How many agents the case has."""
        return int(self.case.types.shape[1])

    def fingerprint(self) -> str:
        """Return the digest of what the witness says now: SHA-256 of its JSON with sorted keys."""
        return _digest(self._plain())

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, numbers and strings, ready for JSON."""
        told = self._plain()
        return {**told, "digest": self.digest or _digest(told)}

    def _plain(self) -> dict[str, Any]:
        after = self.case.after
        told = None if after is None else after[0, 0].tolist() if after.shape[1] == 1 else after[0].tolist()
        return {
            "format": FORMAT,
            "property": self.property,
            "mechanism": self.mechanism,
            "variant": self.variant,
            "names": list(self.names),
            "types": self.case.types[0].tolist(),
            "before": self.case.before[0].tolist(),
            "after": told,
            "deviators": None if self.case.deviators is None else np.flatnonzero(self.case.deviators[0]).tolist(),
            "extra": {name: array[0].tolist() for name, array in self.case.extra},
            "built": self.built or self.agents,
            "violation": self.violation,
            "numbers": self.numbers,
            "sentence": self.sentence,
        }

    @classmethod
    def from_dict(cls, data: Any) -> DirectWitness:
        """Read what `to_dict` wrote, trusting nothing in it.

        Raises
        ------
        WitnessError
            If any part is missing, of the wrong kind, of the wrong shape or not finite.
        """
        wanted = {"format", "property", "mechanism", "variant", "names", "types", "before", "after", "deviators"}
        wanted |= {"extra", "built", "violation", "numbers", "sentence", "digest"}
        if not isinstance(data, dict) or set(data) != wanted or data["format"] != FORMAT:
            raise WitnessError(f"no witness of the format {FORMAT!r}: expected exactly {', '.join(sorted(wanted))}")
        if not all(isinstance(data[key], str) for key in ("property", "mechanism", "sentence", "digest")):
            raise WitnessError("property, mechanism, sentence and digest of the witness must be texts")
        names = data["names"]
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            raise WitnessError("names of the witness must be a list of texts")
        types = _matrix(data["types"], "types", len(names))
        before = _matrix(data["before"], "before", len(names), len(types))
        after = None if data["after"] is None else _alternatives(data["after"], len(names), len(types))
        deviators = None
        if data["deviators"] is not None:
            chosen = data["deviators"]
            if not isinstance(chosen, list) or not all(type(a) is int and 0 <= a < len(types) for a in chosen):
                raise WitnessError(f"deviators of the witness must be agents 0 to {len(types) - 1}")
            deviators = np.zeros((1, len(types)), dtype=np.bool_)
            deviators[0, chosen] = True
        extra, numbers, variant = data["extra"], data["numbers"], data["variant"]
        if not (isinstance(extra, dict) and isinstance(numbers, dict) and isinstance(variant, dict)):
            raise WitnessError("extra, numbers and variant of the witness must be tables")
        built = data["built"]
        if type(built) is not int or not len(types) <= built <= _MOST_AGENTS:
            raise WitnessError(f"built of the witness must be a number of agents from {len(types)} to {_MOST_AGENTS}")
        arrays = tuple((str(name), _array(values, f"extra.{name}")[None]) for name, values in sorted(extra.items()))
        return cls(
            data["property"],
            data["mechanism"],
            tuple(names),
            Cases(types[None], before[None], None if after is None else after[None], deviators, arrays),
            _number(data["violation"], "violation"),
            {str(name): [float(x) for x in _array(row, f"numbers.{name}").ravel()] for name, row in numbers.items()},
            data["sentence"],
            variant,
            built,
            data["digest"][:64],
        )


def name_of(mechanism: DirectMechanism) -> str:
    """Return the mechanism's name, shortly."""
    return str(getattr(mechanism, "name", None) or type(mechanism).__name__)[:100]


def _digest(told: dict[str, Any]) -> str:
    import hashlib
    import json

    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _array(values: Any, what: str) -> np.ndarray[Any, np.dtype[Any]]:
    try:
        array = np.array(values)
    except ValueError:
        raise WitnessError(f"{what} of the witness is ragged; expected a table of numbers") from None
    if array.dtype.kind not in "if" or array.size > _MOST_NUMBERS or not np.isfinite(array).all():
        raise WitnessError(f"{what} of the witness must hold finite numbers, {_MOST_NUMBERS} at most")
    return array


def _number(values: Any, what: str) -> float:
    array = _array(values, what)
    if array.ndim:
        raise WitnessError(f"{what} of the witness must be one number")
    return float(array)


def _alternatives(values: Any, columns: int, rows: int) -> np.ndarray[Any, np.dtype[Any]]:
    """Return reports ``[R, rows, columns]``: one alternative is written as a table, a cycle as a list of tables."""
    array = _array(values, "after").astype(np.float64)
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[1:] != (rows, columns) or not len(array):
        raise WitnessError(f"after of the witness must be tables of one row per agent and {columns} columns")
    return array


def _matrix(values: Any, what: str, columns: int, rows: int | None = None) -> np.ndarray[Any, np.dtype[Any]]:
    array = _array(values, what).astype(np.float64)
    if array.ndim != 2 or array.shape[1] != columns or array.shape[0] < 1 or rows not in (None, array.shape[0]):
        raise WitnessError(f"{what} of the witness must have one row per agent and {columns} columns")
    return array


def read_witness_text(text: str | bytes) -> Any:
    """Parse witness JSON, bounded in size; `WitnessError` if it is none."""
    import json

    if len(text) > _MOST_TEXT:
        raise WitnessError(f"the witness has more than {_MOST_TEXT} bytes")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WitnessError(f"the witness is no JSON: {str(error)[:100]}") from None


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is known of one property of one mechanism, and how sure that is.

    ``holds``: True, False or None (unknown or does not apply). ``evidence``: method and counts. ``bound``: for grade
    searched, the statistical statement. ``witness``: for grade refuted.
    """

    property: str
    grade: Grade
    holds: bool | None
    statement: str
    evidence: dict[str, Any]
    bound: str | None = None
    witness: DirectWitness | None = None
    seconds: float = 0.0

    @builtins.property
    def share(self) -> float | None:
        """Upper confidence bound on the share of profiles that break the property, where the search has one."""
        found = self.evidence.get("share")
        return None if found is None else float(found)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form (design: `verify --json`)."""
        return {
            "property": self.property,
            "grade": str(self.grade),
            "holds": self.holds,
            "statement": self.statement,
            "evidence": self.evidence,
            "bound": self.bound,
            "witness": None if self.witness is None else self.witness.to_dict(),
            "seconds": self.seconds,
        }
