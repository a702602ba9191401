"""No mechanism has everything: the grids of bilateral trade, in fractions, and the catalogue."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from mechanism.catalogue import CATALOGUE
from proofs_checks.claims.claim import COMPUTED, Claim, ClaimVerdict, Context, Number, proved, unknown, worked
from proofs_checks.claims.examples import MECHANISMS
from proofs_checks.evidence.verdict import Grade

Grid = tuple[tuple[int, ...], tuple[int, ...]]

FIVE: Grid = ((1, 5), (0, 4))
FOUR: Grid = ((1, 4), (0, 3))
THREE: Grid = ((1, 3), (0, 2))
LONG: Grid = ((1, 3, 5), (0, 2, 4))


def _feasible(grid: Grid, **demands: str) -> Callable[[Context], ClaimVerdict]:
    """Return a check of "some efficient rule has these properties on the grid": proved either way, in fractions."""

    def check(context: Context) -> ClaimVerdict:
        from proofs_checks.proofs.proving import trade_certificate
        from proofs_checks.proofs.trade import TradeProof

        certificate = trade_certificate(*grid, **demands)
        part = certificate.parts[0]
        assert isinstance(part, TradeProof)
        found = proved(certificate)
        if found.holds is None or part.answer == "possible":
            return found
        told = {
            "method": "Farkas multipliers, added up in fractions", "certificate": certificate.to_dict(),
        }  # fmt: skip
        witness = {"multipliers": {row: str(y) for row, y in part.numbers}}
        words = f"{certificate.statement} ({certificate.scope}): the rows add up to 0 >= something positive"
        return ClaimVerdict(False, Grade.PROVED, told, witness, words)

    return check


def _multipliers(context: Context) -> ClaimVerdict:
    from proofs_checks.proofs.proving import trade_certificate
    from proofs_checks.proofs.trade import TradeProof

    part = trade_certificate(*FIVE).parts[0]
    assert isinstance(part, TradeProof)
    found = dict(part.numbers)
    unit = found.get("balance", Fraction(0)) or Fraction(1)
    stated = {"IR": 1.0, "IC": 0.5, "ba": 1.0}
    return worked(
        {row: Number(float(y / unit), stated[row[:2]], 0.0) for row, y in found.items()}, where="for this grid"
    )


def _extremes(grid: Grid) -> tuple[Fraction, Fraction, Fraction, list[str]]:
    """Return the largest revenue, the smallest payout, the largest difference, and what fractions do not confirm."""
    from mechanism.design.solve import Infeasible, maximise
    from proofs_checks.proofs.trade import trade_system

    values, costs = (tuple(Fraction(x) for x in row) for row in grid)
    rows = [r for r in trade_system(values, costs, "bic", "interim", "ex-ante") if r.name != "balance"]
    share = Fraction(1, len(values) * len(costs))
    pay = {f"pay {v} {c}": share for v in values for c in costs}
    get = {f"get {v} {c}": -share for v in values for c in costs}
    wrong, best = [], []
    for who, goal in (("buyer", pay), ("seller", get), ("", pay | get)):
        answer = maximise(tuple(r for r in rows if who in r.name), goal)
        if isinstance(answer, Infeasible):
            raise AssertionError("incentive and rationality alone can be met: let nobody pay more than it must")
        wrong += list(answer.errors)
        best.append(answer.value)
    return best[0], -best[1], best[2], wrong


def _revenue(context: Context) -> ClaimVerdict:
    revenue, payout, _, wrong = _extremes(FIVE)
    if wrong:
        return unknown(f"not confirmed in fractions: {wrong[0]}")
    found = worked({"revenue": Number(float(revenue), 1.75, 0.0), "payout": Number(float(payout), 2.0, 0.0)})
    return _as_proof(found, f"both bounds by weak duality in fractions: {revenue} and {payout}")


def _boundary(context: Context) -> ClaimVerdict:
    _, _, surplus, wrong = _extremes(FOUR)
    if wrong:
        return unknown(f"not confirmed in fractions: {wrong[0]}")
    found = worked({"largest surplus": Number(float(surplus), 0.0, 0.0)})
    return _as_proof(found, f"the largest revenue less payout is {surplus}: possible, with nothing to spare")


def _as_proof(found: ClaimVerdict, words: str) -> ClaimVerdict:
    evidence: dict[str, Any] = {**found.evidence, "method": "linear programme, both sides verified in fractions"}
    return ClaimVerdict(found.holds, Grade.PROVED, evidence, None, words)


def _everything(context: Context) -> ClaimVerdict:
    wanted = ("ir", "dsic-cost", "dsic-gain", "budget-balance", "efficiency")
    lacking = {name: [p for p in wanted if not CATALOGUE[name].truths[p].startswith("yes")] for name in MECHANISMS}
    whole = [name for name, missing in lacking.items() if not missing]
    told = {"method": "every row of the catalogue", "lacks": lacking}
    words = (
        f"these have all: {', '.join(whole)}"
        if whole
        else f"each of the {len(MECHANISMS)} market rules lacks at least one, by what the catalogue says of it"
    )
    return ClaimVerdict(not whole, COMPUTED, told, None, words)


def _continuous(context: Context) -> ClaimVerdict:
    return unknown(
        "Myerson and Satterthwaite's theorem (1983) by citation; its executable part are the grids {1,5}/{0,4} and "
        "(1,3,5)/(0,2,4), proved here"
    )


_S = "theory, no mechanism has everything"
_ALL = "efficient trade can be truthful, individually rational and balanced"

CLAIMS = (
    Claim("trade-continuous", _S, "With overlapping continuous supports no mechanism is truthful, individually "
          "rational, balanced and efficient at once.", True, _continuous),
    Claim("trade-15-04", _S, f"On v in {{1,5}}, c in {{0,4}}, {_ALL} (BIC, interim IR, ex-ante balance).", False,
          _feasible(FIVE)),
    Claim("trade-15-04-multipliers", _S, "There the multipliers are 1 on IR, 1/2 on IC and 1 on balance.", True,
          _multipliers),
    Claim("trade-15-04-money", _S, "There revenue is at most 7/4 and payout at least 2.", True, _revenue),
    Claim("trade-13-02-bic", _S, f"On v in {{1,3}}, c in {{0,2}}, {_ALL} (BIC, ex-post IR and balance).", True,
          _feasible(THREE, rationality="ex-post", balance="ex-post")),
    Claim("trade-13-02-dsic", _S, f"On v in {{1,3}}, c in {{0,2}}, {_ALL} (DSIC, ex-post IR and balance).", False,
          _feasible(THREE, incentive="dsic", rationality="ex-post", balance="ex-post")),
    Claim("trade-14-03", _S, "v in {1,4}, c in {0,3} lies on the boundary: the largest surplus is exactly 0.", True,
          _boundary),
    Claim("trade-135-024", _S, f"On v in (1,3,5), c in (0,2,4), {_ALL} (BIC, interim IR, ex-ante balance).", False,
          _feasible(LONG)),
    Claim("catalogue-corners", _S, "No mechanism of the catalogue is individually rational, truthful in cost and in "
          "gain, exactly balanced and efficient.", True, _everything),
)  # fmt: skip
"""Impossibility."""
