"""Settings written as TOML, so that they read back the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


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
