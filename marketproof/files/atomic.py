"""What a command writes: JSON, and TOML that reads back the same; and what it refuses to write over."""

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mechanism.errors import InputError, shown
from mechanism.writing import write_all


def refuse_overwriting(targets: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Raise `InputError` if a file to be written is one of those that are read; None stands for no file."""
    read = [source for source in inputs if source is not None and source.exists()]
    for target in targets:
        if target is not None and target.exists() and any(target.samefile(source) for source in read):
            raise InputError(f"{shown(target)} is the input itself, which writing would overwrite; name another file")


def refuse_unwritable(folder: Path, name: str) -> None:
    """Raise `InputError` if a file ``name`` cannot be written into a folder; what the attempt makes is taken away.

    Trying is the only way to know: permissions, read-only disks and odd file systems all answer in their own way.
    """
    made: list[Path] = []
    probe = folder / name
    try:
        for path in (*reversed(folder.parents), folder):
            if not path.is_dir():
                path.mkdir()
                made.append(path)
        there = os.path.lexists(probe)
        with probe.open("ab"):
            pass
        if not there:
            probe.unlink()
    except OSError as error:
        raise InputError(
            f"cannot write {shown(folder)}: {error.strerror or error}; name a place that can be written"
        ) from None
    finally:
        for path in reversed(made):
            with contextlib.suppress(OSError):  # somebody else has put something there
                path.rmdir()


def refuse_unwritable_file(path: Path | None) -> None:
    """Raise `InputError` if a file cannot be written where a run is to put it at its end; None stands for no file."""
    if path is None or (path.exists() and not path.is_file() and not path.is_dir()):
        return  # a terminal or a pipe: opening it would already be heard at the other end
    if path.is_dir():
        raise InputError(f"{shown(path)} is a folder; expected the name of a file to write")
    refuse_unwritable(path.parent, path.name)


def dumps(result: object) -> bytes:
    """Return a result as JSON text for a file: readable, numbers exact to the bit, a newline at the end."""
    return (json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


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


def write_json(path: Path | None, result: object) -> None:
    """Write a result to the file that ``--json`` names; nothing where it names none."""
    if path is not None:
        write_all({path: dumps(result)})
