"""Which promises each rule keeps in every market: the verdicts of ``make matrix``, checked again when used.

The package holds the verdicts on the market rules, made from ``docs/results/matrix.json`` by
``python -m analysis.findings.rules.verdicts docs/results/matrix.json``. What can be checked in a moment is not taken on
trust: every certificate is written anew and checked by the checker that trusts no solver, and every witness is
replayed. A verdict that fails this becomes *unknown*. Only *searched* ones are quoted, with the bound that the search
gave.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from analysis.findings.base import Drawing, Evidence, Finding, always
from analysis.findings.rules.matrix import as_matrix, draw_columns
from analysis.page.export import write_text
from analysis.page.tables import Table
from analysis.run.files import RecordError, read_json
from analysis.run.records import Run

PACKAGED = Path(__file__).parents[2] / "page" / "templates" / "verdicts.json"


@dataclass(frozen=True)
class RuleVerdict:
    """One verdict: rule, property, grade, whether it holds, the evidence in words, and whether that was redone."""

    mechanism: str
    property: str
    grade: str
    holds: bool | None
    words: str
    redone: bool


def compact(matrix: Mapping[str, Any], mechanisms: Iterable[str]) -> dict[str, Any]:
    """Return the cells of the matrix about these mechanisms with what a report needs: words, witness, theorem."""
    cells = []
    for name in mechanisms:
        for cell in matrix["cells"]:
            if cell["mechanism"] == name:
                kept = {key: cell[key] for key in ("mechanism", "property", "grade", "holds", "agrees", "witness")}
                cells.append(kept | {"words": _words(cell), "of": cell["evidence"].get("of")})
    return {"cells": cells}


def _words(cell: Mapping[str, Any]) -> str:
    if cell["witness"] is not None:
        return str(cell["witness"]["sentence"])
    evidence = cell["evidence"]
    return str(evidence.get("scope") or cell["bound"] or evidence.get("reason") or evidence.get("method", ""))


@lru_cache(maxsize=1)
def packaged() -> tuple[Mapping[str, Any], ...]:
    """Return the packaged cells; none (and no error) where the installation lacks the file."""
    try:
        return tuple(read_json(PACKAGED)["cells"])
    except (RecordError, KeyError):
        return ()


@lru_cache(maxsize=64)
def verdicts(rule: str) -> tuple[RuleVerdict, ...]:
    """Return the verdicts on a market rule, certificates and witnesses redone here and now; empty for another rule."""
    return tuple(_redone(cell) for cell in packaged() if cell["mechanism"] == rule)


def _redone(cell: Mapping[str, Any]) -> RuleVerdict:
    found = RuleVerdict(cell["mechanism"], cell["property"], cell["grade"], cell["holds"], cell["words"], False)
    if found.grade == "proved":
        from proofs_checks.proofs import check, prove

        certificate = prove(found.mechanism, str(cell["of"] or found.property))
        if certificate is not None and not check(certificate):
            return replace(found, redone=True)
        return replace(found, grade="unknown", holds=None, words="the certificate is not accepted here")
    if cell["witness"] is not None:
        from mechanism.catalogue import direct_mechanism
        from proofs_checks import Witness, replay

        witness = Witness.from_dict(cell["witness"])
        if replay(witness, direct_mechanism(found.mechanism, witness.built)).reproduces:
            return replace(found, redone=True)
        return replace(found, grade="unknown", holds=None, words="the witness does not replay here")
    return found


def verdict_table(found: Iterable[RuleVerdict]) -> Table:
    """Return verdicts as a table: promise, rule, grade, and the evidence in words."""
    rows = tuple((v.property, v.mechanism, v.grade, v.words) for v in found)
    return Table("What is known of each rule, for every market", ("promise", "rule", "grade", "evidence"), rows)


def property_table(found: Iterable[RuleVerdict]) -> Table:
    """Return what each property says, in words, a row per property that has a verdict."""
    from mechanism.catalogue import PROPERTIES

    names = dict.fromkeys(v.property for v in found)
    rows = tuple((name, PROPERTIES.get(name, "–")) for name in names)
    return Table("What each property says", ("property", "statement"), rows)


def of_run(run: Run) -> tuple[RuleVerdict, ...] | None:
    """Return what is known of every rule of the run, for every market; None where nothing is."""
    rules = dict.fromkeys(str(run.mechanisms[name]) for name in run.markets)
    return tuple(verdict for rule in rules for verdict in verdicts(rule)) or None


Verdicts = tuple[RuleVerdict, ...]


def answer(_: Run, found: Verdicts) -> str:
    """Answer: what is proved and what refuted of each rule, and what was redone for this page."""
    said = []
    for rule in dict.fromkeys(v.mechanism for v in found):
        own = [v.grade for v in found if v.mechanism == rule]
        said.append(
            f"Of {len(own)} properties of {rule}, {own.count('proved')} are proved and {own.count('refuted')} refuted."
        )
    redone = [v.grade for v in found if v.redone]
    said.append(
        f"For this page {redone.count('proved')} certificates were checked and {redone.count('refuted')} "
        "counterexamples recomputed; what was only searched is quoted."
    )
    return " ".join(said)


def drawing(_: Run, found: Verdicts) -> Drawing:
    """Verdicts of the run's rules on every property."""
    parts = []
    for rule in dict.fromkeys(v.mechanism for v in found):
        own = [v for v in found if v.mechanism == rule]
        grades = {g: [v.property for v in own if v.grade == g] for g in dict.fromkeys(v.grade for v in own)}
        parts.append(f"{rule}: " + "; ".join(f"{g} {', '.join(names)}" for g, names in grades.items()))
    return Drawing(
        "Verdicts by rule and property. " + ". ".join(parts) + ".",
        "A filled disc is a proof for every market, a circle a search that found nothing, a cross a counterexample. A "
        "cross is no scandal by itself: look whether the property is one that your market needs, and at its example in "
        "the table. What each property says stands below.",
        draw_columns(as_matrix([vars(v) for v in found])),
        verdict_table(found),
    )


def evidence(_: Run, found: Verdicts) -> tuple[Evidence, ...]:
    """Return the verdicts on the promises that matter most: individual rationality, costs, balance, efficiency."""
    chosen = ("ir", "dsic-cost", "budget-balance", "efficiency")
    return tuple(Evidence(v.grade, f"{v.mechanism}, {v.property}", v.words) for v in found if v.property in chosen)


VERDICTS = Finding(
    "verdicts", "Which promises does each rule keep in every market?", of_run, answer, always("verdicts", drawing),
    evidence, table=lambda _, found: property_table(found),
)  # fmt: skip


def main(matrix: str) -> None:
    """Write the packaged verdicts from ``matrix.json``."""
    from mechanism.catalogue import MARKET_ENTRIES

    kept = compact(json.loads(Path(matrix).read_text(encoding="utf-8")), MARKET_ENTRIES)
    lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in kept["cells"])
    write_text(PACKAGED, f'{{"cells": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main(*sys.argv[1:])
