"""Finding proofs. Nothing here is trusted: the checkers see only what is written down."""

from __future__ import annotations

from proofs_checks.proofs.checkers.codec import CertificateError
from proofs_checks.proofs.checkers.concavity import FallingReturns, Tangent, TangentGap
from proofs_checks.proofs.checkers.derivation import Derivation, Problem, Step
from proofs_checks.proofs.checkers.telescoping import Exchange, Telescoping
from proofs_checks.proofs.formulas.forms import Form, combined, form
from proofs_checks.proofs.formulas.problems import PROBLEMS
from proofs_checks.proofs.formulas.scripts import SCRIPTS


def tangent_gap(p: int, q: int) -> TangentGap:
    """Divide q s^(p+q) - (p+q) t^p s^q + p t^(p+q) by (s - t)², by long division in s with t = 1 put back after."""
    degree = p + q
    polynomial = [0] * (degree + 1)  # by power of s; homogeneous: the power of t follows
    polynomial[degree] += q
    polynomial[q] -= degree
    polynomial[0] += p
    for _ in range(2):  # divide by (s - t), synthetic division
        quotient, carry = [0] * len(polynomial), 0
        for power in range(len(polynomial) - 1, -1, -1):
            carry += polynomial[power]
            if power:
                quotient[power - 1] = carry
        if carry:
            raise CertificateError(f"the tangent gap of exponent {p}/{q} has no factor (s-t)²")
        polynomial = quotient[:-1]
    return TangentGap(p, q, tuple((c, i, degree - 2 - i) for i, c in enumerate(polynomial) if c))


def falling_returns() -> FallingReturns:
    """Return tangents at x+d and x+a, each seen from both ends, weighted so that slopes cancel."""
    low, high, plus_d, plus_a = (0, 0), (1, 1), (0, 1), (1, 0)
    return FallingReturns(
        (
            Tangent(plus_d, low, 1, 0),
            Tangent(plus_d, high, 0, 1),
            Tangent(plus_a, low, 0, 1),
            Tangent(plus_a, high, 1, 0),
        )
    )


def telescoping(n: int = 4) -> Telescoping:
    """Return the rows j < k with S = everything before k but j, and the induction step."""
    rows = tuple(Exchange(j, k, ((1 << k) - 1) & ~(1 << j), 1) for k in range(n) for j in range(k))
    return Telescoping(n, rows, (("N", 1, -1), ("N'", -1, 1), ("ΣN-j", 1, 0), ("ΣN'-j", -1, 0)))


def derive(problem: str) -> Derivation:
    """Write out the proof of a problem from its script: labels become lines, sums are carried out."""
    return Derivation(problem, _written(PROBLEMS[problem], SCRIPTS[problem]))


def _written(problem: Problem, script: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    labels: dict[str, int] = {}

    def line(claim: Form | str, rule: str, name: str, of: tuple[tuple[int, int], ...]) -> int:
        steps.append(Step(str(claim if isinstance(claim, Form) else form(claim)), rule, name, of))
        return len(steps) - 1

    def at(label: str) -> int:
        """Return the line of a label; an axiom without label is written down when it is first used."""
        if label not in labels:
            axiom = problem.axioms[label]
            needed = tuple(
                (next(k for k, s in enumerate(steps) if form(s.claim) == form(text)), 1) for text in axiom.requires
            )
            labels[label] = line(axiom.claim, "axiom", label, needed)
        return labels[label]

    for row in filter(None, script.splitlines()):
        label, rule, *rest = row.split()
        if rule == "sum":
            source = form(steps[at(rest[0])].claim)
            tail = f"[{rest[1]}]"
            claim = Form(tuple(sorted(("Σ" + a.removesuffix(tail), c) for a, c in source.terms)), source.relation)
            labels[label] = line(claim, rule, rest[1], ((at(rest[0]), 1),))
        elif rule == "cases":
            yes, no = at(rest[0]), at(rest[1])
            labels[label] = line(steps[yes].claim, rule, " ".join(rest[2:]), ((yes, 1), (no, 1)))
        else:  # combine: signed labels, e.g. "+ a - 2 b >="
            relation, of, sign = rest[-1], [], 1
            for word in rest[:-1]:
                if word in "+-":
                    sign = 1 if word == "+" else -1
                elif word.isdigit():
                    sign *= int(word)
                else:
                    of.append((at(word), sign))
            total = combined(((m, form(steps[k].claim)) for k, m in of), relation)
            labels[label] = line(total, rule, "", tuple(of))
    return tuple(steps)
