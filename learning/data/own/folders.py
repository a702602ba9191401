"""Folders of one's own: OWNER/CLASS/image, OWNER/CLASS/text.txt, OWNER/text.txt, or a table for each owner."""

from __future__ import annotations

import os
import re
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.data import OwnTable
from learning.data.dataset import Dataset
from learning.data.files.archive import fingerprint
from learning.data.files.images import ENDINGS as IMAGES
from learning.data.files.images import MOST_IMAGES, decode, grey
from learning.data.files.text import read_text
from learning.data.own.samples import Owners, Samples, sized
from learning.data.own.tables import ENDINGS as TABLES
from learning.data.own.tables import rows_of
from learning.data.sets import shakespeare
from learning.errors import DataError
from mechanism.errors import one_line, shown

_MOST_ENTRIES = 10_000  # of one folder, but for its files
_MOST_TEXT, _MOST_TEXTS = 1 << 20, 64 << 20  # bytes of a text, and of all
_MOST_PIXELS = 1 << 30  # of all images, unpacked
_SKIPPED = ("Thumbs.db", "desktop.ini")
_HASHED = 1024
_WORD = re.compile(r"\w+")
_LAYOUTS = (
    "expected OWNER/CLASS/ with images (.png, .jpg) or texts (.txt), OWNER/ with texts, or a table for each owner "
    "(.csv, .parquet, .xlsx)"
)


def _entries(folder: Path, most: int = _MOST_ENTRIES) -> list[Path]:
    """Return what a folder holds, by name, all files or all folders; what the system hides is skipped.

    `DataError` at links, which could lead anywhere, at devices and pipes, and at folders without end.
    """
    found, files = [], 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name in _SKIPPED:
                    continue
                path = folder / entry.name
                if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
                    kind = "a symbolic link" if entry.is_symlink() else "no ordinary file"
                    raise DataError(f"{shown(path)} is {kind}; put the file itself there, or take it out")
                found.append(path)
                files += entry.is_file()
                if len(found) > most:
                    raise DataError(f"{shown(folder)} holds more than {most} entries; expected fewer")
    except OSError as failed:
        raise DataError(f"cannot read {shown(folder)}: {failed.strerror or failed}; name another folder") from None
    if not found or files not in (0, len(found)):
        what = "files and folders" if found else "nothing"
        raise DataError(f"{shown(folder)} holds {what}; {_LAYOUTS}")
    return sorted(found)


def kind_of(root: Path, *, alone: bool = False) -> str:
    """Return what a folder holds: "tables", "speech" (OWNER/text), "texts" or "images" (OWNER/CLASS/…).

    Of one owner ``alone`` what stands in the place of OWNER.
    """
    first = root if alone else _entries(root)[0]
    if first.is_file():
        return "tables"
    first = _entries(first, MOST_IMAGES)[0]
    if first.is_file():
        return "speech"
    return "texts" if _entries(first, MOST_IMAGES)[0].suffix.lower() == ".txt" else "images"


def tables(table: OwnTable) -> Samples:
    """Return a folder's tables as samples, each of the owner that its file is called; `DataError` as `rows_of`."""
    files = _of_kind(Path(table.file), TABLES)
    stems = [path.stem for path in files]
    twice = next((path for k, path in enumerate(files) if path.stem in stems[:k]), None)
    if twice is not None:
        raise DataError(
            f"{shown(twice)}: another table of that folder is called {shown(twice.stem)}, too; expected one"
        )
    return rows_of(table, files)


def _of_kind(folder: Path, endings: tuple[str, ...], most: int = MOST_IMAGES) -> list[Path]:
    files = _entries(folder, most)
    wrong = next((path for path in files if path.suffix.lower() not in endings or not path.is_file()), None)
    if wrong is not None:
        raise DataError(f"{shown(wrong)} is no file that ends in {', '.join(endings)}; take it out")
    return files


def _classed(root: Path, endings: tuple[str, ...], *, alone: bool) -> tuple[list[Path], list[str], list[str]]:
    """Return the files of OWNER/CLASS/, or of one owner ``alone`` those of CLASS/, with their owners and classes."""
    files: list[Path] = []
    owners: list[str] = []
    classes: list[str] = []
    for owner in [root] if alone else _entries(root):
        for label in _entries(owner):
            if label.is_file():
                raise DataError(f"{shown(label)} lies beside folders of classes; {_LAYOUTS}")
            found = _of_kind(label, endings)
            files += found
            owners += [owner.name] * len(found)
            classes += [label.name] * len(found)
            if len(files) > MOST_IMAGES:
                raise DataError(f"{shown(root)} holds more than {MOST_IMAGES} files; expected fewer")
    return files, owners, classes


