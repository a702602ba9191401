"""``marketproof check``: what a file claims is worked out again, by code that trusts nothing in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from marketproof.commands.options import FixedSeed, Json, OwnProperties, Quiet, argument, flag, option
from marketproof.exits import RequirementFailed
from marketproof.terminal.console import stdout
from mechanism.errors import InputError, one_line, shown
from mechanism.reading import read_json
from mechanism.writing import dumps, refuse_overwriting, write_all

if TYPE_CHECKING:
    from marketproof.files.mechanism_files import Source

HELP = """Check a file that claims something: a certificate of a clearing, verdicts, witnesses, or the folder of a run.

A certificate ('marketproof clear --certificate FILE') holds what was cleared, and bounds from which it follows that
nobody could have bought better and that prices are what the rule says, within the tolerance that is told. They are
added up again here, in numbers rounded outwards; how they were found does not matter. Of verdicts ('marketproof verify
--json FILE') the words must be the property's and the grade fit the evidence: witnesses replay, proofs are made again,
bounds follow from their counts, and none stands beside one that denies it. A run's audit and summary are worked out
again from its recorded markets. What is NOT worked out again is said first: searches and grids, unless you give
--repeat. If verdicts are about your own mechanism, name its code as FILE.py:NAME; it is then EXECUTED. --kernel, with
or without a FILE, has Coq check the theorems. Exit status 0 if all that was worked out holds, 1 if something does not,
2 if the file is damaged or none."""

EPILOG = """Example: "marketproof clear A.csv --certificate A.json", then "marketproof check A.json". Or
"marketproof verify first-price --json v.json", then "marketproof check v.json --repeat"."""

_LARGEST = 1 << 27


def check(
    file: Annotated[
        Path | None, argument("[FILE]", "A certificate, the file of verify --json, a witness, a run's folder.")
    ] = None,
    mechanism: Annotated[
        str | None, argument("[FILE.py:NAME]", "Your mechanism, or rule of a run; default ours, as FILE says.")
    ] = None,
    repeat: Annotated[
        bool, flag("Make the searches and grids of verdicts again, as long as they took.", "--repeat")
    ] = False,
    types: Annotated[Path | None, option("FILE", "The file of verify --types, of which verdicts speak.")] = None,
    kernel: Annotated[
        bool, flag("Have Coq check every theorem that 'proved' rests on again; 2 minutes.", "--kernel")
    ] = False,
    properties: OwnProperties = None,
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, check, write, show."""
    from marketproof.files.mechanism_files import find_mechanism
    from marketproof.verifying import use_properties

    if file is None and not kernel:
        raise InputError("nothing is to be checked; expected a FILE, or --kernel for the theorems")
    results = [check_kernel()] if kernel else []
    if file is not None:
        refuse_overwriting([json], [file, types])
        own = None
        if (file / "manifest.json").exists():
            from marketproof.records.rules import use_recorded_rules

            use_recorded_rules(file, [] if mechanism is None else [mechanism], option="")
        elif mechanism is not None:
            own = find_mechanism(mechanism)
        results += checked(file, own, repeat, types, dict(use_properties(properties or ()).values()))
    holds = all(result["holds"] for result in results)
    if json is not None:
        write_all({json: dumps({"holds": holds, "checked": results})})
    console = stdout(quiet=quiet)
    for line in _left(results):
        console.print(line, style="bold")
    for result in results:
        console.print(f"{result['what']}: {result['sentence']}")
    if not holds:
        raise RequirementFailed("; ".join(f"{r['what']}: {r['sentence']}" for r in results if not r["holds"]))


def _left(results: list[dict[str, Any]]) -> list[str]:
    """Say what was not worked out again, a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        if result["holds"] and result.get("left"):
            reasons.setdefault(result["left"], []).append(result["what"].partition(" under ")[0])
    return [
        f"NOT worked out again, {len(whats)} of {len(results)} ({', '.join(whats)}): {left}"
        for left, whats in reasons.items()
    ]


def check_kernel() -> dict[str, Any]:
    """Have Coq build and check the packaged proofs, and hold them against the record.

    `InputError` if Coq is not installed here.
    """
    import shutil
    import subprocess
    import sys
    from importlib.resources import as_file, files

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


def checked(
    path: Path,
    own: Source | None = None,
    repeat: bool = False,
    types: Path | None = None,
    properties: Mapping[str, str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Return what was found of everything that the file claims: ``what``, ``holds``, ``sentence``.

    ``properties``: digests of those of one's own, by their names. ``left``: what of it was not worked out again, absent
    where all of it was. `InputError` if the file claims nothing that could be checked, or is damaged.
    """
    from marketproof.commands.replay import witness_files

    if (path / "manifest.json").exists():
        from marketproof.running.rechecked import check_run

        return check_run(path)
    if path.is_dir():
        return [told for file in witness_files(path) for told in checked(file, own, repeat, types, properties)]
    content = read_json(path, _LARGEST, "a certificate or verdicts")
    if isinstance(content, dict) and str(content.get("format")).startswith("marketproof-clearing"):
        from mechanism.market.allocation.certificate_file import check_file

        found = check_file(content, one_line(path))
        left = "" if found.proved else "that the others buy the best set is not proved, and not claimed"
        return [{"what": f"Clearing by {found.mechanism}", **found.as_json(), **({"left": left} if left else {})}]
    if isinstance(content, dict) and "verdicts" in content:
        return _verdicts(content, own, repeat, types, properties)
    return _witnesses(path, own)


def _witnesses(path: Path, own: Source | None) -> list[dict[str, Any]]:
    """Replay every witness in a file, which must say in words what its numbers say."""
    from marketproof.commands.replay import asked, read_witnesses
    from proofs_checks.evidence.recheck import rewitnessed
    from proofs_checks.evidence_errors import WitnessError

    try:
        witnesses = read_witnesses(path)
    except WitnessError as error:
        raise InputError(f"{shown(path)} is neither a certificate nor verdicts, nor a witness: {error}") from None
    results = []
    for found in witnesses:
        source, mechanism = asked(found.witness, own)
        with source.explaining("fails when the witness is recomputed"):
            wrong, left, says = rewitnessed(found.witness, mechanism)
        told = {"what": found.name, "holds": wrong is None, "sentence": wrong or says}
        if path.name == "audit.json":
            left = "all of an audit but its witnesses; name the run's folder for the rest"
        told |= {"left": left} if left else {}
        results.append(told)
    return results


def _verdicts(
    content: dict[str, Any], own: Source | None, repeat: bool, types: Path | None, properties: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Check verdicts about the mechanism that the file names, or about the code that was named."""
    import re

    from marketproof.commands.verify import domain_of
    from marketproof.files.mechanism_files import Source
    from marketproof.files.type_files import read_grid
    from mechanism.catalogue import CATALOGUE
    from proofs_checks.evidence.recheck import GIVEN_TYPES, REPEATED, About, recheck_all

    name, domain, seed = str(content.get("mechanism")), str(content.get("domain")), content.get("seed", 0)
    if own is None and name not in CATALOGUE:
        raise InputError(f"these verdicts are about {shown(name)}, not in the catalogue; name its code as FILE.py:NAME")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"the seed of these verdicts is {shown(seed)}; expected a whole number >= 0")
    if not isinstance(content["verdicts"], list) or not content["verdicts"]:
        raise InputError("verdicts must be a list of objects, as 'marketproof verify --json' writes it")
    asked = {str(verdict.get("property")) for verdict in content["verdicts"] if isinstance(verdict, dict)}
    if unnamed := {name for name in asked if ":" in name} - set(properties):
        raise InputError(f"{shown(min(unnamed))} is somebody's own property; name its code: --property FILE.py:NAME")
    source = Source(name) if own is None else own
    agents = re.search(r"(?:^|; )([0-9]{1,4}) agents, private ", domain)
    other = own is not None and content.get("code") != own.digest
    if repeat and other:
        raise InputError(f"{source.name} is not the code that these verdicts are about (it was changed, or never named "
                         "in them); there is nothing to repeat: verify it")  # fmt: skip
    with source.explaining("fails when its verdicts are checked"):
        mechanism = source.build(int(agents[1]) if agents else None)
        due = domain_of(name, mechanism)
        if domain != due and not domain.startswith(f"{due}; of these the types of "):
            raise InputError(f"the domain of these verdicts is {shown(domain)}; that of {source.name} is {shown(due)}")
        grid = None if types is None else read_grid(types, mechanism.space)
        count = mechanism.space.agents
        found = recheck_all(content["verdicts"], About(name, source.build, count, seed if repeat else None, grid))
    results = []
    for one in found:
        wrong, left = one.wrong, one.left
        changed = one.property in properties and properties[one.property] != _told(content, one.property)
        if wrong is None and left and (other or changed) and one.grade in ("searched", "exhausted"):
            wrong = "it was not proved, and this is not the code that it is about: changed since, or never named"
        stands = (_AGAIN if repeat and not left else _STANDS).get(one.grade, "nothing is claimed")
        told = f"{one.grade}: {'it names a grid' if left == GIVEN_TYPES else stands}"
        result = {"what": f"{one.property} under {source.name}", "holds": wrong is None, "sentence": told}
        if wrong is not None:
            result["sentence"] = f"does not stand: {wrong}"
        elif left:
            result |= {"sentence": f"{told}; {left}", "left": f"{left}; --repeat does" if left in REPEATED else left}
        results.append(result)
    return results


def _told(content: dict[str, Any], name: str) -> object:
    """Return the digest of a property's code that a file of verdicts holds."""
    digests = content.get("properties")
    return digests.get(name) if isinstance(digests, dict) else None


_STANDS = {
    "proved": "it is proved again here, in the same words; what was tried besides is not repeated",
    "refuted": "its witness replays",
    "searched": "its bound follows from its counts",
    "exhausted": "its grid is one of the mechanism's, and its counts follow",
}
_AGAIN = _STANDS | {
    "searched": "the same search again finds nothing",
    "exhausted": "it holds on its whole grid again; what was tried besides is not repeated",
}
