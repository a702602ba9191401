"""Algebraic proofs: a chain of linear statements, each an assumption, a sum of earlier ones, or a closed case split.

The checker adds integers and compares. It knows no economics: what may be assumed and what is to be shown stand in
`Problem`, apart from the proof.

Statements are linear with integer coefficients, written as text: ``p - 2 c + W = 0`` or ``p - c >= 0``. An atom is a
quantity with a name; ``p[j]`` says that it exists once for every j, ``Σp`` is its sum over j.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from proofs_checks.evidence_errors import CertificateError

_TOKEN = re.compile(r"[^\s+=><-][^\s+=><]*")


@dataclass(frozen=True)
class Form:
    """``Σ coefficient · atom  relation  0``: terms by atom, no coefficient 0; ``relation`` is ``=`` or ``>=``."""

    terms: tuple[tuple[str, int], ...]
    relation: str

    def __str__(self) -> str:
        words = []
        for atom, coefficient in self.terms:
            sign = "-" if coefficient < 0 else "+"
            size = "" if abs(coefficient) == 1 else f"{abs(coefficient)} "
            words.append(f"{sign} {size}{atom}")
        left = " ".join(words).removeprefix("+ ") or "0"
        return f"{left} {self.relation} 0"


def combined(parts: Iterable[tuple[int, Form]], relation: str) -> Form:
    """Return the sum of multiples of forms as one form with the relation given."""
    total: dict[str, int] = {}
    for multiplier, form in parts:
        for atom, coefficient in form.terms:
            total[atom] = total.get(atom, 0) + multiplier * coefficient
    return Form(tuple(sorted((a, c) for a, c in total.items() if c)), relation)


def form(text: str) -> Form:
    """Read a form.

    >>> str(form("p - 2 c + 0 x >= 0"))
    '- 2 c + p >= 0'

    Raises
    ------
    CertificateError
        If the text is no such statement.
    """
    match = re.fullmatch(r"(.{1,2000}?) (>=|=) 0", text)
    if match is None:
        raise CertificateError(f"{text[:60]!r} is no linear statement; expected one such as 'p - c >= 0'")
    total: dict[str, int] = {}
    words = match[1].split(" ")
    sign, size, expect_sign = 1, 1, False
    for k, word in enumerate(words):
        if word in ("+", "-") and (expect_sign or k == 0):
            sign, expect_sign = (1 if word == "+" else -1), False
        elif not expect_sign and re.fullmatch(r"[0-9]{1,9}", word, re.ASCII) and k + 1 < len(words):
            size *= int(word)
        elif not expect_sign and _TOKEN.fullmatch(word) and not word.isdigit():
            total[word] = total.get(word, 0) + sign * size
            sign, size, expect_sign = 1, 1, True
        elif words == ["0"]:
            expect_sign = True
        else:
            raise CertificateError(f"{text[:60]!r} cannot be read at {word[:20]!r}; expected 'p - 2 c >= 0'")
    if not expect_sign:
        raise CertificateError(f"{text[:60]!r} ends early; expected 'p - 2 c >= 0'")
    return Form(tuple(sorted((a, c) for a, c in total.items() if c)), match[2])


@dataclass(frozen=True)
class Axiom:
    """A statement that may be used as it stands.

    ``claim``: the form, for every value of its indices. ``words``: what it says. ``source``: ``definition``,
    ``assumption`` or ``lemma NAME`` (another part of the certificate). ``case``: "" or ``question:answer``, answers
    yes and no; it then holds in that case only. ``requires``: forms that must have been derived before.
    """

    claim: str
    words: str
    source: str = "definition"
    case: str = ""
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """What is to be shown, and from what: axioms by name and the goal."""

    axioms: dict[str, Axiom]
    goal: str


@dataclass(frozen=True)
class Step:
    """One line of a proof.

    ``rule`` is ``axiom`` (``name`` says which), ``combine`` (sum of multiples of earlier lines, multipliers of
    inequalities >= 0), ``sum`` (over the index ``name``: every atom of the line carries it), or ``cases`` (the same
    statement under both answers to the question ``name``). ``of``: (line, multiplier) pairs, lines counted from 0.
    """

    claim: str
    rule: str
    name: str
    of: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Derivation:
    """The proof of one problem, named as in `proofs_checks.proofs.problems`."""

    problem: str
    steps: tuple[Step, ...]


def check_derivation(proof: Derivation, problem: Problem) -> list[str]:
    """Return what is wrong with a proof, empty if every line follows and the last one is the goal in all cases."""
    lines: list[tuple[Form, frozenset[str]]] = []
    for k, step in enumerate(proof.steps):
        try:
            claim = form(step.claim)
            lines.append((claim, _follows(step, claim, lines, problem)))
        except CertificateError as error:
            return [f"line {k} ({step.claim[:60]}): {error}"]
    if not lines or lines[-1][0] != form(problem.goal):
        return [f"the last line is not the goal {problem.goal}"]
    return [f"the goal is shown only in the case {case}" for case in sorted(lines[-1][1])]


def _follows(step: Step, claim: Form, lines: list[tuple[Form, frozenset[str]]], problem: Problem) -> frozenset[str]:
    """Return the cases under which a line holds; raise if it does not follow."""
    if any(not 0 <= line < len(lines) for line, _ in step.of):
        raise CertificateError("cites a line that does not stand before it")
    used = [(multiplier, *lines[line]) for line, multiplier in step.of]
    cases = frozenset[str]().union(*(c for _, _, c in used))
    if step.rule == "axiom":
        axiom = problem.axioms.get(step.name)
        if axiom is None or form(axiom.claim) != claim:
            raise CertificateError(f"is not the axiom {step.name[:40]!r}")
        if [f for _, f, _ in used] != [form(text) for text in axiom.requires]:
            raise CertificateError(f"the axiom {step.name!r} needs {'; '.join(axiom.requires) or 'no line'}")
        return cases | ({axiom.case} if axiom.case else set())
    if step.rule == "combine":
        if any(multiplier < 0 and f.relation == ">=" for multiplier, f, _ in used):
            raise CertificateError("multiplies an inequality by a negative number")
        if claim.relation == "=" and any(f.relation == ">=" for _, f, _ in used):
            raise CertificateError("draws an equation from an inequality")
        if combined(((m, f) for m, f, _ in used), claim.relation) != claim:
            raise CertificateError("is not the sum of the lines that it cites")
        return cases
    if step.rule == "sum" and len(used) == 1 and not cases:
        tail, source = f"[{step.name}]", used[0][1]
        if step.name.isalpha() and all(atom.endswith(tail) for atom, _ in source.terms):
            renamed = tuple(sorted(("Σ" + atom.removesuffix(tail), c) for atom, c in source.terms))
            if Form(renamed, source.relation) == claim:
                return cases
    if step.rule == "cases" and len(used) == 2 and used[0][1] == used[1][1] == claim:
        return (used[0][2] - {f"{step.name}:yes"}) | (used[1][2] - {f"{step.name}:no"})
    raise CertificateError(f"does not follow by {step.rule[:20]!r}")
