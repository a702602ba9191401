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
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from mechanism.errors import MarketProofError

MOST_AGENTS, MOST_TYPES, MOST_OUTCOMES, MOST_UNKNOWNS = 6, 64, 256, 20_000
MOST_TEXT, MOST_NAME = 1 << 20, 60

Row = tuple[Fraction, ...]

_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30}|/[0-9]{0,29}[1-9][0-9]{0,29})?", re.ASCII)

CHOICES: Mapping[str, tuple[str, ...]] = {
    "objective": ("revenue", "welfare", "linear"),
    "incentive": ("dsic", "bic", "none"),
    "rationality": ("ex-post", "interim", "none"),
    "budget": ("none", "weak", "exact"),
    "budget_when": ("ex-post", "ex-ante"),
}
"""What each word of a specification may be."""


class SpecError(MarketProofError, ValueError):
    """A specification that cannot be read; the message names the key."""


@dataclass(frozen=True)
class Agent:
    """Types by name, their ``prior`` (positive, sums to 1, independent of the others), ``values`` [type][outcome]."""

    name: str
    types: tuple[str, ...]
    prior: Row
    values: tuple[Row, ...]


@dataclass(frozen=True)
class Linear:
    """Weights of an objective: money for each outcome, for each agent's payment, for each agent's utility."""

    outcomes: Row
    payments: Row
    utilities: Row


@dataclass(frozen=True)
class Spec:
    """A checked specification; the keys are those of the file. ``linear`` is None unless the objective is linear."""

    title: str
    objective: str
    incentive: str
    rationality: str
    budget: str
    budget_when: str
    outcomes: tuple[str, ...]
    agents: tuple[Agent, ...]
    linear: Linear | None = None

    @property
    def profiles(self) -> int:
        """Number of type profiles."""
        return math.prod(len(agent.types) for agent in self.agents)


def read_spec(path: Path) -> Spec:
    """Read a specification from a file.

    Raises
    ------
    SpecError
        If the file cannot be read or is no specification.
    """
    try:
        if path.stat().st_size > MOST_TEXT:
            raise SpecError(f"{path.name} is larger than {MOST_TEXT} bytes; expected a small TOML file")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path.name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return parse_spec(text)


def parse_spec(text: str) -> Spec:
    """Read a specification from TOML text.

    Raises
    ------
    SpecError
        At the first key that is missing, unknown, of the wrong kind or out of bounds.
    """
    import tomllib

    if len(text) > MOST_TEXT:
        raise SpecError(f"the specification is longer than {MOST_TEXT} characters; expected a small TOML file")
    try:
        table = tomllib.loads(text, parse_float=_decimal)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise SpecError(f"the specification is no TOML: {said}") from None
    defaults = {"title": "untitled", "budget": "none", "budget_when": "ex-post", "linear": None}
    _keys(table, "the specification", [f.name for f in fields(Spec)], optional=tuple(defaults))
    table = {**defaults, **table}
    words = {key: _choice(key, table[key]) for key in CHOICES}
    outcomes = _names(table["outcomes"], "outcomes", MOST_OUTCOMES)
    agents = _sequence(table["agents"], "agents", MOST_AGENTS)
    checked = tuple(_agent(entry, f"agents[{k}]", len(outcomes)) for k, entry in enumerate(agents))
    if len({agent.name for agent in checked}) < len(checked):
        raise SpecError("agents: two have the same name; give each its own")
    if (words["objective"] == "linear") != (table["linear"] is not None):
        raise SpecError('linear: give the table [linear] with objective = "linear", and only then')
    linear = None if table["linear"] is None else _linear(table["linear"], len(outcomes), len(checked))
    spec = Spec(title=_name(table["title"], "title"), outcomes=outcomes, agents=checked, linear=linear, **words)
    if (count := spec.profiles * (len(outcomes) + len(checked))) > MOST_UNKNOWNS:
        raise SpecError(f"agents: {spec.profiles} type profiles make {count} unknowns; at most {MOST_UNKNOWNS}")
    return spec


