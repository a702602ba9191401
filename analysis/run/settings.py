"""Nested settings as flat pairs of a dotted name and a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mechanism.wording import number

_LONGEST = 400


def flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as (dotted name, text) pairs in their order; long texts are cut, nothing is a dash.

    Numbers that are all alike stand once, with how often.
    """
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in flat(inner, f"{prefix}.{key}" if prefix else str(key))]
    if isinstance(value, list):
        items = [_one(v) for v in value]
        same = len(items) > 1 and len(set(items)) == 1
        shown = f"{items[0]} ({len(items)} times)" if same else ", ".join(items)
    else:
        shown = _one(value)
    shown = shown or "–"
    return [(prefix, shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…")]


def _one(value: Any) -> str:
    return "–" if value is None else number(value) if isinstance(value, float) else str(value)
