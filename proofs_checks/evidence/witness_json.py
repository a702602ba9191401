"""Witnesses as JSON: written to the bit, read with suspicion."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from mechanism.errors import MarketProofError
from mechanism.market.clients import LARGEST
from mechanism.market.gains import GainLaw, PowerGain, SqrtGain, TableGain
from proofs_checks.errors import WitnessError
from proofs_checks.evidence.market_witness import Deviation, Sales, Witness

FORMAT = "marketproof-witness-1"

MOST_TEXT = 16 * 2**20
MOST_CLIENTS = 1000
MOST_KNOTS = 10_000
MOST_NAME = 100
MOST_MONEY = 1e30

_FIELDS = (
    *("format", "property", "mechanism", "size", "cost", "gain", "differences", "lam", "law"),
    *("deviations", "utility_before", "utility_after", "before", "after"),
)


def encode(witness: Witness) -> dict[str, Any]:
    """Return the witness as plain lists, numbers and strings."""
    return {
        "format": FORMAT,
        "property": witness.property,
        "mechanism": witness.mechanism,
        "size": list(witness.size),
        "cost": list(witness.cost),
        "gain": list(witness.gain),
        "differences": None if witness.differences is None else [list(row) for row in witness.differences],
        "lam": witness.lam,
        "law": _encode_law(witness.law),
        "deviations": [
            {"client": d.client, "coordinate": d.coordinate, "report": d.report} for d in witness.deviations
        ],
        "utility_before": list(witness.utility_before),
        "utility_after": list(witness.utility_after),
        "before": _encode_sales(witness.before),
        "after": _encode_sales(witness.after),
    }


def decode(text: str | bytes | Mapping[str, Any]) -> Witness:
    """Return the witness in a JSON text or its dictionary; `WitnessError` for anything that is not one."""
    data = _table(text if isinstance(text, Mapping) else _parse(text), "the witness", _FIELDS)
    if data["format"] != FORMAT:
        raise WitnessError(f"the witness has format {_cut(data['format'])}; expected {FORMAT!r}")
    size = _row(data["size"], "size", None)
    m = len(size)
    d = data["differences"]
    witness = Witness(
        property=_name(data["property"], "property"),
        mechanism=_name(data["mechanism"], "mechanism"),
        size=size,
        cost=_row(data["cost"], "cost", m),
        gain=_row(data["gain"], "gain", m),
        differences=None if d is None else tuple(_row(r, "differences", m) for r in _list(d, "differences", m, m)),
        lam=_number(data["lam"], "lam", 0.0, LARGEST),
        law=_decode_law(data["law"]),
        deviations=tuple(_deviation(x, m) for x in _list(data["deviations"], "deviations", 0, 3 * m)),
        utility_before=_row(data["utility_before"], "utility_before", m),
        utility_after=_row(data["utility_after"], "utility_after", m),
        before=_decode_sales(data["before"], "before", m),
        after=_decode_sales(data["after"], "after", m),
    )
    try:  # the domain itself is checked where it is defined
        _ = witness.types, witness.market
    except MarketProofError as error:
        raise WitnessError(f"the witness holds no market: {error}") from None
    spoken = {(x.client, x.coordinate) for x in witness.deviations}
    if len(spoken) < len(witness.deviations):
        raise WitnessError("the witness lets a client report one coordinate twice; expected one report each")
    return witness


def _parse(text: str | bytes) -> Any:
    if len(text) > MOST_TEXT:
        raise WitnessError(f"the witness is longer than {MOST_TEXT} characters; expected a small JSON object")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except WitnessError:
        raise
    except (ValueError, RecursionError) as error:  # decoding errors are ValueErrors too
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise WitnessError(f"the witness is no JSON ({said}); expected one object written by marketproof") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise WitnessError("the witness names a field twice; expected each once")
    return table


def _no_constant(name: str) -> float:
    raise WitnessError(f"the witness holds {name}; expected finite numbers")


def _cut(value: object) -> str:
    """Return what was found, short and on one line."""
    if isinstance(value, str):
        return repr(value[:40])
    if isinstance(value, bool | int | float) and abs(value) < 1e300:
        return repr(value)[:40]
    return type(value).__name__


def _table(value: object, what: str, fields: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WitnessError(f"{what} is {_cut(value)}; expected an object with {', '.join(fields)}")
    missing = [name for name in fields if name not in value]
    unknown = [name for name in value if name not in fields]
    if missing or unknown:
        wrong = f"lacks {missing[0]!r}" if missing else f"has the unknown field {_cut(unknown[0])}"
        raise WitnessError(f"{what} {wrong}; expected exactly {', '.join(fields)}")
    return value


def _list(value: object, what: str, least: int, most: int) -> list[Any]:
    if not isinstance(value, list | tuple) or not least <= len(value) <= most:
        found = f"{len(value)} entries" if isinstance(value, list | tuple) else _cut(value)
        raise WitnessError(f"{what} is {found}; expected a list of {least} to {most}")
    return list(value)


def _number(value: object, what: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise WitnessError(f"{what} holds {_cut(value)}; expected a number from {low:g} to {high:g}")
    return float(value)


def _index(value: object, what: str, m: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < m:
        raise WitnessError(f"{what} names client {_cut(value)}; expected an integer from 0 to {m - 1}")
    return value


def _row(value: object, what: str, m: int | None) -> tuple[float, ...]:
    entries = _list(value, what, 1 if m is None else m, MOST_CLIENTS if m is None else m)
    return tuple(_number(x, what, -MOST_MONEY, MOST_MONEY) for x in entries)


def _name(value: object, what: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MOST_NAME or not value.isprintable():
        raise WitnessError(f"{what} is {_cut(value)}; expected a name of at most {MOST_NAME} printable characters")
    return value


def _deviation(value: object, m: int) -> Deviation:
    table = _table(value, "a deviation", ("client", "coordinate", "report"))
    coordinate = table["coordinate"]
    if coordinate not in ("cost", "gain", "size"):
        raise WitnessError(f"a deviation is in {_cut(coordinate)}; expected cost, gain or size")
    report = _number(table["report"], "a report", 0.0, LARGEST)
    if coordinate == "size" and report == 0.0:
        raise WitnessError("a deviation reports size 0; expected a size > 0")
    return Deviation(_index(table["client"], "a deviation", m), coordinate, report)


def _encode_sales(sales: Sales) -> dict[str, Any]:
    return {"sales": [list(sale) for sale in sales.sales], "centre": list(sales.centre)}


def _decode_sales(value: object, what: str, m: int) -> Sales:
    table = _table(value, what, ("sales", "centre"))
    sales = []
    for entry in _list(table["sales"], f"{what}.sales", 0, m * (m - 1)):
        i, j, price = _list(entry, f"a sale of {what}", 3, 3)
        i, j = _index(i, f"a sale of {what}", m), _index(j, f"a sale of {what}", m)
        if i == j:
            raise WitnessError(f"a sale of {what} is from client {i} to itself; expected two clients")
        sales.append((i, j, _number(price, f"a price of {what}", -MOST_MONEY, MOST_MONEY)))
    if len({(i, j) for i, j, _ in sales}) < len(sales):
        raise WitnessError(f"{what} holds a sale twice; expected each once")
    return Sales(tuple(sales), _row(table["centre"], f"{what}.centre", m))


def _encode_law(law: GainLaw) -> dict[str, Any]:
    if isinstance(law, SqrtGain):
        return {"name": "sqrt"}
    if isinstance(law, PowerGain):
        return {"name": "power", "exponent": law.exponent}
    if isinstance(law, TableGain):
        return {"name": "table", "samples": list(law.samples), "values": list(law.values)}
    raise WitnessError(f"the gain law {law.name!r} cannot be written; expected sqrt, power or table")


def _power(value: object) -> GainLaw:
    exponent = _table(value, "law", ("name", "exponent"))["exponent"]
    return PowerGain(_number(exponent, "law.exponent", math.ulp(0.0), 1.0))


def _measured(value: object) -> GainLaw:
    table = _table(value, "law", ("name", "samples", "values"))
    columns = []
    for name in ("samples", "values"):
        entries = _list(table[name], f"law.{name}", 2, MOST_KNOTS)
        columns.append(tuple(_number(x, f"law.{name}", -MOST_MONEY, MOST_MONEY) for x in entries))
    try:
        return TableGain(columns[0], columns[1])
    except MarketProofError as error:
        raise WitnessError(f"the witness holds no gain law: {error}") from None


def _sqrt(value: object) -> GainLaw:
    _table(value, "law", ("name",))
    return SqrtGain()


_LAWS: dict[str, Callable[[object], GainLaw]] = {"sqrt": _sqrt, "power": _power, "table": _measured}


def _decode_law(value: object) -> GainLaw:
    name = value.get("name") if isinstance(value, Mapping) else None
    if not isinstance(name, str) or name not in _LAWS:
        raise WitnessError(f"law is {_cut(name)}; expected an object with the name {', '.join(_LAWS)}")
    return _LAWS[name](value)
