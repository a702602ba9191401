"""``marketproof design``: the best mechanism on a finite type space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marketproof.commands.options import FixedSeed, Json, Quiet, dumps


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("design", help=HELP, epilog=EPILOG)(design)


HELP = """Find the best mechanism on finitely many types, or prove that none keeps the promises asked for.

SPEC.toml names the agents' types and values, the outcomes, the promises (truthful in dominant strategies or in
expectation, individually rational, balanced) and the objective. A linear programme finds the mechanism; exact fractions
confirm it, its dual says what each promise costs, and every profile and report is then audited."""

EPILOG = r"""Example, a file SPEC.toml: title = "a price", objective = "revenue", incentive = "dsic", rationality =
"ex-post", outcomes = ["kept", "sold"], then [\[agents]] with name = "buyer", types = ["low", "high"], values =
[[0, 1], [0, 3]]: a row for each type, a number for each outcome. Two more lie in docs/specs."""


def design(
    spec: Annotated[Path, typer.Argument(metavar="SPEC.toml", help="Types, outcomes, promises and the objective.")],
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, design, audit, write, show."""
    from marketproof.designing import as_json, audited, show
    from marketproof.files.atomic import refuse_overwriting, write_all
    from marketproof.terminal.console import stdout
    from mechanism.design import design as best
    from mechanism.design import read_spec

    refuse_overwriting([json], [spec])
    answer = best(read_spec(spec))
    audit = audited(answer)
    if json is not None:
        write_all({json: dumps(as_json(answer, audit))})
    show(answer, audit, stdout(quiet=quiet))
