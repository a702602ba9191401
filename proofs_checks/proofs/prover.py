"""Finding proofs. Nothing here is trusted: the checkers see only what is written down.

The algebraic proofs stand as scripts, one line a step: label, rule, and what it uses (axioms by name, earlier lines by
label).
"""

from __future__ import annotations

from proofs_checks.evidence_errors import CertificateError
from proofs_checks.proofs.derivation import Derivation, Form, Problem, Step, combined, form
from proofs_checks.proofs.lemmas import Exchange, FallingReturns, Tangent, TangentGap, Telescoping
from proofs_checks.proofs.problems import PROBLEMS

_TRUTH_IN_OUT = """
w-in combine + truth-in + truth-price =
w-out combine + truth-out - truth-rest =
w cases w-in w-out sells by truth
l-in combine + lie-in + lie-price - lie-worth =
l-out combine + lie-out - lie-rest =
l cases l-in l-out sells by lie
"""

SCRIPTS: dict[str, str] = {
    "marginal-buyer": """
each combine + penalty - price >=
sums sum each j
end combine + buyer + telescoping + sums >=
""",
    "clarke-buyer": """
each combine + rest - best - price - objective + penalty >=
sums sum each j
end combine + buyer + telescoping + sums >=
""",
    "threshold-seller": """
gap combine + order + accepted >=
finite combine + falling + root + price >=
infinite combine + rising + price - free >=
each cases finite infinite finite threshold
sums sum each s
end combine + seller + sums >=
""",
    "exact-marginal-seller": """
each combine + best - objective + price >=
sums sum each s
end combine + seller + sums >=
""",
    "clarke-seller": """
each combine + more + price >=
sums sum each s
end combine + seller + sums >=
""",
    "both-roles": "end combine + utility + buyer + seller >=",
    "clarke-truth": _TRUTH_IN_OUT
    + """
each combine + w - l + best >=
sums sum each i
end combine + total - lie-total + sums >=
""",
    "separable-optimum": """
sums sum best i
end combine + total - other + sums >=
""",
    "bilateral-balance": """
pairs sum pair h
selves sum self i
centres sum centre i
end combine + total + pairs + selves + centres =
""",
    "posted-buyer": """
sums sum price j
end combine + buyer + nothing - sums >=
""",
    "posted-seller": """
each combine + price + willing >=
sums sum each s
end combine + seller + sums >=
""",
    "posted-truth-cost": """
on-on combine + on-truth - on-lie >=
on-off combine + on-truth + fair - off-lie >=
on cases on-on on-off on offer by lie
off-on combine + off-truth + dear - on-lie >=
off-off combine + off-truth - off-lie >=
off cases off-on off-off on offer by lie
each cases on off truly on offer
sums sum each i
end combine + total - lie-total + sums >=
""",
    "posted-truth-gain": "end combine + truth - lie + best >=",
    "pivot-truth": "end combine + truth - pivot - lie + lie-pivot + best >=",
    "pivot-ir": "end combine + truth - pivot + best + worth >=",
    "pivot-budget": """
each combine + pivot + best >=
sums sum each i
end combine + total + sums >=
""",
    "pivot-efficiency": "end combine + best + truth - other >=",
    "critical-truth": """
win-win combine + win - lie-win >=
win-lose combine + win + above - lie-lose >=
wins cases win-win win-lose wins by lie
lose-win combine + lose + below - lie-win >=
lose-lose combine + lose - lie-lose >=
loses cases lose-win lose-lose wins by lie
end cases wins loses wins by truth
""",
    "critical-ir": """
wins combine + win + above >=
loses combine + lose >=
end cases wins loses wins by truth
""",
}
"""Proofs by problem."""


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
