"""Puts the help of positional arguments back where the libraries under the command line lose it.

click 8.5 gave its arguments a help text of their own and sets it after typer (0.20) has set its own: it is None then,
and ``--help`` shows no word about any argument. Where it is not lost, nothing is changed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from typer.models import ArgumentInfo


def restore_help(commands: dict[str, Any]) -> None:
    """Give every argument of these commands, by name, the help that its function declares."""
    for command in commands.values():
        declared = _declared(inspect.unwrap(command.callback)) if command.callback else {}
        for param in command.params:
            if param.name in declared and not getattr(param, "help", None):
                param.help = declared[param.name]


def _declared(function: Callable[..., Any]) -> dict[str, str]:
    hints = get_type_hints(function, include_extras=True)
    return {
        name: info.help
        for name, hint in hints.items()
        for info in getattr(hint, "__metadata__", ())
        if isinstance(info, ArgumentInfo) and info.help
    }
