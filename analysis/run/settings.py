"""Nested settings as flat pairs of a dotted name and a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mechanism.wording import number

_LONGEST = 400


def dotted(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted names, in their order."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= dotted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return each dotted setting that is another one now, as ``name: before -> now``."""
    names = sorted({*before, *now})
    return [f"{name}: {before.get(name)} -> {now.get(name)}" for name in names if before.get(name) != now.get(name)]


def flat(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return nested settings as (dotted name, text) pairs in their order; long texts are cut, nothing is a dash.

    Numbers that are all alike stand once, with how often.
    """
    return [(name, _shown(value)) for name, value in dotted(values).items()]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        items = [_one(v) for v in value]
        same = len(items) > 1 and len(set(items)) == 1
        text = f"{items[0]} ({len(items)} times)" if same else ", ".join(items)
    else:
        text = _one(value)
    return (text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…") or "–"


def _one(value: Any) -> str:
    return "–" if value is None else number(value) if isinstance(value, float) else str(value)
