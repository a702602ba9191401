"""What is set up in the playground, and its three texts: a table to edit, a link to share, a file to keep.

The fields of `Client` and `PlayState` say what they may hold; what is typed, linked or loaded is checked against that.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from mechanism import Market, MarketProofError, Types
from mechanism.market.gains import LawNumbers, law_numbers, law_of
from mechanism.market.mechanisms import MARKET_ENTRIES

FORMAT = "marketproof-playground-1"
MOST_CLIENTS = 20
MOST_LAMBDA = 1e6
_LARGEST = 1e9
_COLUMNS = ("client", "size", "cost", "gain", "angle")
_PUBLIC = ("differences", "law", "effective")  # what is told only where a run recorded it
_MOST_TEXT = 20_000  # characters of a table, a file or a part of a link: 20 clients and their differences need 9,000


class PlayError(MarketProofError, ValueError):
    """What was typed or loaded is no market; the message says where and how to mend it."""


def _cut(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _from(low: float, high: float) -> BeforeValidator:
    """Return the check of a number, or of text that is one; True and False are none."""

    def number(value: object) -> float:
        try:
            found = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
        except (ValueError, OverflowError):
            found = math.nan
        if not low <= found <= high:
            raise ValueError(f"{_cut(value)} is no number from {low:g} to {high:g}; write one, such as {max(low, 1):g}")
        return found + 0.0

    return BeforeValidator(number)


def _name(value: object) -> str:
    name = str(value).strip()
    if not 0 < len(name) <= 40 or not name.isprintable():
        raise ValueError(f"{_cut(name)} is no name; write 1 to 40 printable characters")
    return name


def _rule(value: str) -> str:
    if value not in MARKET_ENTRIES:
        raise ValueError(f"{_cut(value)} is no rule; expected one of {', '.join(MARKET_ENTRIES)}")
    return value


def _law(value: object) -> LawNumbers:
    return law_numbers(law_of(value))


Amount = Annotated[float, _from(0.0, _LARGEST)]


@dataclass(frozen=True)
class Client:
    """One client: size (samples), cost (money per exported model), gain (the parameter K), angle (degrees).

    The angle stands for the direction of its model: models at angles a and b differ by 1 - cos(a - b), the cosine
    distance of the paper, from 0 (the same) to 2 (opposite).
    """

    name: Annotated[str, BeforeValidator(_name)]
    size: Annotated[float, _from(1e-3, _LARGEST)]
    cost: Amount
    gain: Amount
    angle: Annotated[float, _from(-360.0, 360.0)] = 0.0


EXAMPLE = (Client("buyer", 100.0, 1.0, 3600.0), Client("dear", 300.0, 1.1, 0.0), Client("cheap", 300.0, 1.0, 0.0, 60.0))
"""The worked example of theory.md; the angle matters only once the penalty's weight is above 0."""


