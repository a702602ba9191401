"""``marketproof verify``: verdicts on a mechanism."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from marketproof.commands.options import Json, Quiet, argument, flag, option
from mechanism.writing import dumps

if TYPE_CHECKING:
    from rich.console import Console

    from mechanism.direct import DirectMechanism
    from proofs_checks.evidence.verdict import Verdict

_HOLDS = {True: "yes", False: "no", None: "-"}

HELP = """Say of each property of a mechanism whether it holds, and how sure that is.

MECHANISM is an id of "marketproof list mechanisms", or FILE.py:NAME for your own; the file is then EXECUTED: verify
only code that you would run. A grade is one of: proved (of the formula, for every number of agents within the scope
that is printed, by Coq's kernel; or of the code itself, for this number and these bounds: a line for each), exhausted
(every profile of a finite grid, nothing of what lies between), searched (nothing found, with what that says), refuted
(with an example that "marketproof replay" recomputes), unknown."""

EPILOG = """Example: "marketproof verify first-price" refutes dsic by a bidder that is worth 1 and says less;
"marketproof verify second-price --property dsic --require" proves it, of the formula and of the code for three;
"marketproof verify agv --types types.toml" sums over three types, where types.toml holds [\\[agents]] with types =
[0, 0.5, 1] and prior = ["1/2", "1/4", "1/4"], for all agents;
"marketproof verify my_auction.py:my_rule --budget 10 --witnesses found" looks at your own
for ten seconds and writes what refutes it into the folder found; "marketproof verify agv --property
no_subsidy.py:NO_SUBSIDY" asks about a property of your own ("marketproof new property no-subsidy" writes one)."""


def verify(
    mechanism: Annotated[str, argument("MECHANISM", "An id of the catalogue, or FILE.py:NAME (the file is executed).")],
    properties: Annotated[
        list[str] | None,
        option(
            "P",
            "A property by id (repeat for more), one of the variants group-dsic=weak, split-proof=half, "
            "merge-proof=min, or FILE.py:NAME for your own (the file is executed); default all that apply of ours.",
            "--property",
        ),
    ] = None,
    clients: Annotated[int | None, option("M", "Number of agents; default the mechanism's own.")] = None,
    grade: Annotated[
        str, option("searched|exhausted|proved|auto", "What to try; auto proves, else searches.")
    ] = "auto",
    budget: Annotated[float, option("SECONDS", "Time for all properties together, seconds.")] = 30.0,
    require: Annotated[bool, flag("Exit with status 1 if a property fails.", "--require")] = False,
    witnesses: Annotated[Path | None, option("DIR", "Write each witness as DIR/PROPERTY.json.")] = None,
    types: Annotated[
        Path | None,
        option(
            "FILE",
            "TOML or JSON: finitely many types of each agent and how likely they are; each property is exhausted "
            "on these.",
        ),
    ] = None,
    randomised: Annotated[
        bool, flag("The rule may draw: what reports come to on average is estimated, at a confidence.", "--randomised")
    ] = False,
    seed: Annotated[int, option(None, "Which probes are made; the same seed, the same ones.", "--seed", min=0)] = 0,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Load, verify, write, show."""
    import time

    started = time.perf_counter()
    from marketproof.exits import RequirementFailed
    from marketproof.files.mechanism_files import file_of
    from marketproof.files.type_files import read_grid
    from marketproof.terminal.console import bar, stdout
    from marketproof.verifying import load_within, use_properties, verify_within
    from mechanism.errors import InputError, one_line, shown
    from mechanism.own_code import is_file, is_own
    from mechanism.writing import refuse_overwriting, write_all
    from proofs_checks.evidence.verify import GRADES
    from proofs_checks.properties.registry import properties as known

    if grade not in GRADES:
        raise InputError(f"--grade is {shown(grade)}; expected one of {', '.join(GRADES)}")
    if not 0.0 < budget < 1e6:
        raise InputError(f"--budget is {budget:g}; expected seconds > 0")
    # told before any code runs
    known([p for p in properties or () if not p.startswith(("dsic-", "expost-")) and not is_own(p, "property")])
    if witnesses is not None and witnesses.exists() and not witnesses.is_dir():
        raise InputError(f"--witnesses {shown(witnesses)} is a file; expected a folder")
    if types is not None and grade not in ("auto", "exhausted"):
        raise InputError(f"--grade is {grade}; the types of --types are exhausted: leave it out")
    if randomised and (types is not None or grade not in ("auto", "searched")):
        raise InputError(
            "--randomised estimates by samples, which exhaust and prove nothing: leave out --grade, --types"
        )
    if json is not None and witnesses is not None and json.resolve().parent == witnesses.resolve():
        raise InputError(f"--json {shown(json)} lies among the --witnesses, which would be lost; name a file elsewhere")
    refuse_overwriting([json], [file_of(text) for text in (mechanism, *(properties or ()))] + [types])
    own = use_properties(properties or (), budget)
    ids = None if properties is None else [own[p][0] if p in own else p for p in properties]
    source, loaded = load_within(mechanism, clients, budget)
    grid = None if types is None else read_grid(types, loaded.space)
    end = started + budget
    with bar("verifying", quiet=quiet) as progress:
        found = verify_within(
            source, loaded, ids, deadline=end, grade=grade, seed=seed, types=grid, randomised=randomised,
            progress=progress,
        )  # fmt: skip
    domain = domain_of(mechanism, loaded)
    if grid is not None:
        domain += f"; of these the types of {one_line(types)}: {grid.words()}"
    verdicts = [v.to_dict() for v in found]
    result = {"mechanism": mechanism, "domain": domain, "seed": seed, "code": source.digest, "verdicts": verdicts}
    if own:
        result["properties"] = dict(own.values())
    written = {} if json is None else {json: dumps(result)}
    if witnesses is not None:
        witnesses.mkdir(parents=True, exist_ok=True)
        for verdict in found:
            if verdict.witness is not None:
                written[witnesses / f"{verdict.property.replace(':', '-')}.json"] = dumps(verdict.witness.to_dict())
    write_all(written)
    _show(mechanism, domain, found, stdout(quiet=quiet), executed=is_file(mechanism) + len(own))
    failed = [v.property for v in found if v.holds is False]
    if require and (open_ := [v.property for v in found if v.holds is None]):
        stdout(quiet=quiet).print(f"Not decided: {', '.join(open_)}; --require counts only what fails.")
    if require and failed:
        raise RequirementFailed(f"{mechanism}: {', '.join(failed)} {'fails' if len(failed) == 1 else 'fail'}")


def domain_of(name: str, mechanism: DirectMechanism) -> str:
    """Return the domain in words: the catalogue's, and the bounds of every private number."""
    from mechanism.catalogue import CATALOGUE

    known = CATALOGUE.get(name)
    head = f"{known.domain}; " if known is not None else ""
    return f"{head}{mechanism.space.domain()}"


def _show(name: str, domain: str, verdicts: Sequence[Verdict], console: Console, *, executed: int) -> None:
    """Print a line for each property, then where the witnesses are kept."""
    from marketproof.terminal.console import table

    rows = [(v.property, str(v.grade), _HOLDS[v.holds], v.because + _aside(v)) for v in verdicts]
    console.print(table(name, ("property", "grade", "holds", "because"), rows, left=4))
    console.print(f"Domain: {domain}")
    if executed:
        console.print("The file was executed." if executed == 1 else "The files were executed.")
    if any(v.witness is not None for v in verdicts):
        console.print("--json FILE or --witnesses DIR keeps what refutes; 'marketproof replay' recomputes it.")


def _aside(verdict: Verdict) -> str:
    from proofs_checks.properties.registry import properties

    known = {prop.name: prop for prop in properties()}
    aside = known[verdict.property].aside if verdict.holds and verdict.property in known else ""
    return f"; {aside}" if aside else ""
