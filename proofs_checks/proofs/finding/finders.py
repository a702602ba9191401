"""Trade on grids, decided by a solver (HiGHS); what it finds is checked apart."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mechanism.design.solve import Infeasible, maximise
from mechanism.errors import SolverError
from proofs_checks.proofs.checkers.certificate import Certificate
from proofs_checks.proofs.checkers.checking import check, claim_of
from proofs_checks.proofs.checkers.codec import CertificateError
from proofs_checks.proofs.checkers.trade import TradeProof, trade_system


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
    certificate = Certificate(*claim_of(part), parts=(part,))
    if wrong := check(certificate):
        raise CertificateError(f"what was found proves nothing: {wrong[0]}")
    return certificate
