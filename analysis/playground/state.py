"""What is set up in the playground, and its three texts: a table to edit, a link to share, a file to keep."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from mechanism import Market, MarketProofError, Types
from mechanism.market.gains import LawNumbers, law_numbers, law_of
from mechanism.market.mechanisms import MARKET_ENTRIES

FORMAT = "marketproof-playground-1"
MOST_CLIENTS = 20
MOST_LAMBDA = 1e6
_LARGEST = 1e9
_COLUMNS = ("client", "size", "cost", "gain", "angle")
_MOST_TEXT = 20_000  # characters of a table, a file or a part of a link: 20 clients and their differences need 9,000


class PlayError(MarketProofError, ValueError):
    """What was typed or loaded is no market; the message says where and how to mend it."""


@dataclass(frozen=True)
class Client:
    """One client: size (samples), cost (money per exported model), gain (the parameter K), angle (degrees).

    The angle stands for the direction of its model: models at angles a and b differ by 1 - cos(a - b), the cosine
    distance of the paper, from 0 (the same) to 2 (opposite).
    """

    name: str
    size: float
    cost: float
    gain: float
    angle: float = 0.0


EXAMPLE = (
    Client("buyer", 100.0, 1.0, 3600.0),
    Client("dear", 300.0, 1.1, 0.0),
    Client("cheap", 300.0, 1.0, 0.0, 60.0),
)
"""The worked example of theory.md; the angle matters only once the penalty's weight is above 0."""


@dataclass(frozen=True)
class PlayState:
    """All that the playground shows: the clients, the rule, the penalty's weight, and who reports what cost.

    ``client`` is the index of the one that reports ``report`` (money); everybody else tells the truth. ``differences``
    ``[m][m]``, as a run recorded them, take the place of the clients' angles where they are given. ``law``: a gain law
    that a run measured, in numbers (`mechanism.market.gains.law_numbers`); else the
    paper's.
    """

    clients: tuple[Client, ...] = EXAMPLE
    mechanism: str = "ipfl"
    lam: float = 0.0
    client: int = 1
    report: float = 1.1
    differences: tuple[tuple[float, ...], ...] | None = None
    law: LawNumbers = None

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
        """Return what is public: differences ``[m, m]``, recorded or from the angles, and their penalty's weight."""
        if self.differences is not None:
            return Market(np.array(self.differences), self.lam, law_of(self.law))
        angles = np.radians([c.angle for c in self.clients])
        differences = 1.0 - np.cos(angles[:, None] - angles[None, :])
        np.fill_diagonal(differences, 0.0)
        return Market(differences, self.lam, law_of(self.law))

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

    Raises
    ------
    PlayError
        If a column, a name or a number is missing or wrong; the message names the line and what was expected.
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
        clients.append(_client(dict(zip(header, row, strict=True)), f"line {line}"))
    return _distinct(clients)


def _client(entry: Mapping[str, Any], place: str) -> Client:
    name = str(entry.get("client", entry.get("name", ""))).strip()
    if not 0 < len(name) <= 40 or not name.isprintable():
        raise PlayError(f"{place}: {_cut(name)} is no name; write 1 to 40 printable characters")
    numbers = {}
    for column, low, high in (
        ("size", 1e-3, _LARGEST),
        ("cost", 0, _LARGEST),
        ("gain", 0, _LARGEST),
        ("angle", -360, 360),
    ):
        numbers[column] = _number(entry.get(column, 0.0), f"{place}, {column}", low, high)
    return Client(name, **numbers)


def _distinct(clients: list[Client]) -> tuple[Client, ...]:
    names = [c.name for c in clients]
    for name in names:
        if names.count(name) > 1:
            raise PlayError(f"{_cut(name)} stands twice; name each client once")
    return tuple(clients)


def _number(value: object, place: str, low: float, high: float) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high:
        raise PlayError(
            f"{place}: {_cut(value)} is no number from {low:g} to {high:g}; write one, such as {max(low, 1):g}"
        )
    return number + 0.0


