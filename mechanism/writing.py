"""Files that are either whole or not there: written beside their place, flushed to disk, then renamed into it."""

import contextlib
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mechanism.errors import InputError, shown


def partial(path: Path) -> Path:
    """Return where a file is written before it is renamed; the same name each time, so that leftovers never pile up."""
    return path.with_name(f".{path.name}.partial")


def is_partial(path: Path) -> bool:
    """Say whether a path is the leftover of an interrupted write."""
    return path.name.startswith(".") and path.name.endswith(".partial")


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename in it survives a power cut."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
