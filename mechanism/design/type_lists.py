"""Finitely many types and how likely they are, as files say it: for a design and for `verify --types`.

A file of types is TOML, or JSON with the same keys::

    [[agents]]                     # one for each agent; a single one serves all
    types = [0, 1, 2]              # of several numbers: [[1, 0.5], [2, 0]], in the order of the mechanism's names
    prior = ["1/2", "1/4", "1/4"]  # default: all equally likely; 0 for a report that is no likely type

    [[joint]]                      # instead of priors: how likely a profile is; those left out have no chance
    types = [0, 2]
    chance = "1/4"

Numbers are integers, decimals or fractions in quotes; all are kept exact.
"""

import itertools
import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mechanism.errors import InputError, MarketProofError, one_line
from mechanism.reading import read_bytes, validated

MOST_TEXT, MOST_AGENTS, MOST_TYPES, MOST_NUMBERS, MOST_PROFILES = 1 << 20, 64, 4096, 128, 1 << 16

_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30}|/[0-9]{0,29}[1-9][0-9]{0,29})?", re.ASCII)


def _exact(value: object) -> Fraction:
    number = None
    if isinstance(value, Fraction):
        number = value
    elif type(value) is int or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        number = Fraction(value)  # the pattern has no exponents: 1e999999999 would be written out
    if number is None or abs(number) > 10**9 or number.denominator > 10**30:
        raise ValueError('expected a number up to a billion, such as 3, 0.25 or "1/3"')
    return number


def at_most(most: int) -> Callable[[object], object]:
    """Return a check that a value is a list of 1 to ``most``."""

    def counted(value: object) -> object:
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            raise ValueError(f"expected a list of 1 to {most}")
        return value

    return counted


def _numbers(value: object) -> tuple[Fraction, ...]:
    """Return a type as its numbers: one stands for itself."""
    return tuple(_exact(x) for x in (at_most(MOST_NUMBERS)(value) if isinstance(value, list) else [value]))  # type: ignore[attr-defined]


Exact = Annotated[Fraction, PlainValidator(_exact)]
Row = tuple[Exact, ...]
Numbers = Annotated[tuple[Fraction, ...], PlainValidator(_numbers)]


