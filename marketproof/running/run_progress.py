"""How far a run is, as ``progress.json`` says it: what is not named there never happened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from marketproof.errors import InputError, shown

PROGRESS, ROUNDS = "progress.json", ".rounds"

_LONGEST_PROGRESS = 2**26
"""Bytes: far more than 10,000 units of which every client was told to stop."""


class Progress(BaseModel):
    """How far a run is: complete rounds and seconds per unit, finished units, and where it runs.

    ``backend`` and ``device`` are those of the last unit; ``used`` and ``reasons`` say for each unit which backend did
    its training, and why. ``keys`` names the noise keys of a private run (not the keys themselves), ``notices`` what
    its user was told.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    rounds: dict[str, Annotated[int, Field(ge=0, le=100_000)]] = {}
    seconds: dict[str, Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]] = {}
    finished: list[str] = []
    backend: str = ""
    device: str = ""
    used: dict[str, str] = {}
    reasons: dict[str, str] = {}
    keys: str = ""
    notices: list[str] = []
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
        return Progress.model_validate_json(path.read_bytes())
    except ValueError:  # a ValidationError is one
        raise InputError(f"{shown(path)} is damaged; put the original back, or run again into a new folder") from None