def _agent(entry: object, key: str, outcomes: int) -> Agent:
    table = _keys(entry, key, [f.name for f in fields(Agent)], optional=("prior",))
    types = _names(table["types"], f"{key}.types", MOST_TYPES)
    count = len(types)
    prior = (Fraction(1, count),) * count
    if "prior" in table:
        prior = _row(table["prior"], f"{key}.prior", count)
    if min(prior) <= 0 or sum(prior) != 1:
        raise SpecError(f"{key}.prior: expected positive numbers that sum to 1, got the sum {_said(sum(prior))}")
    rows = _sequence(table["values"], f"{key}.values", count, count)
    values = tuple(_row(row, f"{key}.values[{k}]", outcomes) for k, row in enumerate(rows))
    return Agent(_name(table["name"], f"{key}.name"), types, prior, values)


def _linear(entry: object, outcomes: int, agents: int) -> Linear:
    counts = {"outcomes": outcomes, "payments": agents, "utilities": agents}
    table = _keys(entry, "linear", list(counts), optional=tuple(counts))
    return Linear(**{key: _row(table.get(key, [0] * n), f"linear.{key}", n) for key, n in counts.items()})


def _keys(entry: object, what: str, names: list[str], optional: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise SpecError(f"{what} is {_said(entry)}; expected a table with {', '.join(names)}")
    for name in entry:
        if name not in names:
            raise SpecError(f"{what}: unknown key {_said(name)}; expected {', '.join(names)}")
    for name in names:
        if name not in entry and name not in optional:
            raise SpecError(f"{what}: the key {name!r} is missing; expected {', '.join(names)}")
    return entry


def _choice(key: str, value: object) -> str:
    if not isinstance(value, str) or value not in CHOICES[key]:
        raise SpecError(f"{key} is {_said(value)}; expected one of {', '.join(CHOICES[key])}")
    return value


def _sequence(value: object, key: str, most: int, least: int = 1) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        found = f"{len(value)} entries" if isinstance(value, list) else _said(value)
        count = str(most) if least == most else f"{least} to {most}"
        raise SpecError(f"{key} is {found}; expected a list of {count}")
    return value


def _name(value: object, key: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MOST_NAME or not value.isprintable():
        raise SpecError(f"{key} is {_said(value)}; expected a name of 1 to {MOST_NAME} printable characters")
    return value


def _names(value: object, key: str, most: int) -> tuple[str, ...]:
    names = tuple(_name(entry, f"{key}[{k}]") for k, entry in enumerate(_sequence(value, key, most)))
    if len(set(names)) < len(names):
        raise SpecError(f"{key}: a name stands twice; give each its own")
    return names


def _row(value: object, key: str, count: int) -> Row:
    return tuple(_number(entry, f"{key}[{k}]") for k, entry in enumerate(_sequence(value, key, count, count)))


def _number(value: object, key: str) -> Fraction:
    number = None
    if isinstance(value, Fraction):
        number = value
    elif type(value) is int or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        number = Fraction(value)  # the pattern has no exponents: 1e999999999 would be written out
    if number is None or abs(number) > 10**9 or number.denominator > 10**30:
        raise SpecError(f'{key} is {_said(value)}; expected a number up to a billion, such as 3, 0.25 or "1/3"')
    return number


def _decimal(text: str) -> Fraction | str:
    """Keep a decimal of the file exact; what is none (inf, nan, huge exponents) is left for the key's check."""
    mantissa, _, power = text.lower().replace("_", "").partition("e")
    if len(mantissa) > 30 or (power and abs(int(power)) > 12) or "n" in mantissa:
        return text[:40]
    return Fraction(f"{mantissa}e{power or 0}")


def _said(value: object) -> str:
    """Return what was found, short and on one line."""
    if isinstance(value, str):
        return repr(value[:40])
    if isinstance(value, int):
        return str(value) if value.bit_length() < 100 else "a very large integer"
    return str(value)[:60] if isinstance(value, Fraction) else f"a {type(value).__name__}"
