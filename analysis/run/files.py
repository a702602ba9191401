"""Untrusted files of a run folder: bounded in size, never executed, every failure one line naming the file.

The manifest holds a digest of every other file of the record. Whoever reads a file first holds it against its digest:
what was damaged or edited since the run wrote it is refused, not recomputed.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from mechanism import reading
from mechanism.errors import MarketProofError
from mechanism.wording import number

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
    """Return the name in files of one method under one seed: the method's name with "/" and ":" written "__"."""
    return f"{method.replace('/', '__').replace(':', '__')}-{seed}"


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
    `RecordError` if it is missing, too large, or its digest is another one.
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
    """Return the object in a JSON file of a record."""
    existing(path, LARGEST_TEXT)
    value = reading.read_json(path, LARGEST_TEXT, "the file as it was written: it is damaged", error=RecordError)
    if not isinstance(value, dict):
        raise RecordError(f"{path}: holds a {type(value).__name__}; expected a JSON object")
    return value


Seed = Annotated[int, Field(gt=-(2**62), lt=2**62)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Manifest(BaseModel, frozen=True, strict=True, extra="allow"):
    """What readers rely on of a manifest, within bounds; all else that a version writes is kept as it is.

    ``mechanisms``: the market mechanism of each method, None where the method implies its graph. ``judged``: by which
    models of a round the accuracy of each method is, those that clients have "trained" or those that the server has
    "aggregated" (as all were in version 0.1). ``digests``: SHA-256 of every other file of the record but
    ``progress.json``, by its place in the folder; version 0.1 wrote none. ``names``: of the clients, if they have any.
    ``code``: SHA-256 of the files of the owner's own networks, methods and rules, by path.
    ``audited``: whether clearings were made again, certified, and searched for lies.
    """

    task: str = ""
    clients: Annotated[int, Field(ge=1, le=100_000)]
    seeds: Annotated[list[Seed], Field(min_length=1)]
    methods: Annotated[list[Name], Field(min_length=1)]
    mechanisms: dict[str, str | None]
    judged: dict[str, str] = {}
    digests: dict[str, str] = {}
    names: list[Name] = []
    code: dict[str, str] = {}
    audited: bool = True

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        for what, listed in (("method", self.methods), ("seed", self.seeds)):
            if len(set(listed)) < len(listed):
                raise ValueError(f"a {what} is listed twice")
        if set(self.mechanisms) != set(self.methods):
            raise ValueError("mechanisms names other methods than methods; expected the mechanism or null of each")
        if self.names and len(self.names) != self.clients:
            raise ValueError(f"names has {len(self.names)} entries; expected {self.clients}, one for each client")
        return self


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a run folder.

    `RecordError` if there is no such folder, or its manifest is missing or damaged.
    """
    if not folder.is_dir():
        raise RecordError(f"{folder}: no such folder; expected a run folder, as `marketproof run` writes it")
    return reading.validated(Manifest, read_json(folder / MANIFEST), str(folder / MANIFEST), error=RecordError)


_LONGEST = 400


def dotted(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted names, in their order."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= dotted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return each dotted setting that is another one now, as ``name: before -> now``."""
    names = sorted({*before, *now})
    return [f"{name}: {before.get(name)} -> {now.get(name)}" for name in names if before.get(name) != now.get(name)]


def flat(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return nested settings as (dotted name, text) pairs in their order; long texts are cut, nothing is a dash.

    Numbers that are all alike stand once, with how often.
    """
    return [(name, _shown(value)) for name, value in dotted(values).items()]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        items = [_one(v) for v in value]
        same = len(items) > 1 and len(set(items)) == 1
        text = f"{items[0]} ({len(items)} times)" if same else ", ".join(items)
    else:
        text = _one(value)
    return (text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…") or "–"


def _one(value: Any) -> str:
    return "–" if value is None else number(value) if isinstance(value, float) else str(value)