def _cut(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")


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
    if state.differences is not None:
        query["differences"] = json.dumps(state.differences, separators=(",", ":"))
    if state.law is not None:
        query["law"] = json.dumps(state.law, separators=(",", ":"))
    return query


def from_query(query: Mapping[str, Any]) -> PlayState:
    """Read query parameters; what is not given is as in the worked example.

    Raises
    ------
    PlayError
        If a parameter is given and wrong.
    """
    state = PlayState()
    if query.get("clients"):
        rows = _parsed(str(query["clients"]), "clients of the link")
        if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 5 for row in rows):
            raise PlayError("clients of the link: expected a list of [name, size, cost, gain, angle]")
        state = _with_clients(state, [dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    who = query.get("who")
    index = state.names.index(str(who)) if who in state.names else min(state.client, len(state.clients) - 1)
    if who and who not in state.names:
        raise PlayError(f"who of the link is {_cut(who)}; expected one of {_cut(', '.join(state.names))}")
    if query.get("differences"):
        matrix = _differences(_parsed(str(query["differences"]), "differences of the link"), len(state.clients))
        state = replace(state, differences=matrix)
    if query.get("law"):
        state = replace(state, law=_law(_parsed(str(query["law"]), "law of the link")))
    report = query.get("says") or state.clients[index].cost
    return _checked(state, query.get("rule") or state.mechanism, query.get("lambda") or 0.0, index, report)


def to_json(state: PlayState) -> str:
    """Return the state as a file."""
    return json.dumps({"format": FORMAT, **asdict(state)}, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> PlayState:
    """Read a file written by `to_json`.

    Raises
    ------
    PlayError
        If it is none.
    """
    data = _parsed(text, "the file")
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise PlayError(f"the file is none of the playground's; expected JSON with the format {FORMAT!r}")
    rows = data.get("clients")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PlayError("clients of the file: expected a list of tables with name, size, cost, gain and angle")
    state = _with_clients(PlayState(), rows)
    client = data.get("client")
    if type(client) is not int or not 0 <= client < len(state.clients):
        raise PlayError(f"client of the file is {_cut(client)}; expected 0 to {len(state.clients) - 1}")
    state = replace(
        state, differences=_differences(data.get("differences"), len(state.clients)), law=_law(data.get("law"))
    )
    return _checked(state, data.get("mechanism"), data.get("lam"), client, data.get("report"))


def _differences(value: object, clients: int) -> tuple[tuple[float, ...], ...] | None:
    if value is None:
        return None
    expected = f"expected {clients} rows of {clients} numbers from 0 to 2, 0 on the diagonal"
    if not (isinstance(value, list) and len(value) == clients):
        raise PlayError(f"differences: {expected}")
    rows = []
    for i, row in enumerate(value):
        if not (isinstance(row, list) and len(row) == clients):
            raise PlayError(f"differences, row {i + 1}: {expected}")
        rows.append(
            tuple(_number(d, f"differences, row {i + 1}", 0.0, 0.0 if j == i else 2.0) for j, d in enumerate(row))
        )
    return tuple(rows)


def _law(value: object) -> LawNumbers:
    try:
        return law_numbers(law_of(value))
    except MarketProofError as error:
        raise PlayError(f"law: {error}") from None


def _parsed(text: str, what: str) -> Any:
    if len(text) > _MOST_TEXT:
        raise PlayError(f"{what}: more than {_MOST_TEXT} characters")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise PlayError(f"{what}: no JSON; was it cut when it was copied?") from None


def _with_clients(state: PlayState, rows: list[dict[str, Any]]) -> PlayState:
    if not 2 <= len(rows) <= MOST_CLIENTS:
        raise PlayError(f"there are {len(rows)} clients; expected 2 to {MOST_CLIENTS}")
    clients = _distinct([_client(row, f"client {k + 1}") for k, row in enumerate(rows)])
    return replace(state, clients=clients, client=min(state.client, len(clients) - 1))


def _checked(state: PlayState, mechanism: object, lam: object, client: int, report: object) -> PlayState:
    if not isinstance(mechanism, str) or mechanism not in MARKET_ENTRIES:
        raise PlayError(f"the rule is {_cut(mechanism)}; expected one of {', '.join(MARKET_ENTRIES)}")
    weight = _number(lam, "lambda", 0.0, MOST_LAMBDA)
    said = _number(report, "the report", 0.0, _LARGEST)
    return replace(state, mechanism=mechanism, lam=weight, client=client, report=said)
