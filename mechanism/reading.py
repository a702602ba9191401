"""What comes from outside: files read up to a bound, settings checked against a model; every failure is one line."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mechanism.errors import LONGEST_VALUE, InputError, MarketProofError, one_line, shown

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)

LARGEST_TOML = 2**20
"""Bytes of a file of settings."""


def read_bytes(path: Path, most: int, expected: str, *, error: type[MarketProofError] = InputError) -> bytes:
    """Return what a file holds, never reading more than ``most`` + 1 bytes of it (it may be a device without an end).

    ``expected``: what it should have been, as in "a task file"; ``error``: the class that is raised. `InputError` if it
    cannot be read or is larger.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as failed:
        reason = failed.strerror if isinstance(failed, OSError) and failed.strerror else failed
        raise error(f"cannot read {shown(path)}: {reason}; name {expected} that can be read") from None
    if len(content) > most:
        raise error(f"{one_line(path)} is larger than {most // 2**20} MiB; expected {expected}, and no larger")
    return content


def read_toml(path: Path, expected: str, *, error: type[MarketProofError] = InputError) -> dict[str, Any]:
    """Return the table in a TOML file.

    `InputError` as `read_bytes`, and if it is no TOML; the message names the place.
    """
    content = read_bytes(path, LARGEST_TOML, expected, error=error)
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as failed:
        raise error(f"{one_line(path)}: is no TOML ({one_line(failed)[:200]}); correct it there") from None


def read_json(path: Path, most: int, expected: str, *, error: type[MarketProofError] = InputError) -> Any:
    """Return what a JSON file holds.

    `InputError` as `read_bytes`, and if it is no JSON, holds NaN or an infinity, or names a field twice (of which
    readers take this or that).
    """
    content = read_bytes(path, most, expected, error=error)
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=once, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as failed:
        raise error(f"{one_line(path)}: is no JSON ({one_line(failed)[:100]}); expected {expected}") from None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of a JSON object; `ValueError` if one is named twice."""
    table = dict(pairs)
    if len(table) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the field {shown(twice)} is named twice")
    return table


def refuse_constant(token: str) -> float:
    """Raise `ValueError`: what a JSON reader calls at NaN and infinities."""
    raise ValueError(f"{token} is no JSON number")


def validated(
    model: type[Model], values: Mapping[str, Any], source: str, *, error: type[MarketProofError] = InputError
) -> Model:
    """Return values from outside as a pydantic model; ``source`` names them in messages: a file, "options".

    `InputError` at an unknown key, else at the first value that does not fit, with key, value and expectation.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(values)
    except ValidationError as failed:
        every = failed.errors(include_url=False)
        first = next((one for one in every if one["type"] == "extra_forbidden"), every[0])
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).removeprefix(".")
        if first["type"] == "extra_forbidden":
            siblings = _keys(model, first["loc"][:-1])
            known = f"; expected one of {', '.join(siblings)}" if siblings else ""
            raise error(f"{source}: unknown key {shown(key)}{known}") from None
        if first["type"] == "missing":
            raise error(f"{source}: key {shown(key)} is missing; add it") from None
        what = str(first["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
        what = re.sub(r"(Tuple|List) should have (.*) after.*", r"expected \2", what).replace("a valid tuple", "a list")
        given = list(first["input"]) if isinstance(first["input"], tuple) else first["input"]
        told = f"{one_line(key)} is {_found(given)}; " if key else ""
        raise error(f"{source}: {told}{what}") from None


def _found(value: object) -> str:
    """Return what was found, short and on one line."""
    try:
        text = one_line(value if isinstance(value, Fraction) else repr(value))
    except ValueError:  # longer than Python writes integers out
        return "a very large integer"
    return f"{len(value)} entries" if isinstance(value, list) and len(text) > LONGEST_VALUE else text[:LONGEST_VALUE]


def _keys(model: Any, where: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are known at a place in a model: of the one model that the annotations on the way name."""
    for part in where:
        if (field := getattr(model, "model_fields", {}).get(str(part))) is not None:
            model = field.annotation
        while model is not None and not hasattr(model, "model_fields"):
            inner = [part for part in getattr(model, "__args__", ()) if part is not type(None)]
            model = inner[-1] if inner else None
    return list(getattr(model, "model_fields", ()))
