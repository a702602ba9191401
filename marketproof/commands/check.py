"""``marketproof check``: what a file claims is worked out again, by code that trusts nothing in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from marketproof.commands.options import FixedSeed, Json, Quiet

HELP = """Check a file that claims something: a certificate of a clearing, or verdicts with their witnesses.

A certificate ('marketproof clear --certificate FILE') holds what was cleared, and bounds from which it follows that
nobody could have bought better and that prices are what the rule says. They are added up again here, in numbers rounded
outwards; how they were found does not matter. Exit status 0 if all holds, 1 if something does not, 2 if the file is
damaged or no such file."""

EPILOG = """Example: "marketproof clear A.csv --certificate A.json", then "marketproof check A.json"."""

_LARGEST = 1 << 27


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate, or the file of verify --json.")],
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, check, write, show."""
    from marketproof.exits import RequirementFailed
    from marketproof.files.atomic import dumps, refuse_overwriting, write_all
    from marketproof.terminal.console import stdout

    refuse_overwriting([json], [file])
    results = checked(file)
    holds = all(result["holds"] for result in results)
    if json is not None:
        write_all({json: dumps({"holds": holds, "checked": results})})
    for result in results:
        stdout(quiet=quiet).print(f"{result['what']}: {result['sentence']}")
    if not holds:
        raise RequirementFailed("; ".join(f"{r['what']}: {r['sentence']}" for r in results if not r["holds"]))


def checked(path: Path) -> list[dict[str, Any]]:
    """Return what was found of everything that the file claims: ``what``, ``holds``, ``sentence``.

    Raises
    ------
    InputError
        If the file claims nothing that could be checked, or is damaged.
    """
    from mechanism.errors import InputError, one_line, shown
    from mechanism.reading import read_json

    content = read_json(path, _LARGEST, "a certificate or verdicts")
    if isinstance(content, dict) and str(content.get("format")).startswith("marketproof-clearing"):
        from mechanism.market.allocation.certificate_file import check_file

        found = check_file(content, one_line(path))
        return [{"what": f"Clearing by {found.mechanism}", **found.as_json()}]
    raise InputError(f"{shown(path)} is neither a certificate nor verdicts: expected 'marketproof clear --certificate'")