class Table(BaseModel):
    """A table of a file: no key but those that are known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Likely(Table):
    """An agent's ``prior`` over its list ``types``, fields of a subclass in the order types, prior; default uniform."""

    @model_validator(mode="before")
    @classmethod
    def _uniform(cls, table: Any) -> Any:
        """Give types without a prior equal chances."""
        if isinstance(table, dict) and "prior" not in table and isinstance(table.get("types"), list):
            count = len(table["types"])
            return table | {"prior": [Fraction(1, max(1, count))] * count}
        return table

    @field_validator("prior", "values", check_fields=False)
    @classmethod
    def _one_for_each_type(cls, rows: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        if len(rows) != len(info.data.get("types", rows)):
            raise ValueError(f"expected a list of {len(info.data['types'])}, one for each type")
        return rows

    @field_validator("prior", check_fields=False)
    @classmethod
    def _sums_to_one(cls, prior: Row) -> Row:
        if min(prior, default=Fraction(0)) < 0 or sum(prior) != 1:
            raise ValueError(f"expected numbers >= 0 that sum to 1, got the sum {str(sum(prior))[:60]}")
        return prior


def chances(agents: Sequence[Sequence[Any]], joint: Sequence[Any]) -> dict[tuple[int, ...], Fraction]:
    """Return the chance of each profile of types, by their positions in the agents' lists.

    `ValueError` if a profile holds no type of an agent, stands twice, or all do not sum to 1.
    """
    places = [{kind: place for place, kind in enumerate(types)} for types in agents]
    found: dict[tuple[int, ...], Fraction] = {}
    for row, one in enumerate(joint):
        if len(one.types) != len(agents):
            raise ValueError(f"joint[{row}].types: expected a list of {len(agents)}, one for each agent")
        missing = [i for i, kind in enumerate(one.types) if kind not in places[i]]
        if missing:
            raise ValueError(f"joint[{row}].types[{missing[0]}]: expected one of the types of that agent")
        profile = tuple(places[i][kind] for i, kind in enumerate(one.types))
        if profile in found or one.chance < 0:
            raise ValueError(f"joint[{row}]: expected each profile once, with a chance >= 0")
        found[profile] = one.chance
    if sum(found.values()) != 1:
        raise ValueError(f"joint: expected chances that sum to 1, got the sum {str(sum(found.values()))[:60]}")
    return found


class AgentTypes(Likely):
    """The types of one agent, each its numbers."""

    types: Annotated[tuple[Numbers, ...], BeforeValidator(at_most(MOST_TYPES))]
    prior: Row


class JointTypes(Table):
    """How likely a profile of types is."""

    types: Annotated[tuple[Numbers, ...], BeforeValidator(at_most(MOST_AGENTS))]
    chance: Exact


class TypesFile(Table):
    """A file of types, read; `for_agents` says what it comes to."""

    agents: Annotated[tuple[AgentTypes, ...], BeforeValidator(at_most(MOST_AGENTS))]
    joint: Annotated[tuple[JointTypes, ...], BeforeValidator(at_most(MOST_PROFILES))] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for k, agent in enumerate(self.agents):
            if len({len(kind) for kind in agent.types}) > 1 or len(set(agent.types)) < len(agent.types):
                raise ValueError(f"agents[{k}].types: expected each type once, all of equally many numbers")
        return self

    def for_agents(self, count: int) -> tuple[list[tuple[tuple[Fraction, ...], ...]], list[Fraction]]:
        """Return the types of so many agents, and the chance of each profile, the last agent's type moving fastest.

        `InputError` if it is for another number of agents, has too many profiles, or its joint chances do not fit.
        """
        if len(self.agents) not in (1, count):
            raise InputError(f"the types are for {len(self.agents)} agents; expected {count}, or one list for all")
        agents = self.agents * count if len(self.agents) < count else self.agents
        lists = [agent.types for agent in agents]
        if (profiles := math.prod(map(len, lists))) > MOST_PROFILES:
            raise InputError(f"the types make {profiles} profiles; expected at most {MOST_PROFILES}")
        every = itertools.product(*(range(len(types)) for types in lists))
        if self.joint is None:
            return lists, [
                math.prod((a.prior[t] for a, t in zip(agents, p, strict=True)), start=Fraction(1)) for p in every
            ]
        try:
            joint = chances(lists, self.joint)
        except ValueError as error:
            raise InputError(f"the types: {error}") from None
        return lists, [joint.get(p, Fraction(0)) for p in every]


def read_types(path: Path) -> TypesFile:
    """Read a file of types.

    `InputError` if the file cannot be read, or at the first key that is missing, unknown, of the wrong kind or out of
    bounds.
    """
    return validated(TypesFile, read_table(path, "a small file of types", error=InputError), one_line(path))


def read_table(path: Path, expected: str, *, error: type[MarketProofError]) -> dict[str, Any]:
    """Return the table in a file, TOML or, by its suffix, JSON, decimals kept exact."""
    content = read_bytes(path, MOST_TEXT, expected, error=error)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise error(f"{one_line(path)} cannot be read: it is no text in UTF-8") from None
    return parse_table(text, one_line(path), error=error, as_json=path.suffix.lower() == ".json")


def parse_table(text: str, source: str, *, error: type[MarketProofError], as_json: bool = False) -> dict[str, Any]:
    """Return the table in a text, decimals kept exact."""
    if len(text) > MOST_TEXT:
        raise error(f"{source} is longer than {MOST_TEXT} characters; expected a small file")
    kind = "JSON" if as_json else "TOML"
    try:
        table = json.loads(text, parse_float=_decimal) if as_json else tomllib.loads(text, parse_float=_decimal)
    except (ValueError, RecursionError) as failed:
        said = (str(failed).splitlines() or [type(failed).__name__])[0][:120]
        raise error(f"{source} is no {kind}: {said}") from None
    if not isinstance(table, Mapping):
        raise error(f"{source} holds no table; expected keys and values")
    return dict(table)


def _decimal(text: str) -> Fraction | str:
    """Keep a decimal of the file exact; what is none (inf, nan, huge exponents) is left for the key's check."""
    mantissa, _, power = text.lower().replace("_", "").partition("e")
    if len(mantissa) > 30 or (power and abs(int(power)) > 12) or "n" in mantissa:
        return text[:40]
    return Fraction(f"{mantissa}e{power or 0}")
