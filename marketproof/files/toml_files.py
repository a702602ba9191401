"""Settings as TOML: read with bounds, written so that they read back the same."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marketproof.errors import InputError, one_line, shown

_LARGEST = 2**20


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it cannot be read or is no TOML; the message names the place.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise InputError(f"{one_line(path)}: larger than {_LARGEST // 2**20} MiB; expected a task file")
        return tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{one_line(path)}: is no TOML ({one_line(error)}); correct it there") from None
    except OSError as error:
        raise InputError(f"cannot read {shown(path)}: {error.strerror or error}; name a readable .toml file") from None


def to_toml(values: Mapping[str, Any]) -> str:
    """Return settings (numbers, text, lists of them, one level of sections) as TOML that reads back the same."""

    def text(value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list | tuple):
            return "[" + ", ".join(text(item) for item in value) + "]"
        return json.dumps(value, ensure_ascii=True) if isinstance(value, str) else repr(value)

    plain = [f"{key} = {text(value)}" for key, value in values.items() if not isinstance(value, Mapping)]
    sections = [
        "\n".join([f"\n[{key}]", *(f"{inner} = {text(item)}" for inner, item in value.items())])
        for key, value in values.items()
        if isinstance(value, Mapping)
    ]
    return "\n".join([*plain, *sections]) + "\n"
