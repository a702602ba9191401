"""``marketproof replay``: recompute witnesses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from marketproof.commands.options import FixedSeed, Json, OwnProperties, Quiet, argument
from marketproof.exits import RequirementFailed
from marketproof.terminal.console import stdout
from mechanism.errors import InputError, one_line, shown
from mechanism.reading import read_json
from mechanism.writing import dumps, refuse_overwriting, write_all

if TYPE_CHECKING:
    from marketproof.files.mechanism_files import Source
    from mechanism.direct import DirectMechanism
    from proofs_checks.evidence.witness import Witness

HELP = """Recompute a witness: an example in which a promise fails, with the lie that shows it.

Exit status 0 if every number reproduces and the promise fails there, 1 if not. Of a folder, every .json file is
replayed, and the status is 1 if one does not reproduce. A witness about your own mechanism needs its code: name it as
FILE.py:NAME; the file is then EXECUTED. So does one about your own property: --property
FILE.py:NAME. Code is never taken from the witness. If the name is another one than the witness gives (a renamed file,
another rule), that is said, and the code that you named is asked."""

EPILOG = """Example: "marketproof verify first-price --json verdicts.json", then "marketproof replay verdicts.json". The
audit of a run holds, of each mechanism under which a lie pays, the best one found:
"marketproof replay runs/digits-niid-20260101-120000/audit.json"."""


def replay(
    witness: Annotated[
        Path, argument("WITNESS.json", "A witness, the file of verify --json, an audit.json, or a folder of them.")
    ],
    mechanism: Annotated[
        str | None, argument("[FILE.py:NAME]", "Your mechanism; default the witness's id in the catalogue.")
    ] = None,
    properties: OwnProperties = None,
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, recompute, write, show."""
    from marketproof.files.mechanism_files import find_mechanism
    from marketproof.verifying import use_properties

    files = witness_files(witness)
    refuse_overwriting([json], files)
    use_properties(properties or ())
    found = [told for file in files for told in read_witnesses(file)]
    if mechanism is not None and any(w.witness.terms is not None for w in found):
        raise InputError("this is a witness about a cleared market; its mechanism is in the catalogue, name no code")
    own = None if mechanism is None else find_mechanism(mechanism)
    results = [replayed(w, own) for w in found]
    if json is not None:
        write_all({json: dumps({"reproduced": all(r["reproduced"] for r in results), "witnesses": results})})
    console = stdout(quiet=quiet)
    others = _others(results)
    if others:
        console.print(f"{others[0].upper()}{others[1:]}.")
    for result in results:
        how = "to the bit" if result["bitwise"] else "up to rounding"
        verdict = f"reproduced {how}" if result["reproduced"] else f"NOT reproduced: {result['difference']}"
        said = (
            one_line(result["sentence"])
            if result["reproduced"]
            else f"the witness says: {one_line(result['sentence'])}"
        )
        console.print(f"{result['witness']}: {result['property']} under {result['replayed']}: {said}")
        console.print(f"  {verdict}")
    if failed := [f"{r['witness']}: {r['difference']}" for r in results if not r["reproduced"]]:
        raise RequirementFailed(f"{f'{others}; ' if others else ''}not reproduced: {'; '.join(failed)}")


def _others(results: list[dict[str, Any]]) -> str:
    """Say which mechanisms the witnesses are about, if not the one that was asked; "" if they are about that one."""
    other = {  # a witness made in Python bears the rule's name without its file
        r["mechanism"]: r["replayed"]
        for r in results
        if r["mechanism"] not in (r["replayed"], r["replayed"].rpartition(":")[2])
    }
    if not other:
        return ""
    asked = next(iter(other.values()))
    return f"the witness is about {' and '.join(map(shown, other))}; replayed under {shown(asked)} as asked"


def replayed(found: Found, own: Source | None) -> dict[str, Any]:
    """Recompute a witness with the catalogue's mechanism or one's own; return what came out as plain data."""
    from proofs_checks.evidence.witness import replay as recompute

    told = found.witness
    source, mechanism = asked(told, own)
    with source.explaining("fails when the witness is recomputed"):
        done = recompute(told, mechanism)
    return {
        "witness": found.name,
        "mechanism": told.mechanism,
        "replayed": source.name,
        "property": told.property,
        "reproduced": done.reproduces,
        "bitwise": done.bitwise,
        "difference": done.difference,
        "sentence": done.sentence,
    }


def asked(witness: Witness, own: Source | None) -> tuple[Source, DirectMechanism | None]:
    """Return where the mechanism comes from that a witness is recomputed with, and it (None: what clears its market).

    `InputError` if it is not the catalogue's, and no code was named.
    """
    from marketproof.files.mechanism_files import Source
    from mechanism.catalogue import CATALOGUE

    if own is None and witness.mechanism not in CATALOGUE:
        raise InputError(
            f"the witness is about {shown(witness.mechanism)}, not in the catalogue; name its code as FILE.py:NAME"
        )
    source = Source(witness.mechanism) if own is None else own
    if witness.terms is not None:
        return source, None
    with source.explaining("fails when it is built"):
        return source, source.build(witness.built or witness.agents)


_LARGEST = 16 * 2**20
_MOST_FILES = 1000


@dataclass(frozen=True)
class Found:
    """A witness and what it is called."""

    name: str
    witness: Witness


def witness_files(path: Path) -> list[Path]:
    """Return the file itself; of a folder its .json files by name, or the one audit.json where it is a run's.

    `InputError` if the folder holds no such file, or more than 1000.
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

    `InputError` if the file is neither a witness, nor verdicts or an audit that hold one. `WitnessError` if a witness
    in it is malformed.
    """
    content = read_json(path, _LARGEST, "a witness")
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
