"""Options that every command has, worded once, and how a result is written as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marketproof.files.atomic import write_all

Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the result as JSON to FILE.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
FixedSeed = Annotated[
    int, typer.Option("--seed", min=0, help="Accepted by every command; this one draws nothing, so it changes nothing.")
]


def dumps(result: object) -> bytes:
    """Return a result as JSON text for a file: readable, numbers exact to the bit, a newline at the end."""
    import json

    return (json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_json(path: Path | None, result: object) -> None:
    """Write a result to the file that ``--json`` names; nothing where it names none."""
    if path is not None:
        write_all({path: dumps(result)})
