"""The witnesses in a file: one witness, or the audit of a run with the best lie of each method."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketproof.csv_input import read_text
from marketproof.errors import InputError, one_line, shown

if TYPE_CHECKING:
    from proofs_checks.evidence import Witness

_LARGEST = 16 * 2**20


def read_witnesses(path: Path) -> list[tuple[str, Witness]]:
    """Return (name, witness) of each witness in the file.

    Raises
    ------
    InputError
        If the file is neither a witness nor an audit that holds one.
    WitnessError
        If a witness in it is malformed.
    """
    from proofs_checks.evidence import Witness

    try:
        content = json.loads(read_text(path, _LARGEST))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{one_line(path)}: is no JSON ({one_line(error)[:100]}); expected a witness") from None
    if isinstance(content, Mapping) and "methods" in content:
        found = _of_audit(content)
        if not found:
            raise InputError(f"{shown(path)} holds no witness: no lie was found to pay in that run")
        return [(f"{one_line(path)}, {shown(name)}", Witness.from_json(told)) for name, told in found]
    return [(one_line(path), Witness.from_json(content if isinstance(content, Mapping) else json.dumps(content)))]


def _of_audit(audit: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = []
    methods = audit["methods"]
    for name, told in methods.items() if isinstance(methods, Mapping) else ():
        best = told.get("best_lie") if isinstance(told, Mapping) else None
        for lie in best.values() if isinstance(best, Mapping) else ():
            witness = lie.get("witness") if isinstance(lie, Mapping) else None
            if isinstance(witness, Mapping):
                found.append((str(name), witness))
    return found
