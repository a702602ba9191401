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

    [[joint]]                    # instead of priors: how likely a profile is, those left out have no chance
    types = ["low", "high"]
    chance = "1/4"

    [linear]                     # with objective = "linear" only: weights, default 0
    outcomes = [0, 0, 0]
    payments = [1, 1]
    utilities = [0, 0]

Numbers are integers, decimals or fractions in quotes; all are kept exact.
"""

import math
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, field_validator, model_validator

from mechanism.design.type_lists import Exact, Likely, Row, Table, at_most, chances, parse_table, read_table
from mechanism.errors import MarketProofError
from mechanism.reading import validated

MOST_AGENTS, MOST_TYPES, MOST_OUTCOMES, MOST_UNKNOWNS = 6, 64, 256, 20_000
MOST_NAME = 60


class SpecError(MarketProofError, ValueError):
    """A specification that cannot be read; the message names the key."""


def _named(name: str) -> str:
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise ValueError(f"expected a name of 1 to {MOST_NAME} printable characters")
    return name


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a name stands twice; give each its own")
    return names


Name = Annotated[str, AfterValidator(_named)]
Names = Annotated[tuple[Name, ...], AfterValidator(_distinct)]


class Agent(Likely):
    """Types by name, their ``prior`` (positive, sums to 1, independent of the others), ``values`` [type][outcome]."""

    name: Name
    types: Annotated[Names, BeforeValidator(at_most(MOST_TYPES))]
    prior: Row
    values: tuple[Row, ...]

    @field_validator("prior")
    @classmethod
    def _positive(cls, prior: Row) -> Row:
        if not all(prior):
            raise ValueError("expected positive numbers: leave out types that nobody has")
        return prior


class Joint(Table):
    """How likely a profile of types is, by their names."""

    types: tuple[Name, ...]
    chance: Exact


class Linear(Table):
    """Weights of an objective: money for each outcome, for each agent's payment, for each agent's utility."""

    outcomes: Row
    payments: Row
    utilities: Row


class Spec(Table):
    """A checked specification; the keys are those of the file. ``linear`` is None unless the objective is linear."""

    title: Name = "untitled"
    objective: Literal["revenue", "welfare", "linear"]
    incentive: Literal["dsic", "bic", "none"]
    rationality: Literal["ex-post", "interim", "none"]
    budget: Literal["none", "weak", "exact"] = "none"
    budget_when: Literal["ex-post", "ex-ante"] = "ex-post"
    outcomes: Annotated[Names, BeforeValidator(at_most(MOST_OUTCOMES))]
    agents: Annotated[tuple[Agent, ...], BeforeValidator(at_most(MOST_AGENTS))]
    joint: Annotated[tuple[Joint, ...], BeforeValidator(at_most(MOST_UNKNOWNS))] | None = None
    linear: Linear | None = None

    @cached_property
    def correlated(self) -> dict[tuple[int, ...], Fraction] | None:
        """Chances of the profiles by the types' positions where they are given together, None where by priors."""
        return None if self.joint is None else chances([agent.types for agent in self.agents], self.joint)

    @property
    def profiles(self) -> int:
        """Number of type profiles."""
        return math.prod(len(agent.types) for agent in self.agents)

    @model_validator(mode="before")
    @classmethod
    def _weightless(cls, table: Any) -> Any:
        """Give weights of the objective that are left out the value 0."""
        if not isinstance(table, dict):
            return table
        agents = table.get("agents") if isinstance(table.get("agents"), list) else []
        if table.get("joint") is not None and any(isinstance(a, dict) and "prior" in a for a in agents or ()):
            raise ValueError("joint: give chances of profiles or priors of the agents, not both")
        if not isinstance(table.get("linear"), dict):
            return table
        counts = {"outcomes": "outcomes", "payments": "agents", "utilities": "agents"}
        nothing = {key: [0] * len(table[of]) for key, of in counts.items() if isinstance(table.get(of), list)}
        return table | {"linear": nothing | table["linear"]}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len({agent.name for agent in self.agents}) < len(self.agents):
            raise ValueError("agents: two have the same name; give each its own")
        for i, agent in enumerate(self.agents if self.correlated is not None else ()):
            had = {p[i] for p, share in (self.correlated or {}).items() if share}
            if len(had) < len(agent.types):
                raise ValueError(f"joint: expected a chance for each type; nobody is {agent.name} of some type")
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

    `SpecError` if the file cannot be read or is no specification.
    """
    return _checked(read_table(path, "a small TOML file", error=SpecError))


def parse_spec(text: str) -> Spec:
    """Read a specification from TOML text.

    `SpecError` at a key that is missing, unknown, of the wrong kind or out of bounds.
    """
    return _checked(parse_table(text, "the specification", error=SpecError))


def _checked(table: dict[str, Any]) -> Spec:
    return validated(Spec, table, "the specification", error=SpecError)
