"""``marketproof design``: the best mechanism on a finite type space, what its promises cost, and its audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from marketproof.commands.options import FixedSeed, Json, Quiet, argument
from marketproof.terminal.console import stdout, table
from mechanism.writing import refuse_overwriting, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from mechanism.design import Designed, Impossible

HELP = """Find the best mechanism on finitely many types, or prove that none keeps the promises asked for.

SPEC.toml names the agents' types and values, the outcomes, the promises (truthful in dominant strategies or in
expectation, individually rational, balanced) and the objective. A linear programme finds the mechanism; exact fractions
confirm it, its dual says what each promise costs, and every profile and report is then audited."""

EPILOG = r"""Example, a file SPEC.toml: title = "a price", objective = "revenue", incentive = "dsic", rationality =
"ex-post", outcomes = ["kept", "sold"], then [\[agents]] with name = "buyer", types = ["low", "high"], values =
[[0, 1], [0, 3]]: a row for each type, a number for each outcome. Two more lie in docs/specs."""


def design(
    spec: Annotated[Path, argument("SPEC.toml", "Types, outcomes, promises and the objective.")],
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, design, audit, write, show."""
    from mechanism.design import design as best
    from mechanism.design import read_spec

    refuse_overwriting([json], [spec])
    answer = best(read_spec(spec))
    audit = audited(answer)
    write_json(json, as_json(answer, audit))
    _show(answer, audit, stdout(quiet=quiet))


@dataclass(frozen=True)
class Audit:
    """What a second look found: ``wrong`` in exact arithmetic (empty: proved), what going through the table said."""

    wrong: tuple[str, ...]
    exhausted: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One type profile of a mechanism: the chance of each outcome, and what each agent pays; texts such as "3/2"."""

    types: tuple[str, ...]
    chances: Mapping[str, str]
    payments: tuple[str, ...]


def audited(answer: Designed | Impossible) -> Audit:
    """Check the answer in fractions from its specification alone, and go through its table.

    Truthfulness and rationality are exhausted where they were asked for at every profile; in expectation they are what
    the exact check is about.
    """
    import numpy as np

    from mechanism.design import Impossible, check_design

    wrong = tuple(check_design(answer))
    if isinstance(answer, Impossible):
        return Audit(wrong, ())
    from proofs_checks.evidence.exhaustive import exhaust
    from proofs_checks.search.grids import Grid

    spec, mechanism = answer.spec, answer.mechanism()
    grid = Grid(tuple(np.arange(len(agent.types), dtype=np.float64) for agent in spec.agents))
    asked = [("dsic", spec.incentive == "dsic"), ("ir", spec.rationality == "ex-post")]
    if spec.budget != "none" and spec.budget_when == "ex-post":
        asked.append(("budget-balance" if spec.budget == "exact" else "weak-budget-balance", True))
    return Audit(wrong, tuple(exhaust(mechanism, grid, name).words() for name, wanted in asked if wanted))


def _lines(answer: Designed) -> list[Line]:
    from mechanism.design.programme import all_profiles, chance, payment

    spec, point = answer.spec, answer.point
    return [
        Line(
            tuple(agent.types[t] for agent, t in zip(spec.agents, profile, strict=True)),
            {name: str(p) for x, name in enumerate(spec.outcomes) if (p := point.get(chance(profile, x)))},
            tuple(str(point.get(payment(profile, i), 0)) for i in range(len(spec.agents))),
        )
        for profile in all_profiles(spec)
    ]


def as_json(answer: Designed | Impossible, audit: Audit) -> dict[str, Any]:
    """Return the JSON of ``design --json``; fractions are texts such as "3/2"."""
    from mechanism.design import Designed

    best = answer if isinstance(answer, Designed) else None
    return {
        "title": answer.spec.title,
        "agents": [agent.name for agent in answer.spec.agents],
        "possible": best is not None,
        "value": None if best is None else str(best.value),
        "exact": not audit.wrong if best is None else best.exact,
        "mechanism": None if best is None else [asdict(line) for line in _lines(best)],
        "words": answer.sentences(),
        "audit": asdict(audit),
    }


def _show(answer: Designed | Impossible, audit: Audit, console: Console) -> None:
    """Print the mechanism or the contradiction, what the promises cost, and the audit."""
    from mechanism.design import Designed

    spec = answer.spec
    console.print(f"{spec.title}: {spec.objective}, incentive {spec.incentive}, rationality {spec.rationality}, "
                  f"budget {spec.budget}", style="bold")  # fmt: skip
    if isinstance(answer, Designed):
        names = [agent.name for agent in spec.agents]
        rows = [[*line.types, _outcome(line.chances), *line.payments] for line in _lines(answer)]
        columns = (*names, "outcome", *(f"{name} pays" for name in names))
        console.print(table("The mechanism", columns, rows, left=len(names) + 1))
    for sentence in answer.sentences():
        console.print(f"  {sentence}")
    console.print("Audit", style="bold")
    sure = "every condition confirmed in fractions, from the specification alone"
    for sentence in (sure if not audit.wrong else "; ".join(audit.wrong), *audit.exhausted):
        console.print(f"  {sentence}")


def _outcome(chances: Mapping[str, str]) -> str:
    return ", ".join(name if share == "1" else f"{name} {share}" for name, share in chances.items())
