"""How options and arguments are declared, and those that several commands have, worded once."""

from pathlib import Path
from typing import Annotated, Any

import typer


def option(metavar: str | None, help: str, *names: str, **more: Any) -> Any:
    """Declare an option that takes a value, called ``metavar``; ``names`` where it is not called as the parameter."""
    return typer.Option(*names, metavar=metavar, help=help, **more)


def flag(help: str, *names: str) -> Any:
    """Declare an option that takes no value, by its names, so that there is no opposite of it."""
    return typer.Option(*names, help=help)


def argument(metavar: str, help: str) -> Any:
    """Declare an argument, called ``metavar``."""
    return typer.Argument(metavar=metavar, help=help)


Json = Annotated[Path | None, option("FILE", "Also write the result as JSON to FILE.", "--json")]
Quiet = Annotated[bool, flag("Print nothing but errors.", "--quiet", "-q")]
OwnProperties = Annotated[
    list[str] | None, option("FILE.py:NAME", "A property of yours that it is about; it is executed.", "--property")
]
FixedSeed = Annotated[
    int, option(None, "Accepted by every command; this one draws nothing, so it changes nothing.", "--seed", min=0)
]
