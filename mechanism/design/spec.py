"""What is asked of a designed mechanism: agents' finite types, outcomes, promises to keep, and an objective.

A specification is a TOML file::

    title = "one item, two bidders"
    objective = "revenue"        # revenue | welfare | linear
    incentive = "bic"            # dsic | bic | none
    rationality = "interim"      # ex-post | interim | none
    budget = "none"              # none | weak | exact
    budget_when = "ex-post"      # ex-post | ex-ante
    outcomes = ["kept", "to 1", "to 2"]

    [[agents]]
    name = "1"
    types = ["low", "high"]
    prior = ["1/2", "1/2"]       # default: uniform
    values = [[0, 1, 0], [0, 2, 0]]   # a row for each type, money for each outcome

    [linear]                     # with objective = "linear" only: weights, default 0
    outcomes = [0, 0, 0]
    payments = [1, 1]
    utilities = [0, 0]

Numbers are integers, decimals or fractions in quotes; all are kept exact.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mechanism.errors import MarketProofError, one_line
from mechanism.reading import read_bytes, validated

MOST_AGENTS, MOST_TYPES, MOST_OUTCOMES, MOST_UNKNOWNS = 6, 64, 256, 20_000
MOST_TEXT, MOST_NAME = 1 << 20, 60

_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30}|/[0-9]{0,29}[1-9][0-9]{0,29})?", re.ASCII)


class SpecError(MarketProofError, ValueError):
    """A specification that cannot be read; the message names the key."""


def _exact(value: object) -> Fraction:
    number = None
    if isinstance(value, Fraction):
        number = value
    elif type(value) is int or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        number = Fraction(value)  # the pattern has no exponents: 1e999999999 would be written out
    if number is None or abs(number) > 10**9 or number.denominator > 10**30:
        raise ValueError('expected a number up to a billion, such as 3, 0.25 or "1/3"')
    return number


def _named(name: str) -> str:
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise ValueError(f"expected a name of 1 to {MOST_NAME} printable characters")
    return name


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a name stands twice; give each its own")
    return names


def _at_most(most: int) -> Callable[[object], object]:
    def counted(value: object) -> object:
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            raise ValueError(f"expected a list of 1 to {most}")
        return value

    return counted


Row = tuple[Annotated[Fraction, PlainValidator(_exact)], ...]
Name = Annotated[str, AfterValidator(_named)]
Names = Annotated[tuple[Name, ...], AfterValidator(_distinct)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Agent(_Table):
    """Types by name, their ``prior`` (positive, sums to 1, independent of the others), ``values`` [type][outcome]."""

    name: Name
    types: Annotated[Names, BeforeValidator(_at_most(MOST_TYPES))]
    prior: Row
    values: tuple[Row, ...]

    @model_validator(mode="before")
    @classmethod
    def _uniform(cls, table: Any) -> Any:
        """Give types without a prior equal chances."""
        if isinstance(table, dict) and "prior" not in table and isinstance(table.get("types"), list):
            count = len(table["types"])
            return table | {"prior": [Fraction(1, max(1, count))] * count}
        return table

    @field_validator("prior", "values")
    @classmethod
    def _one_for_each_type(cls, rows: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        if len(rows) != len(info.data.get("types", rows)):
            raise ValueError(f"expected a list of {len(info.data['types'])}, one for each type")
        return rows

    @field_validator("prior")
    @classmethod
    def _sums_to_one(cls, prior: Row) -> Row:
        if min(prior, default=0) <= 0 or sum(prior) != 1:
            raise ValueError(f"expected positive numbers that sum to 1, got the sum {str(sum(prior))[:60]}")
        return prior


class Linear(_Table):
    """Weights of an objective: money for each outcome, for each agent's payment, for each agent's utility."""

    outcomes: Row
    payments: Row
    utilities: Row


class Spec(_Table):
    """A checked specification; the keys are those of the file. ``linear`` is None unless the objective is linear."""

    title: Name = "untitled"
    objective: Literal["revenue", "welfare", "linear"]
    incentive: Literal["dsic", "bic", "none"]
    rationality: Literal["ex-post", "interim", "none"]
    budget: Literal["none", "weak", "exact"] = "none"
    budget_when: Literal["ex-post", "ex-ante"] = "ex-post"
    outcomes: Annotated[Names, BeforeValidator(_at_most(MOST_OUTCOMES))]
    agents: Annotated[tuple[Agent, ...], BeforeValidator(_at_most(MOST_AGENTS))]
    linear: Linear | None = None

    @property
    def profiles(self) -> int:
        """Number of type profiles."""
        return math.prod(len(agent.types) for agent in self.agents)

    @model_validator(mode="before")
    @classmethod
    def _weightless(cls, table: Any) -> Any:
        """Give weights of the objective that are left out the value 0."""
        if not isinstance(table, dict) or not isinstance(table.get("linear"), dict):
            return table
        counts = {"outcomes": "outcomes", "payments": "agents", "utilities": "agents"}
        nothing = {key: [0] * len(table[of]) for key, of in counts.items() if isinstance(table.get(of), list)}
        return table | {"linear": nothing | table["linear"]}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len({agent.name for agent in self.agents}) < len(self.agents):
            raise ValueError("agents: two have the same name; give each its own")
        outcomes, agents = len(self.outcomes), len(self.agents)
        for k, agent in enumerate(self.agents):
            for row, values in enumerate(agent.values):
                if len(values) != outcomes:
                    raise ValueError(f"agents[{k}].values[{row}]: expected a list of {outcomes}, one for each outcome")
        if (self.objective == "linear") != (self.linear is not None):
            raise ValueError('linear: give the table [linear] with objective = "linear", and only then')
        for key, count in (("outcomes", outcomes), ("payments", agents), ("utilities", agents)):
            if self.linear is not None and len(getattr(self.linear, key)) != count:
                raise ValueError(f"linear.{key}: expected a list of {count}")
        if (count := self.profiles * (outcomes + agents)) > MOST_UNKNOWNS:
            raise ValueError(f"agents: {self.profiles} type profiles make {count} unknowns; at most {MOST_UNKNOWNS}")
        return self


def read_spec(path: Path) -> Spec:
    """Read a specification from a file.

    Raises
    ------
    SpecError
        If the file cannot be read or is no specification.
    """
    content = read_bytes(path, MOST_TEXT, "a small TOML file", error=SpecError)
    try:
        return parse_spec(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise SpecError(f"{one_line(path)} cannot be read: it is no text in UTF-8") from None


def parse_spec(text: str) -> Spec:
    """Read a specification from TOML text.

    Raises
    ------
    SpecError
        At a key that is missing, unknown, of the wrong kind or out of bounds.
    """
    if len(text) > MOST_TEXT:
        raise SpecError(f"the specification is longer than {MOST_TEXT} characters; expected a small TOML file")
    try:
        table = tomllib.loads(text, parse_float=_decimal)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise SpecError(f"the specification is no TOML: {said}") from None
    return validated(Spec, table, "the specification", error=SpecError)


def _decimal(text: str) -> Fraction | str:
    """Keep a decimal of the file exact; what is none (inf, nan, huge exponents) is left for the key's check."""
    mantissa, _, power = text.lower().replace("_", "").partition("e")
    if len(mantissa) > 30 or (power and abs(int(power)) > 12) or "n" in mantissa:
        return text[:40]
    return Fraction(f"{mantissa}e{power or 0}")
