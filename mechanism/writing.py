"""Files that are either whole or not there: written beside their place, flushed to disk, then renamed into it.

And what is written into them: JSON, and TOML that reads back the same.
"""

import contextlib
import errno
import json
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mechanism.errors import InputError, shown

_UNABLE = (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM, errno.EBADF, errno.EISDIR, errno.ENOSYS)


def partial(path: Path) -> Path:
    """Return where a file is written before it is renamed; the same name each time, so that leftovers never pile up."""
    return path.with_name(f".{path.name}.partial")


def is_partial(path: Path) -> bool:
    """Say whether a path is the leftover of an interrupted write."""
    return path.name.startswith(".") and path.name.endswith(".partial")


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename in it survives a power cut; nothing where that cannot be.

    Windows opens no folders, and some network file systems flush none.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _UNABLE:
            raise


def _write_synced(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write(path: Path, content: bytes) -> None:
    """Write one file: temporary name, fsync, rename, fsync of the folder."""
    waiting = partial(path)
    _write_synced(waiting, content)
    os.replace(waiting, path)
    sync_folder(path.parent)


def _is_stream(path: Path) -> bool:
    """Say whether a path is a terminal, pipe or device: written to directly, never replaced by a file."""
    if path.parts[:2] in (("/", "dev"), ("/", "proc")):
        return True
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:  # not there, or not reachable: writing will say which
        return False


def refuse_overwriting(targets: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Raise `InputError` if a file to be written is one of those that are read, or named twice; None: no file."""
    read, named = [source for source in inputs if source is not None and source.exists()], set()
    for target in targets:
        if target is not None and target.exists() and any(target.samefile(source) for source in read):
            raise InputError(f"{shown(target)} is the input itself, which writing would overwrite; name another file")
        if target is not None and target.resolve() in named:
            raise InputError(f"{shown(target)} is named for two results, of which one would be lost; name two files")
        named |= set() if target is None else {target.resolve()}


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


def write_all(files: Mapping[Path, bytes]) -> None:
    """Write several files so that a failure leaves none of them: all are staged before the first is renamed.

    Parent folders are made where missing (and removed again on failure). A target that is a device or pipe
    (``/dev/stdout``) is written to directly, last. `InputError` if a target is a folder or cannot be written; the
    message names it.
    """
    streams = [path for path in files if not path.is_dir() and _is_stream(path)]
    made: list[Path] = []
    staged: list[tuple[Path, Path]] = []
    try:
        for path, content in files.items():
            if path in streams:
                continue
            if path.is_dir():
                raise InputError(f"{shown(path)} is a folder; expected the name of a file to write")
            target = path.resolve() if path.is_symlink() else path
            for folder in [*reversed(target.parents)]:
                if not folder.exists():
                    folder.mkdir()
                    made.append(folder)
            staged.append((partial(target), target))
            _write_synced(partial(target), content)
        for waiting, target in staged:
            os.replace(waiting, target)
        for path in streams:
            with open(path, "wb") as stream:
                stream.write(files[path])
    except BaseException as error:
        _clear_away([waiting for waiting, _ in staged], made)
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            reason = error.strerror or error
            raise InputError(f"cannot write {shown(path)}: {reason}; name a place that can be written") from None
        raise


def _clear_away(files: Iterable[Path], folders: Sequence[Path]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink()
    for folder in reversed(folders):
        with contextlib.suppress(OSError):  # not empty: somebody else writes there too
            folder.rmdir()


def dumps(result: object) -> bytes:
    """Return a result as JSON text for a file: readable, numbers exact to the bit, a newline at the end.

    Names of files that are no UTF-8 stand as Python holds them, in escapes that JSON has for single surrogates.
    """
    text = json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def to_toml(values: Mapping[str, Any]) -> str:
    """Return settings (numbers, text, lists of them, one level of sections) as TOML that reads back the same."""

    def text(value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list | tuple):
            return "[" + ", ".join(text(item) for item in value) + "]"
        if not isinstance(value, str):
            return repr(value)
        # beyond U+FFFF JSON escapes two halves, which TOML does not know
        parts = re.split(r"([\U00010000-\U0010ffff])", value)
        return '"' + "".join(f"\\U{ord(p):08x}" if p[:1] > "\uffff" else json.dumps(p)[1:-1] for p in parts) + '"'

    def name(key: str) -> str:
        return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else text(key)

    plain = [f"{key} = {text(value)}" for key, value in values.items() if not isinstance(value, Mapping)]
    sections = [
        "\n".join([f"\n[{key}]", *(f"{name(inner)} = {text(item)}" for inner, item in value.items())])
        for key, value in values.items()
        if isinstance(value, Mapping)
    ]
    return "\n".join([*plain, *sections]) + "\n"


def write_json(path: Path | None, result: object) -> None:
    """Write a result to the file that ``--json`` names; nothing where it names none."""
    if path is not None:
        write_all({path: dumps(result)})
