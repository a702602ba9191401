"""``marketproof replay``: recompute a witness."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marketproof.commands.options import FixedSeed, Json, Quiet, dumps


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("replay", help=HELP, epilog=EPILOG)(replay)


HELP = """Recompute a witness: a market in which a promise fails, with the lie that shows it.

Exit status 0 if it reproduces, 1 if not."""

EPILOG = """Example: the audit of a run holds, of each mechanism under which a lie pays, the best one found.
"marketproof replay runs/digits-niid-20260101-120000/audit.json" clears its market once with the truth and once with
the lie, and compares every number with the record."""


def replay(
    witness: Annotated[Path, typer.Argument(metavar="WITNESS.json", help="The witness, or an audit.json.")],
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, recompute, write, show."""
    from marketproof.atomic import write_all
    from marketproof.console import stdout
    from marketproof.errors import RequirementFailed
    from marketproof.witnesses import read_witnesses
    from proofs_checks.evidence import replay as recompute

    console = stdout(quiet=quiet)
    results, failed = [], []
    for name, told in read_witnesses(witness):
        done = recompute(told)
        results.append(
            {
                "witness": name,
                "mechanism": told.mechanism,
                "property": told.property,
                "reproduced": done.reproduced,
                "bitwise": done.bitwise,
                "difference": done.difference,
                "sentence": told.sentence(),
            }
        )
        how = "to the bit" if done.bitwise else "up to rounding"
        verdict = f"reproduced {how}" if done.reproduced else f"NOT reproduced: {done.difference}"
        console.print(f"{name}: {told.property} under {told.mechanism}: {told.sentence()}")
        console.print(f"  {verdict}")
        if not done.reproduced:
            failed.append(f"{name}: {done.difference}")
    if json is not None:
        write_all({json: dumps({"reproduced": not failed, "witnesses": results})})
    if failed:
        raise RequirementFailed(f"not reproduced: {'; '.join(failed)}")
