"""``marketproof claims``: every claim of the paper and of ours with its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from marketproof.commands.options import Json, Quiet, flag, option
from mechanism.wording import plural
from mechanism.writing import dumps

if TYPE_CHECKING:
    from proofs_checks.claims import ClaimResult, ClaimVerdict


HELP = """Check every claim of the paper and of the theory of this market, and say which are right.

A claim is one sentence. Its evidence is proved (of the formula by Coq, for the scope that is named; how the code was
held to it, and for how many clients, stands beside it; of trade on a grid: in fractions), searched (nothing found, with
what was tried, for how many clients and on which bounds), computed (for the numbers named, no others) or refuted by an
example. Claims on the rule in the authors' code are about the rule with exact roots, not about its solver. The evidence
is set beside what the source says: it "agrees" or "corrects" it, or is "open" where nothing here decides it. A finding
is not a failure: the exit status is 0. All take about a minute; --differing shows only those that do not agree."""

EPILOG = """Example: "marketproof claims --only rule-cost-example --only rule-overstating --json claims.json" recomputes
the market in which understating a cost pays, with its witness, and looks for one in which overstating does."""

COLUMNS = ("id", "source", "statement", "source says", "found", "evidence", "so it")

_HOLDS = {True: "yes", False: "no", None: "unknown"}
PAPER = "docs/results/paper.md of the repository"
"""Where verdicts stand that are worked out from recorded studies."""

_SO = {"agrees": "they agree", "corrects": "that corrects the source", "open": "that is open"}
_MANY = 20  # claims: so many are worth saying how long they take


def claims(
    only: Annotated[list[str] | None, option("ID", "Check this claim only (repeat for more).", "--only")] = None,
    budget: Annotated[float, option("SECONDS", "Time for all claims together, seconds.", "--budget")] = 60.0,
    differing: Annotated[
        bool, flag("Show only claims that correct their source or are open; all are checked.", "--differing")
    ] = False,
    seed: Annotated[int, option(None, "Which markets are drawn.", "--seed", min=0)] = 0,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Check, write, show."""
    from marketproof.terminal.console import bar, stderr, stdout, table
    from mechanism.errors import InputError
    from mechanism.writing import write_all
    from proofs_checks.claims import CLAIMS, run_claims

    if not 0.0 < budget < float("inf"):
        raise InputError(f"--budget is {budget}; expected seconds > 0")
    console = stdout(quiet=quiet)
    if (count := len(set(only or CLAIMS))) > _MANY:
        stderr(quiet=quiet).print(f"Checking {count} claims; this takes about {budget:g} s (--budget).")
    with bar("claims", quiet=quiet) as progress:
        results = run_claims(only or None, budget=budget, seed=seed, progress=progress)
    if json is not None:
        write_all({json: dumps({"claims": [result.to_dict() for result in results]})})
    shown = [result for result in results if not differing or result.agrees != "agrees"]
    if shown:
        console.print(table("Claims", COLUMNS, [_row(result) for result in shown], left=len(COLUMNS)))
    for result in shown:
        if differing or only or result.agrees == "corrects":
            console.print(_told(result))
    console.print(_summary(results))


def _told(result: ClaimResult) -> str:
    """Return one claim's line: what the source says, what was found, and whether the two agree."""
    claim, verdict = result.claim, result.verdict
    found = "none" if verdict.holds is None else f"{_HOLDS[verdict.holds]} ({_grade(verdict)})"
    both = f"the source says {_HOLDS[claim.expected]}; evidence: {found}; {_SO[result.agrees]}"
    return f"{claim.id}: {both}: {verdict.words}"


def _grade(verdict: ClaimVerdict) -> str:
    """Return the grade, and of what a proof is."""
    if verdict.grade != "proved":
        return str(verdict.grade)
    evidence, code = verdict.evidence, verdict.evidence.get("code", {})
    if code.get("grade") == "proved":
        return f"proved of the code, n = {code['agents']}"
    return "proved of the formula" if {"formula", "theorem"} & set(evidence) else "proved in fractions"


def _summary(results: list[ClaimResult]) -> str:
    """Return how many agree, correct and are open, in numbers that fit their words."""

    def part(word: str, one: str, more: str) -> str:
        return plural(sum(r.agrees == word for r in results), one, more)

    total = plural(len(results), "claim")
    agree = part("agrees", "agrees with its source", "agree with their source")
    counted = f"{part('corrects', 'corrects it', 'correct it')}, {part('open', 'is open', 'are open')}"
    return f"{total}: {agree}, {counted}\nWhat of the paper's experiments holds in training: {PAPER}"


def _row(result: ClaimResult) -> list[str]:
    claim, verdict = result.claim, result.verdict
    found = _HOLDS[verdict.holds], _grade(verdict), {"open": "is open"}.get(result.agrees, result.agrees)
    return [claim.id, claim.source, claim.statement, _HOLDS[claim.expected], *found]
