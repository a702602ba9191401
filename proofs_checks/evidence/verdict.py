"""Verdicts: what is known of a property of a mechanism, and how sure that is."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mechanism.wording import count, html_table

if TYPE_CHECKING:
    from proofs_checks.evidence.witness import Witness


class Grade(StrEnum):
    """How sure a verdict is.

    proved: a certificate re-checked without the solver that found it, for all types. exhausted: every profile and
    report of a declared finite grid, or an exact best response on every profile looked at. searched: nothing found by
    a named method, with a statistical bound. refuted: a witness is attached. unknown: none of these.
    """

    PROVED = "proved"
    EXHAUSTED = "exhausted"
    SEARCHED = "searched"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is known of one property of one mechanism, and how sure that is.

    ``holds``: True, False or None (unknown or does not apply). ``evidence``: method and counts. ``bound``: for grade
    searched, the statistical statement. ``witness``: for grade refuted.
    """

    property: str
    grade: Grade
    holds: bool | None
    statement: str
    evidence: dict[str, Any]
    bound: str | None = None
    witness: Witness | None = None
    seconds: float = 0.0

    @builtins.property
    def share(self) -> float | None:
        """Upper confidence bound on the share of profiles that break the property, where the search has one."""
        found = self.evidence.get("share")
        return None if found is None else float(found)

    @builtins.property
    def because(self) -> str:
        """What the verdict rests on, in words: the witness, what is proved of what, what was tried, or the reason."""
        evidence, tried = self.evidence, count(self.evidence.get("tried", 0))
        if self.witness is not None:
            return self.witness.sentence
        if self.grade is Grade.PROVED:
            formula, code = evidence["formula"], evidence["code"]
            lines = [f"code: {code['words']}; {tried} tried besides"]
            if formula is not None:
                checked = f"Coq {formula['version']}, {formula['checked']}"
                words = f"{formula['name']}: {formula['words']} Scope: {formula['scope']}. {checked}"
                lines.insert(0, f"formula (kernel), {words}")
            return "\n".join(lines)
        if "reason" in evidence:
            return str(evidence["reason"])
        if self.share is not None:
            sure = f"at most {self.share:.2g} of uniform profiles hold one that these probes would find"
            return f"{tried} tried, none found; at 99 % confidence {sure}"
        return f"{tried} tried, none found; {self.bound}"

    def _repr_html_(self) -> str:
        return table([self])

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form (design: `verify --json`)."""
        return {
            "property": self.property,
            "grade": str(self.grade),
            "holds": self.holds,
            "statement": self.statement,
            "evidence": self.evidence,
            "bound": self.bound,
            "witness": None if self.witness is None else self.witness.to_dict(),
            "seconds": self.seconds,
        }


class Verdicts(list[Verdict]):
    """Verdicts in a list, as `verify` returns them, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return table(self)


def table(verdicts: Iterable[Verdict]) -> str:
    """Return verdicts as an HTML table: property, whether it holds, grade, and what that rests on."""
    answers = {True: "yes", False: "no", None: "not decided"}
    rows = [("property", "holds", "grade", "evidence")]
    for v in verdicts:
        rows.append((v.property, answers[v.holds], str(v.grade), v.because))
    return html_table(rows)
