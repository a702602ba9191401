"""Where a data set lies on this machine: one way of looking, and one way of saying that it is not there."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learning.errors import DataError

VARIABLE = "MARKETPROOF_DATA"
"""The environment variable that names a data folder for those who give none."""

_MOST_FILES = 1000  # of one pattern: shards of a hub folder are a handful


@dataclass(frozen=True)
class Layout:
    """One shape in which a data set can lie in a root folder.

    ``name`` tells a loader which reader to use; ``files`` are paths or glob patterns (``data/train-*.parquet``), each
    of which must match a file; ``folders`` are the subfolders of a root to look into, in order ("" is the root itself).
    """

    name: str
    files: tuple[str, ...]
    folders: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Found:
    """A data set that was found: its ``folder``, its ``layout`` (a name), and for each pattern the files, sorted."""

    folder: Path
    layout: str
    files: tuple[tuple[Path, ...], ...]


def hub(repository: str) -> str:
    """Return the command that fetches a data set of the Hugging Face hub into a root, for `find`'s ``fetch``."""
    return f"hf download {repository} --repo-type dataset --local-dir {{root}}/{repository}"


def find(
    title: str,
    data_dir: Path | None,
    layouts: Sequence[Layout],
    fetch: str,
    system: Sequence[Path] = (),
    package: str = "",
) -> Found:
    """Return where the data set ``title`` lies.

    Looked into, in order: ``data_dir`` where it is given, and then nothing else, so that a wrong folder is an error and
    never silently replaced; otherwise the folder that MARKETPROOF_DATA names, then the ``system`` places. In each the
    ``layouts`` are tried in order, and of each its folders. `DataError`: one line: where it looked and the exact
    command that fetches the data; also if ``data_dir`` does not exist.

    Parameters
    ----------
    title
        Name of the data set for people, as in ``CIFAR-10``.
    data_dir
        Folder that the user named with --data-dir, or None.
    layouts
        Shapes in which it can lie there, preferred ones first.
    fetch
        Command that fetches it, in which ``{root}`` stands for the data folder: `hub` makes one.
    system
        Folders in which a package of the system puts it.
    package
        Command that fills the system places, as in ``apt-get install dataset-fashion-mnist``.
    """
    looked = roots(data_dir, system)
    part, most = "", 0
    for root in looked:
        for layout in layouts:
            for folder in layout.folders:
                files = tuple(_matches(root / folder, pattern) for pattern in layout.files)
                if all(files):
                    return Found(root / folder, layout.name, files)
                there = sum(map(bool, files))
                if there > most:  # the first of those that lack least
                    missing = ", ".join(layout.files[k] for k, found in enumerate(files) if not found)
                    part, most = f"{root / folder} lacks {missing}", there
    raise DataError(_absent(title, data_dir, looked, layouts, fetch, package, part))


def roots(data_dir: Path | None, system: Sequence[Path] = ()) -> list[Path]:
    """Return the folders that `find` looks into, in order."""
    if data_dir is not None:
        return [Path(data_dir)]
    named = os.environ.get(VARIABLE)
    return [Path(folder) for folder in ([named] if named else []) + list(map(str, system))]


def _matches(folder: Path, pattern: str) -> tuple[Path, ...]:
    try:
        found = sorted(folder.glob(pattern)) if "*" in pattern else [folder / pattern]
        files = tuple(path for path in found if path.is_file())
    except OSError:  # a folder that may not be looked into
        return ()
    if len(files) > _MOST_FILES:
        raise DataError(f"{folder} holds {len(files)} files {pattern}; expected at most {_MOST_FILES}")
    return files


def _absent(
    title: str,
    data_dir: Path | None,
    looked: Sequence[Path],
    layouts: Sequence[Layout],
    fetch: str,
    package: str,
    part: str,
) -> str:
    """Return the one line that says where was looked and what to type; ``part``: a folder that holds some of it."""
    wanted = " or ".join(str(Path(layout.folders[0], layout.files[0])) for layout in layouts)
    named = os.environ.get(VARIABLE)
    root = data_dir if data_dir is not None else Path(named or "data")
    words = [shlex.quote(w.replace("{root}", str(root))) if "{root}" in w else w for w in fetch.split(" ")]
    command = " ".join(words)
    if data_dir is not None:
        missing = f"does not hold {title}" if Path(data_dir).is_dir() else "does not exist"
        other = f" ; or leave --data-dir out and use: {package}" if package else ""
        told = f"the data folder {data_dir} {missing} (looked for {wanted})"
        if part:
            told = f"the data folder {data_dir} holds only a part of {title}: {part}"
        return f"{told}; fetch it with: {command}{other}"
    places = ", ".join(f"{folder}{'' if folder.is_dir() else ' (does not exist)'}" for folder in looked)
    asked = "" if named else f" and name the folder with --data-dir {root} or {VARIABLE}={root}"
    commands = [package] if package else []
    where = f"looked for {wanted} in {places or 'no folder: none is named'}"
    return (
        f"{title} is not on this machine ({part or where}); "
        f"fetch it with: {' , or with: '.join([*commands, command])}{asked}"
    )
