"""Nested settings as flat pairs of a dotted name and a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST = 400


def flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as (dotted name, text) pairs in their order; long texts are cut."""
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in flat(inner, f"{prefix}.{key}" if prefix else str(key))]
    if isinstance(value, list):
        shown = ", ".join(str(v) for v in value)
    else:
        shown = "–" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return [(prefix, shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…")]
