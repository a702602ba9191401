"""Solvers at work: trade on grids (HiGHS) and any gain of few sellers (z3, HiGHS). What they find is checked apart."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from mechanism.design.solve import Infeasible, contradiction, maximise
from mechanism.design.system import System, check_point
from mechanism.errors import SolverError
from proofs_checks.proofs.checkers.certificate import Certificate
from proofs_checks.proofs.checkers.checking import check, claim_of
from proofs_checks.proofs.checkers.codec import CertificateError
from proofs_checks.proofs.checkers.intervals import StepRule
from proofs_checks.proofs.checkers.setfunctions import (
    AXIOMS,
    MOST_SELLERS,
    Needed,
    SetFunctionProof,
    axiom_rows,
    denial,
)
from proofs_checks.proofs.checkers.trade import TradeProof, trade_system
from proofs_checks.proofs.finding.prover import step_rule_payments


def checked(certificate: Certificate) -> Certificate:
    """Return a certificate that passes its check.

    Raises
    ------
    CertificateError
        If it does not: what was found is no proof.
    """
    if wrong := check(certificate):
        raise CertificateError(f"what was found proves nothing: {wrong[0]}")
    return certificate


def trade_certificate(
    values: Sequence[Fraction | int | str],
    costs: Sequence[Fraction | int | str],
    *,
    incentive: str = "bic",
    rationality: str = "interim",
    balance: str = "ex-ante",
) -> Certificate:
    """Decide whether efficient trade on a grid can be truthful, rational and balanced, with a proof either way.

    Raises
    ------
    CertificateError
        If the grid or a word is not one of `TradeProof`'s, or the answer cannot be confirmed in fractions.
    """
    v, c = tuple(Fraction(x) for x in values), tuple(Fraction(x) for x in costs)
    system = trade_system(v, c, incentive, rationality, balance)
    try:
        found = maximise(system, {})
    except SolverError as error:
        raise CertificateError(f"the grid could not be decided: {error}") from None
    numbers = found.multipliers if isinstance(found, Infeasible) else found.point
    answer = "impossible" if isinstance(found, Infeasible) else "possible"
    part = TradeProof(v, c, incentive, rationality, balance, answer, tuple(sorted(numbers.items())))
    return checked(Certificate(*claim_of(part), parts=(part,)))


def step_rule_certificate(
    cuts: Sequence[Fraction | int | str],
    levels: Sequence[Fraction | int | str],
    payments: Sequence[Fraction | int | str] | None = None,
    *,
    low: Fraction | int = 0,
    high: Fraction | int = 1,
) -> Certificate:
    """Prove that a step rule with these payments (default Myerson's) is truthful and rational.

    Raises
    ------
    CertificateError
        If it is not; the message names the value that gains or loses.
    """
    t, a = tuple(Fraction(x) for x in cuts), tuple(Fraction(x) for x in levels)
    p = step_rule_payments(t, a) if payments is None else tuple(Fraction(x) for x in payments)
    part = StepRule(Fraction(low), Fraction(high), t, a, p)
    return checked(Certificate(*claim_of(part), parts=(part,)))


def set_function_certificate(sellers: int = 3, axioms: Sequence[str] = tuple(AXIOMS)) -> Certificate | None:
    """Prove buyers' rationality for any gain with these axioms, or return None where it does not follow.

    z3 decides the linear encoding and names an unsatisfiable core; HiGHS turns the core into multipliers; for each
    axiom of the core z3 gives a gain with all other axioms that breaks the claim. The certificate assumes the core
    only. No answer of z3 is taken at its word.
    """
    if not 1 <= sellers <= MOST_SELLERS or not set(axioms) <= set(AXIOMS):
        raise CertificateError(f"expected 1 to {MOST_SELLERS} sellers and axioms among {', '.join(AXIOMS)}")
    core, _ = _decide(sellers, tuple(axioms))
    if core is None:
        return None
    multipliers = contradiction((*axiom_rows(sellers, core), denial(sellers)))
    needed = []
    for axiom in core:
        gain = counterexample(sellers, tuple(a for a in AXIOMS if a != axiom))
        if gain is not None:
            needed.append(Needed(axiom, tuple(sorted(gain.items()))))
    part = SetFunctionProof(sellers, core, tuple(sorted(multipliers.items())), tuple(needed))
    return checked(Certificate(*claim_of(part), parts=(part,)))


def counterexample(sellers: int, axioms: tuple[str, ...]) -> dict[str, Fraction] | None:
    """Return a gain by set with these axioms whose marginal contributions exceed it, exact; None if z3 finds none."""
    _, gain = _decide(sellers, axioms)
    if gain is not None and check_point((*axiom_rows(sellers, axioms), denial(sellers)), gain):
        raise CertificateError("z3's counterexample does not satisfy the rows")
    return gain


def _decide(sellers: int, axioms: tuple[str, ...]) -> tuple[tuple[str, ...] | None, dict[str, Fraction] | None]:
    """Ask z3 (QF_LRA): (axioms of an unsatisfiable core, None) or (None, a model)."""
    import z3

    solver = z3.SolverFor("QF_LRA")
    solver.set("core.minimize", True)
    unknowns: dict[str, Any] = {}
    flags = {axiom: z3.Bool(axiom) for axiom in axioms}
    for axiom in axioms:
        for statement in _z3_rows(axiom_rows(sellers, (axiom,)), unknowns):
            solver.add(z3.Implies(flags[axiom], statement))
    for statement in _z3_rows((denial(sellers),), unknowns):
        solver.add(statement)
    answer = solver.check(*flags.values())
    if answer == z3.unsat:
        core = {str(flag) for flag in solver.unsat_core()}
        return tuple(axiom for axiom in axioms if axiom in core), None
    if answer != z3.sat:
        raise CertificateError(f"z3 answers {answer}; the claim stays unknown")
    model = solver.model()
    values = {name: model.eval(u, model_completion=True) for name, u in unknowns.items()}
    return None, {name: Fraction(v.numerator_as_long(), v.denominator_as_long()) for name, v in values.items()}


def _z3_rows(system: System, unknowns: dict[str, Any]) -> list[Any]:
    import z3

    found = []
    for row in system:
        left = z3.Sum(
            [
                z3.Q(c.numerator, c.denominator) * unknowns.setdefault(name, z3.Real(name))
                for name, c in row.terms.items()
            ]
        )
        bound = z3.Q(row.bound.numerator, row.bound.denominator)
        found.append(left >= bound if row.relation == ">=" else left == bound)
    return found
