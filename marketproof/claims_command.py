"""``marketproof claims``: every claim of the paper and of ours with its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketproof.commands.options import Json, Quiet, dumps

if TYPE_CHECKING:
    from proofs_checks.claims import ClaimResult


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("claims", help=HELP, epilog=EPILOG)(claims)


HELP = """Check every claim of the paper and of the theory of this market, and say which are right.

A claim is one sentence. Each is proved, searched, recomputed or refuted by an example, and then set beside what its
source says: it "agrees" or "corrects" it, or is "open" where nothing here decides it. A finding is not a failure: the
exit status is 0."""

EPILOG = """Example: "marketproof claims --only rule-cost-example --only rule-overstating --json claims.json" recomputes
the market in which understating a cost pays, with its witness, and looks for one in which overstating does."""

COLUMNS = ("id", "source", "statement", "verdict", "grade", "agrees")

_HOLDS = {True: "yes", False: "no", None: "unknown"}


def claims(
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="ID", help="Check this claim only (repeat for more).")
    ] = None,
    budget: Annotated[
        float, typer.Option("--budget", metavar="SECONDS", help="Time for all claims together, seconds.")
    ] = 60.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which markets are drawn.")] = 0,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Check, write, show."""
    from marketproof.atomic import write_all
    from marketproof.console import stdout, table
    from marketproof.errors import InputError
    from marketproof.progress import bar
    from proofs_checks.claims import run_claims

    if not 0.0 < budget < float("inf"):
        raise InputError(f"--budget is {budget}; expected seconds > 0")
    console = stdout(quiet=quiet)
    with bar("claims", quiet=quiet) as progress:
        results = run_claims(only or None, budget=budget, seed=seed, progress=progress)
    if json is not None:
        write_all({json: dumps({"claims": [result.to_dict() for result in results]})})
    rows = [_row(result) for result in results]
    console.print(table("Claims", COLUMNS, rows, left=len(COLUMNS)))
    for result in results:
        if result.agrees == "corrects" or only:
            console.print(f"{result.claim.id}: {result.agrees}: {result.verdict.words}")
    counts = {word: sum(r.agrees == word for r in results) for word in ("agrees", "corrects", "open")}
    console.print(
        f"{len(results)} claims: {counts['agrees']} agree with their source, {counts['corrects']} correct it, "
        f"{counts['open']} are open"
    )


def _row(result: ClaimResult) -> list[str]:
    claim, verdict = result.claim, result.verdict
    return [claim.id, claim.source, claim.statement, _HOLDS[verdict.holds], str(verdict.grade), result.agrees]
