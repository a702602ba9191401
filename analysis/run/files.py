"""Untrusted files of a run folder: bounded in size, never executed, every failure one line naming the file.

The manifest holds a digest of every other file of the record. Whoever reads a file first holds it against its digest:
what was damaged or edited since the run wrote it is refused, not recomputed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mechanism.errors import MarketProofError

MANIFEST = "manifest.json"
DERIVED = ("summary.json", "audit.json", "rounds.parquet", "ledger.parquet")
"""Files that are made from the recorded markets at the end of a run."""
RECORD = ("config.toml", MANIFEST, "progress.json", *DERIVED)
"""Files of a run folder beside its tensors. All but the pages and figures made from them."""
LARGEST_TEXT = 16 * 2**20
"""Largest JSON or TOML file read, bytes."""
LARGEST_FILE = 8 * 2**30
"""Largest other file of a record that is opened, bytes (tensors are mapped and sliced, never loaded whole)."""


class RecordError(MarketProofError, ValueError):
    """A run folder that is missing, truncated, malformed or was changed since it was written."""


def market_file(folder: Path, method: str, seed: int) -> Path:
    """Return the path of a method's recorded markets under one seed."""
    return folder / "markets" / f"{unit_key(method, seed)}.safetensors"


def unit_key(method: str, seed: int) -> str:
    """Return the name in files of one method under one seed: the method's name with "/" written "__"."""
    return f"{method.replace('/', '__')}-{seed}"


def record_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a run folder that hold its record, which nothing made from it may overwrite."""
    held = (path for place in ("markets", "models") for path in (folder / place).glob("*.safetensors"))
    return (*(folder / name for name in RECORD), *sorted(held))


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file of a complete record, by its place in the folder; the manifest holds them."""
    beside = (folder / MANIFEST, folder / "progress.json")
    return {str(path.relative_to(folder)): digest(path) for path in record_files(folder) if path not in beside}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(folder: Path, name: str, recorded: Mapping[str, str]) -> Path:
    """Return the path of a file of a record, if it is the one that the run wrote.

    ``recorded``: the digests of the manifest; runs of version 0.1 have none, and their files are taken as they are.

    Raises
    ------
    RecordError
        If it is missing, too large, or its digest is another one.
    """
    path = existing(folder / name, LARGEST_FILE)
    if recorded and digest(path) != recorded.get(name):
        raise RecordError(
            f"{path}: was changed since the run wrote it; put back what manifest.json holds the digest of, or run again"
        )
    return path


def existing(path: Path, limit: int) -> Path:
    """Return ``path`` if it is a regular file of at most ``limit`` bytes, else raise `RecordError`."""
    if not path.is_file():
        raise RecordError(f"{path}: no such file; expected a complete run folder, as `marketproof run` writes it")
    size = path.stat().st_size
    if size == 0:
        raise RecordError(f"{path}: the file is empty; run again or resume the run")
    if size > limit:
        raise RecordError(f"{path}: {size} bytes, more than the {limit} that are read from such a file")
    return path


def reason(error: BaseException) -> str:
    """Return the first line of an exception's message, short enough for one line of output."""
    text = (str(error) or type(error).__name__).strip().splitlines()
    return text[0][:160] if text else type(error).__name__


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file (UTF-8, standard JSON: no NaN, no infinity)."""

    def refuse(token: str) -> float:
        raise ValueError(f"{token} is not a JSON number")

    existing(path, LARGEST_TEXT)
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path}: not readable as JSON ({reason(error)}); the file is damaged, run again") from None
    if not isinstance(value, dict):
        raise RecordError(f"{path}: holds a {type(value).__name__}; expected a JSON object")
    return value