def classed(table: OwnTable, kind: str, *, alone: bool = False, channels: int = 0) -> Samples:
    """Return OWNER/CLASS/ of images or of texts as samples, or of one owner ``alone`` CLASS/; ``table.test`` likewise.

    Images are scaled to ``table.size`` pixels a side (0: 28 where grey, else 32), of so many ``channels`` (0: grey
    where all of them are). A text is the logarithms of
    how often its words occur, hashed (CRC-32) into 1,024 features and scaled to length 1.
    `DataError` in one line at the first file that is none.
    """
    endings = IMAGES if kind == "images" else (".txt",)
    roots = [Path(table.file), *([Path(table.test)] if table.test else [])]
    parts = [_classed(root, endings, alone=alone) for root in roots]
    files = [path for part in parts for path in part[0]]
    owners, classes = ([text for part in parts for text in part[k]] for k in (1, 2))
    tested = np.arange(len(files)) >= len(parts[0][0]) if table.test else None

    def features(train: NDArray[np.int64]) -> NDArray[np.uint8] | NDArray[np.float32]:
        return _pixels(tuple(files), table.size, channels) if kind == "images" else _words(files)

    scale = 1 / 255 if kind == "images" else 1.0
    whose = None if table.by_rule else np.array(owners)
    return Samples(table.file, whose, np.array(classes), features, tested, scale, lambda k: shown(files[k]))


def _pixels(files: tuple[Path, ...], size: int, channels: int) -> NDArray[np.uint8]:
    channels = channels or (1 if all(map(grey, files)) else 3)
    side = size or (28 if channels == 1 else 32)
    if len(files) * channels * side**2 > _MOST_PIXELS:
        raise DataError(
            f"{len(files)} images of {side}x{side} are more than {_MOST_PIXELS} numbers; take a smaller size"
        )
    return _decoded(files, side, channels, fingerprint(files))


@lru_cache(maxsize=1)  # a run asks again for each method and seed; nobody's own images are left in a cache on disk
def _decoded(files: tuple[Path, ...], side: int, channels: int, digest: str) -> NDArray[np.uint8]:
    return decode(lambda k: files[k].read_bytes(), len(files), side, channels, files[0].parent, None, files)


def _words(files: list[Path]) -> NDArray[np.float32]:
    counts = np.zeros((len(files), _HASHED), dtype=np.float32)
    for k, text in enumerate(_texts(files)):
        for word in _WORD.findall(text.lower()):
            counts[k, zlib.crc32(word.encode()) % _HASHED] += 1
    found = np.log1p(counts)
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _texts(files: list[Path]) -> list[str]:
    found, size = [], 0
    for path in files:
        found.append(read_text(path, "save it as text in UTF-8", _MOST_TEXT))
        size += len(found[-1])
        if size > _MOST_TEXTS:
            raise DataError(f"{shown(path)}: all texts up to here have more than {_MOST_TEXTS} characters; take fewer")
    return found


def _spoken(root: Path) -> dict[str, str]:
    return {
        owner.name: shakespeare.clean(" ".join(_texts(_of_kind(owner, (".txt",))))) for owner in _entries(root)
    }  # fmt: skip


def speakers(table: OwnTable, least: int) -> Owners:
    """Return how many characters each owner's texts have; who has less than the task's 2,000 is left out."""
    counts = {name: len(text) for name, text in _spoken(Path(table.file)).items()}
    return sized(counts, max(least, shakespeare.LEAST), "character")


def speech(table: OwnTable, least: int) -> Dataset:
    """Return the next character of what each owner writes, in LEAF's 80 characters: as the task on Shakespeare."""
    said, who = _spoken(Path(table.file)), speakers(table, least).samples
    if table.test or table.by_rule:
        raise DataError(f"{one_line(table.file)}: texts without classes are their owners', and a fifth is tested on")
    found = shakespeare.windows({name: said[name] for name in who}, table.file)
    return Dataset(**{**vars(found), "name": "own"})
