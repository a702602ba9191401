"""Verdicts on randomised rules: searched or refuted at a confidence, never proved nor exhausted."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mechanism.direct import DirectMechanism
from mechanism.market.accounting import MONEY
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.evidence.witness import Witness
from proofs_checks.properties.property import Property
from proofs_checks.search.cases import Cases
from proofs_checks.search.sampled import MOST_CALLS, Averaged, estimate, problem
from proofs_checks.search.searching import WAYS

CONFIDENCE = 0.99
"""Of all accusations of one property together."""

_ROUGH, _PROFILES, _KEPT = 16, 64, 8  # a candidate is the worst of 8 probes of 64 profiles, answers drawn 16 times
_ROWS, _CALLS = 64, 1 << 11  # it is confirmed by so many rows of so many answers


def randomised_verdict(
    mechanism: DirectMechanism, prop: Property, seconds: float, seed: int, say: Callable[..., Verdict],
    probes: int | None = None,
) -> Verdict:  # fmt: skip
    """Return the verdict on a rule that draws: candidates by small samples, confirmed by large ones drawn anew.

    The k-th candidate is asked at the doubt (1 - confidence) / (k (k + 1)), so that all of them together err with
    chance 1 - confidence at most. ``probes``: so many rounds at most.
    """
    if (reason := problem(prop, mechanism)) is not None:
        return say(Grade.UNKNOWN, None, {"reason": reason})
    deadline, rng = time.perf_counter() + seconds, np.random.default_rng([seed, 4])
    tried = asked = rounds = 0
    radius, calls = math.inf, _CALLS
    while rounds < (1 if probes is None else probes) or (probes is None and time.perf_counter() < deadline):
        best: list[tuple[float, Cases]] = []
        for ways in (WAYS[(rounds * _KEPT + k) % len(WAYS)] for k in range(_KEPT)):
            rough = Averaged(mechanism, _ROUGH, 1, int(rng.integers(1 << 31)))
            ways = ways if ways[1] != "breaks" else (ways[0], "scan")
            found = prop.probe(rough, rng, ways, _PROFILES)
            tried += found.tried
            best.append((found.worst, found.case))
            if time.perf_counter() > deadline and probes is None:
                break
        rounds += 1
        case = max(best, key=lambda one: one[0])[1]
        asked += 1
        doubt = (1.0 - CONFIDENCE) / (asked * (asked + 1))
        sample = int(rng.integers(1 << 31))
        mean, radius = estimate(prop, Averaged(mechanism, calls, _ROWS, sample), case, doubt)
        evidence: dict[str, Any] = {
            "method": "sampled", "confidence": CONFIDENCE, "tried": tried, "confirmed": asked,
            "samples": calls * _ROWS, "seed": sample, "radius": radius,
        }  # fmt: skip
        if mean - radius > MONEY:
            return say(Grade.REFUTED, False, evidence, witness=_witness(mechanism, prop, case, calls, sample, doubt))
        if mean + radius > 0 and mean > 0:  # in doubt: a larger sample may tell
            calls = min(2 * calls, MOST_CALLS)
    return say(Grade.SEARCHED, True, evidence, bound=sampled_bound(asked, tried, radius))


def sampled_bound(asked: int, tried: int, radius: float) -> str:
    """Return what a search by samples without finds says."""
    return (
        f"none of {asked} candidates, the worst of {tried} by small samples, breaks it on average by more than its "
        f"bound (the last {radius:.2g}) at confidence {CONFIDENCE}; nothing is said of other reports"
    )


def _witness(mechanism: DirectMechanism, prop: Property, case: Cases, calls: int, seed: int, doubt: float) -> Witness:
    sampled = np.array([[float(calls), float(_ROWS), float(seed), doubt]])
    case = replace(case, extra=(*case.extra, ("sampled", sampled)))
    return Witness.of(Averaged(mechanism, calls, _ROWS, seed), prop, case)
