"""Options that every command has, worded once."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the result as JSON to FILE.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
OwnProperties = Annotated[
    list[str] | None,
    typer.Option("--property", metavar="FILE.py:NAME", help="A property of yours that it is about; it is executed."),
]
FixedSeed = Annotated[
    int, typer.Option("--seed", min=0, help="Accepted by every command; this one draws nothing, so it changes nothing.")
]
