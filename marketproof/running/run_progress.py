"""How far a run is, as ``progress.json`` says it: what is not named there never happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marketproof.errors import InputError, shown

PROGRESS, ROUNDS = "progress.json", ".rounds"


@dataclass
class Progress:
    """How far a run is: complete rounds and seconds per unit, finished units, and where it runs.

    ``backend`` and ``device`` are those of the last unit; ``used`` and ``reasons`` say for each unit which backend did
    its training, and why. ``keys`` names the noise keys of a private run (not the keys themselves), ``notices`` what
    its user was told.
    """

    rounds: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    finished: list[str] = field(default_factory=list)
    backend: str = ""
    device: str = ""
    used: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    keys: str = ""
    notices: list[str] = field(default_factory=list)
    complete: bool = False


def read_progress(folder: Path) -> Progress:
    """Return how far the run in a folder is; `InputError` if the file that says so is damaged, or lost."""
    path = folder / PROGRESS
    if not path.exists():
        if any((folder / name).exists() for name in (ROUNDS, "markets", "models")):
            raise InputError(
                f"{shown(path)} is missing, which says how many of the recorded rounds are complete; put it back, or "
                "run again into a new folder"
            )
        return Progress()
    try:
        if path.stat().st_size > _LONGEST_PROGRESS:
            raise ValueError(f"longer than {_LONGEST_PROGRESS} bytes")
        values: dict[str, Any] = json.loads(path.read_bytes())
        progress = Progress(**values)
        if not all(fits(getattr(progress, name)) for name, fits in _FITS.items()):
            raise ValueError("an entry is of another kind")
    except (ValueError, TypeError, RecursionError):
        raise InputError(f"{shown(path)} is damaged; put the original back, or run again into a new folder") from None
    return progress


_LONGEST_PROGRESS = 2**26
"""Bytes: far more than 10,000 units of which every client was told to stop."""


def _text(value: object) -> bool:
    return isinstance(value, str)


def _table(value: object, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(fits, value.values()))  # JSON has no other keys than text


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100_000


def _duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e12


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


_FITS: dict[str, Callable[[Any], bool]] = {
    "rounds": lambda value: _table(value, _count),
    "seconds": lambda value: _table(value, _duration),
    "finished": _texts,
    "backend": _text,
    "device": _text,
    "used": lambda value: _table(value, _text),
    "reasons": lambda value: _table(value, _text),
    "keys": _text,
    "notices": _texts,
    "complete": lambda value: isinstance(value, bool),
}
"""What each entry of ``progress.json`` must be."""
