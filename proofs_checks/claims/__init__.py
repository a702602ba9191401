"""Every statement of the paper and of theory.md that can be checked, as an executable claim with its verdict.

>>> from proofs_checks.claims import run_claims
>>> [result] = run_claims(["rule-gain-example"])
>>> result.verdict.holds, result.agrees
(True, 'agrees')
"""

import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from mechanism.errors import InvalidMechanismError, UnknownNameError
from proofs_checks.claims import impossibility, other_rules, paper, repair, rule, split_clients, theory_table
from proofs_checks.claims.claim import Claim, ClaimResult, ClaimVerdict, Context
from proofs_checks.evidence.verdict import Grade

__all__ = ["CLAIMS", "Claim", "ClaimResult", "ClaimVerdict", "Context", "run_claims"]

BUDGET = 60.0
"""Seconds for all claims together."""

_LEAST, _MOST = 0.02, 20.0
_PATIENCE = 4.0
_WEIGHTS = {"rule-overstating": 20.0, "rule-overstating-skip": 10.0, "bic-posted-price": 5.0, "bic-vcg-two-sided": 5.0}

_ALL: tuple[Claim, ...] = (
    *paper.CLAIMS, *rule.CLAIMS, *repair.CLAIMS, *impossibility.CLAIMS, *theory_table.CLAIMS,
    *other_rules.CLAIMS, *split_clients.CLAIMS,
)  # fmt: skip

CLAIMS: Mapping[str, Claim] = MappingProxyType({claim.id: claim for claim in _ALL})
"""Every claim by its id, in the order of the sources."""


def run_claims(
    ids: Iterable[str] | None = None,
    *,
    budget: float = BUDGET,
    seed: int = 0,
    probes: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[ClaimResult]:
    """Check claims and return their results in the order asked for.

    `UnknownNameError` if an id is no claim. `InvalidMechanismError` if the budget is not above 0.

    Parameters
    ----------
    ids
        Claims by id; all by default.
    budget
        Seconds for all of them together, shared among those that are still to come (what is only computed leaves its
        share to the searches; each takes what it needs at least, so that a very small budget is exceeded).
    seed
        Which profiles are drawn.
    probes
        Stop each search after so many probes: then the result does not depend on the machine's speed.
    progress
        Called with (claim, how many are done, how many there are).
    """
    if not budget > 0.0:
        raise InvalidMechanismError(f"budget is {budget}; expected seconds > 0")
    asked = list(CLAIMS) if ids is None else list(dict.fromkeys(ids))
    if missing := [name for name in asked if name not in CLAIMS]:
        raise UnknownNameError(f"unknown claim {missing[0]!r}; known: {_near(missing[0])}")
    deadline = time.perf_counter() + budget
    results = []
    for position, name in enumerate(asked):
        if progress is not None:
            progress(name, position, len(asked))
        started = time.perf_counter()
        left = sum(_WEIGHTS.get(other, 1.0) for other in asked[position:])
        share = (deadline - started) * _WEIGHTS.get(name, 1.0) / left
        context = Context(min(_MOST, max(_LEAST, share)), seed, probes)
        claim = CLAIMS[name]
        verdict = claim.check(context)
        if not claim.expected and verdict.holds and verdict.grade == Grade.SEARCHED and context.seconds < _PATIENCE:
            # the source knows an exception: a share too short to meet one is no finding
            verdict = claim.check(Context(_PATIENCE, seed, probes))
        results.append(ClaimResult(claim, verdict, time.perf_counter() - started))
    return results


def _near(name: str) -> str:
    """Return the ids that look like a name, or the first of all."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(CLAIMS), n=5, cutoff=0.4) or list(CLAIMS)[:5]
    return ", ".join(near) + (", …" if len(near) < len(CLAIMS) else "")
