"""A designed mechanism for people: its table, what its promises cost, and its audit."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from marketproof.terminal.console import table
from mechanism.design import Designed, Impossible, check_design
from mechanism.design.programme import all_profiles, chance, payment

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Audit:
    """What a second look found: ``wrong`` in exact arithmetic (empty: proved), what going through the table said."""

    wrong: tuple[str, ...]
    exhausted: tuple[str, ...]


def audited(answer: Designed | Impossible) -> Audit:
    """Check the answer in fractions from its specification alone, and go through its table.

    Truthfulness and rationality are exhausted where they were asked for at every profile; in expectation they are what
    the exact check is about.
    """
    wrong = tuple(check_design(answer))
    if isinstance(answer, Impossible):
        return Audit(wrong, ())
    from proofs_checks.evidence.exhaustive import exhaust
    from proofs_checks.evidence.grids import Grid

    spec, mechanism = answer.spec, answer.mechanism()
    grid = Grid(tuple(np.arange(len(agent.types), dtype=np.float64) for agent in spec.agents))
    asked = [("dsic", spec.incentive == "dsic"), ("ir", spec.rationality == "ex-post")]
    if spec.budget != "none" and spec.budget_when == "ex-post":
        asked.append(("budget-balance" if spec.budget == "exact" else "weak-budget-balance", True))
    return Audit(wrong, tuple(exhaust(mechanism, grid, name).words() for name, wanted in asked if wanted))


def _rows(answer: Designed) -> list[dict[str, Any]]:
    spec, zero = answer.spec, Fraction(0)
    return [
        {
            "types": [agent.types[t] for agent, t in zip(spec.agents, profile, strict=True)],
            "chances": {
                name: str(answer.point[chance(profile, x)])
                for x, name in enumerate(spec.outcomes)
                if answer.point.get(chance(profile, x), zero)
            },
            "payments": [str(answer.point.get(payment(profile, i), zero)) for i in range(len(spec.agents))],
        }
        for profile in all_profiles(spec)
    ]


def as_json(answer: Designed | Impossible, audit: Audit) -> dict[str, Any]:
    """Return the JSON of ``design --json``; fractions are texts such as "3/2"."""
    spec = answer.spec
    told: dict[str, Any] = {
        "title": spec.title,
        "agents": [agent.name for agent in spec.agents],
        "possible": isinstance(answer, Designed),
        "value": str(answer.value) if isinstance(answer, Designed) else None,
        "exact": answer.exact if isinstance(answer, Designed) else not audit.wrong,
        "mechanism": _rows(answer) if isinstance(answer, Designed) else None,
        "words": list(answer.sentences()),
        "audit": {"wrong": list(audit.wrong), "exhausted": list(audit.exhausted)},
    }
    return told


def show(answer: Designed | Impossible, audit: Audit, console: Console) -> None:
    """Print the mechanism or the contradiction, what the promises cost, and the audit."""
    spec = answer.spec
    console.print(f"{spec.title}: {spec.objective}, incentive {spec.incentive}, rationality {spec.rationality}, "
                  f"budget {spec.budget}", style="bold")  # fmt: skip
    if isinstance(answer, Designed):
        names = [agent.name for agent in spec.agents]
        rows = [
            [
                *row["types"],
                ", ".join(name if share == "1" else f"{name} {share}" for name, share in row["chances"].items()),
                *row["payments"],
            ]
            for row in _rows(answer)
        ]
        columns = (*names, "outcome", *(f"{name} pays" for name in names))
        console.print(table("The mechanism", columns, rows, left=len(names) + 1))
    for sentence in answer.sentences():
        console.print(f"  {sentence}")
    console.print("Audit", style="bold")
    sure = "every condition confirmed in fractions, from the specification alone"
    console.print(f"  {sure if not audit.wrong else '; '.join(audit.wrong)}")
    for sentence in audit.exhausted:
        console.print(f"  {sentence}")
