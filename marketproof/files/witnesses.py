"""The witnesses in a file (one, the verdicts of `verify --json`, the audit of a run) or in all files of a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketproof.errors import InputError, one_line, shown
from marketproof.files.csv_input import read_text

if TYPE_CHECKING:
    from proofs_checks.evidence.witness import Witness

_LARGEST = 16 * 2**20
_MOST_FILES = 1000


@dataclass(frozen=True)
class Found:
    """A witness and what it is called."""

    name: str
    witness: Witness


def witness_files(path: Path) -> list[Path]:
    """Return the file itself; of a folder its .json files by name, or the one audit.json where it is a run's.

    Raises
    ------
    InputError
        If the folder holds no such file, or more than 1000.
    """
    if not path.is_dir():
        return [path]
    if (path / "audit.json").is_file():
        return [path / "audit.json"]
    files = sorted(p for p in path.iterdir() if p.suffix == ".json" and p.is_file())
    if not files:
        raise InputError(
            f"{shown(path)} holds no .json file; expected what 'marketproof verify --witnesses DIR' writes"
        )
    if len(files) > _MOST_FILES:
        raise InputError(f"{shown(path)} holds {len(files)} .json files; expected at most {_MOST_FILES}")
    return files


def read_witnesses(path: Path) -> list[Found]:
    """Return each witness in the file.

    Raises
    ------
    InputError
        If the file is neither a witness, nor verdicts or an audit that hold one.
    WitnessError
        If a witness in it is malformed.
    """
    try:
        content = json.loads(read_text(path, _LARGEST))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{one_line(path)}: is no JSON ({one_line(error)[:100]}); expected a witness") from None
    if not isinstance(content, Mapping):
        return [_found(one_line(path), content)]
    if "verdicts" in content:
        told = _of_verdicts(content)
        if not told:
            raise InputError(f"{shown(path)} holds no witness: no property was refuted")
        return [_found(f"{one_line(path)}, {shown(name)}", w, name) for name, w in told]
    if "methods" in content:
        told = _of_audit(content)
        if not told:
            raise InputError(f"{shown(path)} holds no witness: no lie was found to pay in that run")
        return [_found(f"{one_line(path)}, {shown(name)}", w) for name, w in told]
    return [_found(one_line(path), content)]


def _found(name: str, told: Any, prop: str | None = None) -> Found:
    """Return the witness; ``prop``: what the verdict is about that holds it."""
    from proofs_checks.evidence.witness import Witness

    witness = Witness.from_dict(told)
    if prop is not None and witness.property != prop.partition("=")[0]:
        raise InputError(f"{name}: the verdict is about another property than its witness, {witness.property!r}")
    return Found(name, witness)


def _of_verdicts(content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    verdicts = content["verdicts"]
    if not isinstance(verdicts, list) or not all(isinstance(v, Mapping) for v in verdicts):
        raise InputError("verdicts must be a list of objects, as 'marketproof verify --json' writes it")
    return [(str(v.get("property")), v["witness"]) for v in verdicts if v.get("witness") is not None]


def _of_audit(audit: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    methods = audit["methods"]
    for name, told in methods.items() if isinstance(methods, Mapping) else ():
        best = told.get("best_lie") if isinstance(told, Mapping) else None
        for lie in best.values() if isinstance(best, Mapping) else ():
            witness = lie.get("witness") if isinstance(lie, Mapping) else None
            if isinstance(witness, Mapping):
                found.append((str(name), witness))
    return found