@dataclass(frozen=True)
class PlayState:
    """All that the playground shows: the clients, the rule, the penalty's weight, and who reports what cost.

    ``client`` is the index of the one that reports ``report`` (money); everybody else tells the truth. ``differences``
    ``[m][m]``, as a run recorded them, take the place of the clients' angles where they are given. ``law``: a gain law
    that a run measured, in numbers (`mechanism.market.gains.law_numbers`); else the paper's. ``effective`` ``[m][m]``:
    what each model was measured to be worth to each, in samples of the importer; None: the seller's samples.
    """

    clients: Annotated[tuple[Client, ...], Field(min_length=2, max_length=MOST_CLIENTS)] = EXAMPLE
    mechanism: Annotated[str, AfterValidator(_rule)] = "ipfl"
    lam: Annotated[float, _from(0.0, MOST_LAMBDA)] = 0.0
    client: Annotated[int, Field(strict=True, ge=0)] = 1
    report: Amount = 1.1
    differences: tuple[tuple[Annotated[float, _from(0.0, 2.0)], ...], ...] | None = None
    law: Annotated[LawNumbers, BeforeValidator(_law)] = None
    effective: tuple[tuple[Amount, ...], ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the clients, in order."""
        return tuple(c.name for c in self.clients)

    @property
    def truth(self) -> float:
        """Cost of the client that reports, money."""
        return self.clients[self.client].cost

    def types(self) -> Types:
        """Return the true types ``[m]``."""
        return Types(*(np.array([getattr(c, name) for c in self.clients]) for name in ("size", "cost", "gain")))

    def market(self) -> Market:
        """Return what is public: differences ``[m, m]``, recorded or from the angles, their weight, and worths."""
        worth = None if self.effective is None else np.array(self.effective)
        if self.differences is not None:
            return Market(np.array(self.differences), self.lam, law_of(self.law), worth)
        angles = np.radians([c.angle for c in self.clients])
        differences = 1.0 - np.cos(angles[:, None] - angles[None, :])
        np.fill_diagonal(differences, 0.0)
        return Market(differences, self.lam, law_of(self.law), worth)

    def reporting(self, client: int, report: float) -> PlayState:
        """Return the same with another client reporting, or another report."""
        return replace(self, client=client, report=report)


def clients_text(state: PlayState) -> str:
    """Return the clients as the table that `read_clients` reads; without angles where differences are recorded."""
    columns = _COLUMNS if state.differences is None else _COLUMNS[:4]
    rows = [columns, *((c.name, *(f"{getattr(c, column):.12g}" for column in columns[1:])) for c in state.clients)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def read_clients(text: str) -> tuple[Client, ...]:
    """Read a table ``client,size,cost,gain`` (and ``angle``, if it is there), one client a line.

    `PlayError` if a column, a name or a number is missing or wrong; the message names the line and what was expected.
    """
    if len(text) > _MOST_TEXT:
        raise PlayError(f"the table has more than {_MOST_TEXT} characters; expected at most {MOST_CLIENTS} clients")
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if row]
    except csv.Error as error:
        raise PlayError(f"this is no table: {error}") from None
    header = tuple(name.lower() for name in rows[0]) if rows else ()
    if not set(_COLUMNS[:4]) <= set(header) or not set(header) <= set(_COLUMNS) or len(set(header)) != len(header):
        raise PlayError(
            f"line 1 is {_cut(','.join(header))}; write the header client,size,cost,gain, and ,angle if you like"
        )
    if not 2 <= len(rows) - 1 <= MOST_CLIENTS:
        raise PlayError(f"the table holds {len(rows) - 1} clients; expected 2 to {MOST_CLIENTS}, one a line")
    clients = []
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise PlayError(f"line {line} has {len(row)} entries; expected {len(header)}: {','.join(header)}")
        clients.append(_read(_CLIENT, _named(dict(zip(header, row, strict=True))), f"line {line}"))
    _distinct(clients)
    return tuple(clients)


Kind = TypeVar("Kind")
_CLIENT, _STATE = TypeAdapter(Client), TypeAdapter(PlayState)


def _read(kind: TypeAdapter[Kind], values: Mapping[str, Any], source: str) -> Kind:
    """Return what values from outside make, or say in one line which is wrong; ``source`` is where they come from."""
    try:
        return kind.validate_python(values)
    except ValidationError as failed:
        first = failed.errors(include_url=False)[0]
        said = str(first["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
        place = [str(part + 1) if isinstance(part, int) else part for part in first["loc"] if part != "name"]
        raise PlayError(f"{', '.join([source, *place])}: {said}") from None


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a table with its client's name under the name of the field."""
    return {"name" if key == "client" else key: value for key, value in row.items()}


def _distinct(clients: Sequence[Client]) -> None:
    names = [c.name for c in clients]
    for name in names:
        if names.count(name) > 1:
            raise PlayError(f"{_cut(name)} stands twice; name each client once")


def _state(values: Mapping[str, Any], source: str) -> PlayState:
    """Return the state that values from outside make, if they go together."""
    state = _read(_STATE, values, source)
    _distinct(state.clients)
    count = len(state.clients)
    if state.client >= count:
        raise PlayError(f"client of {source} is {state.client}; expected 0 to {count - 1}")
    for name, matrix, most in (
        ("differences", state.differences, "2"),
        ("effective", state.effective, f"{_LARGEST:g}"),
    ):
        if matrix is not None and not (
            len(matrix) == count and all(len(row) == count and row[k] == 0.0 for k, row in enumerate(matrix))
        ):
            raise PlayError(f"{name}: expected {count} rows of {count} numbers from 0 to {most}, 0 on the diagonal")
    return state


def to_query(state: PlayState) -> dict[str, str]:
    """Return the state as query parameters of a link."""
    fields = [(c.name, *(f"{x:.12g}" for x in (c.size, c.cost, c.gain, c.angle))) for c in state.clients]
    query = {
        "clients": json.dumps(fields, separators=(",", ":"), ensure_ascii=False),
        "rule": state.mechanism,
        "lambda": f"{state.lam:.12g}",
        "who": state.clients[state.client].name,
        "says": f"{state.report:.12g}",
    }
    given = {name: getattr(state, name) for name in _PUBLIC}
    return query | {name: json.dumps(v, separators=(",", ":")) for name, v in given.items() if v is not None}


def from_query(query: Mapping[str, Any]) -> PlayState:
    """Read query parameters; what is not given is as in the worked example.

    `PlayError` if a parameter is given and wrong.
    """
    keys = {"rule": "mechanism", "lambda": "lam", "says": "report"}
    values: dict[str, Any] = {keys[word]: query[word] for word in keys if query.get(word)}
    values |= {key: _parsed(str(query[key]), f"{key} of the link") for key in _PUBLIC if query.get(key)}
    if query.get("clients"):
        rows = _parsed(str(query["clients"]), "clients of the link")
        if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 5 for row in rows):
            raise PlayError("clients of the link: expected a list of [name, size, cost, gain, angle]")
        values["clients"] = [_named(dict(zip(_COLUMNS, row, strict=True))) for row in rows]
    state = _state({"client": 0} | values, "the link")
    who = query.get("who") or state.names[min(PlayState.client, len(state.names) - 1)]
    if who not in state.names:
        raise PlayError(f"who of the link is {_cut(who)}; expected one of {_cut(', '.join(state.names))}")
    client = state.names.index(str(who))
    return state.reporting(client, state.report if "report" in values else state.clients[client].cost)


def to_json(state: PlayState) -> str:
    """Return the state as a file."""
    return json.dumps({"format": FORMAT, **asdict(state)}, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> PlayState:
    """Read a file written by `to_json`.

    `PlayError` if it is none.
    """
    data = _parsed(text, "the file")
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise PlayError(f"the file is none of the playground's; expected JSON with the format {FORMAT!r}")
    missing = {field.name for field in fields(PlayState)} - data.keys() - set(_PUBLIC)
    if missing:
        raise PlayError(f"the file lacks {', '.join(sorted(missing))}; save it from the playground again")
    return _state(data, "the file")


def _parsed(text: str, what: str) -> Any:
    if len(text) > _MOST_TEXT:
        raise PlayError(f"{what}: more than {_MOST_TEXT} characters")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise PlayError(f"{what}: no JSON; was it cut when it was copied?") from None
