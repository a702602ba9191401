"""``marketproof check``: what a file claims is worked out again, by code that trusts nothing in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketproof.commands.options import FixedSeed, Json, Quiet

if TYPE_CHECKING:
    from marketproof.files.mechanism_files import Source

HELP = """Check a file that claims something: a certificate of a clearing, verdicts, witnesses.

A certificate ('marketproof clear --certificate FILE') holds what was cleared, and bounds from which it follows that
nobody could have bought better and that prices are what the rule says. They are added up again here, in numbers rounded
outwards; how they were found does not matter. Of verdicts ('marketproof verify --json FILE') the words must be the
property's and the grade fit the evidence: witnesses replay, certificates add up and agree with the code, bounds follow
from their counts, and none stands beside one that denies it. If they are about your own mechanism, name its code as
FILE.py:NAME; it is then EXECUTED. --kernel, with or without a FILE, has Coq check the theorems. Exit status 0 if all
holds, 1 if something does not, 2 if the file is damaged or no such file."""

EPILOG = """Example: "marketproof clear A.csv --certificate A.json", then "marketproof check A.json". Or
"marketproof verify first-price --json v.json", then "marketproof check v.json"."""

_LARGEST = 1 << 27


def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A certificate, the file of verify --json, a witness, an audit.json."),
    ] = None,
    mechanism: Annotated[
        str | None,
        typer.Argument(metavar="[FILE.py:NAME]", help="Your mechanism; default the catalogue's that FILE names."),
    ] = None,
    kernel: Annotated[
        bool, typer.Option("--kernel", help="Have Coq check every theorem that 'proved' rests on again; 2 minutes.")
    ] = False,
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, check, write, show."""
    from marketproof.exits import RequirementFailed
    from marketproof.files.atomic import dumps, refuse_overwriting
    from marketproof.files.mechanism_files import find_mechanism
    from marketproof.terminal.console import stdout
    from mechanism.errors import InputError
    from mechanism.writing import write_all

    if file is None and not kernel:
        raise InputError("nothing is to be checked; expected a FILE, or --kernel for the theorems")
    results = [check_kernel()] if kernel else []
    if file is not None:
        refuse_overwriting([json], [file])
        results += checked(file, None if mechanism is None else find_mechanism(mechanism))
    holds = all(result["holds"] for result in results)
    if json is not None:
        write_all({json: dumps({"holds": holds, "checked": results})})
    for result in results:
        stdout(quiet=quiet).print(f"{result['what']}: {result['sentence']}")
    if not holds:
        raise RequirementFailed("; ".join(f"{r['what']}: {r['sentence']}" for r in results if not r["holds"]))


def check_kernel() -> dict[str, Any]:
    """Have Coq build and check the packaged proofs, and hold them against the record.

    `InputError` if Coq is not installed here.
    """
    import shutil
    import subprocess
    import sys
    from importlib.resources import as_file, files

    from mechanism.errors import InputError, one_line

    if not all(shutil.which(tool) for tool in ("coqc", "coqchk", "coq_makefile", "make")):
        raise InputError(
            "Coq is not installed here; expected coqc, coqchk, coq_makefile and make "
            "(Debian: apt-get install --no-install-recommends coq make)"
        )
    with as_file(files("proofs_checks") / "kernel") as folder:
        done = subprocess.run(
            [sys.executable, str(folder / "check.py"), "--again"], capture_output=True, text=True, check=False
        )
    said = one_line((done.stdout + done.stderr).strip())
    return {"what": "Kernel", "holds": done.returncode == 0, "sentence": said}


def checked(path: Path, own: Source | None = None) -> list[dict[str, Any]]:
    """Return what was found of everything that the file claims: ``what``, ``holds``, ``sentence``.

    `InputError` if the file claims nothing that could be checked, or is damaged.
    """
    from mechanism.errors import InputError, one_line, shown
    from mechanism.reading import read_json
    from proofs_checks.evidence_errors import WitnessError

    content = read_json(path, _LARGEST, "a certificate or verdicts")
    if isinstance(content, dict) and str(content.get("format")).startswith("marketproof-clearing"):
        from mechanism.market.allocation.certificate_file import check_file

        found = check_file(content, one_line(path))
        return [{"what": f"Clearing by {found.mechanism}", **found.as_json()}]
    if isinstance(content, dict) and "verdicts" in content:
        return _verdicts(content, own)
    from marketproof.commands.replay import read_witnesses, replayed

    results = []
    try:
        witnesses = read_witnesses(path)
    except WitnessError:
        raise InputError(f"{shown(path)} is neither a certificate nor verdicts, and holds no witness") from None
    for witness in witnesses:
        told = replayed(witness, own)
        if not witness.witness.digest:
            told |= {"reproduced": False, "difference": "it has no digest"}
        sentence = told["sentence"] if told["reproduced"] else f"does not replay: {told['difference']}"
        results.append({"what": told["witness"], "holds": told["reproduced"], "sentence": sentence})
    return results


def _verdicts(content: dict[str, Any], own: Source | None) -> list[dict[str, Any]]:
    """Check verdicts about the mechanism that the file names, or about the code that was named."""
    from marketproof.files.mechanism_files import Source
    from mechanism.catalogue import CATALOGUE
    from mechanism.errors import InputError, shown
    from proofs_checks.evidence.recheck import recheck_all

    name = str(content.get("mechanism"))
    if own is None and name not in CATALOGUE:
        raise InputError(f"these verdicts are about {shown(name)}, not in the catalogue; name its code as FILE.py:NAME")
    source = Source(name) if own is None else own
    with source.explaining("fails when its verdicts are checked"):
        found = recheck_all(content["verdicts"], name, source.build)
    results = []
    for prop, grade, wrong in found:
        told = f"{grade}: {_STANDS.get(grade, 'nothing is claimed')}" if wrong is None else f"does not stand: {wrong}"
        results.append({"what": f"{prop} under {source.name}", "holds": wrong is None, "sentence": told})
    return results


_STANDS = {
    "proved": "its certificate adds up, and the code agrees with it",
    "refuted": "its witness replays",
    "searched": "its bound follows from its counts; the search was not repeated",
    "exhausted": "it names its grid; the grid was not gone through again",
}
