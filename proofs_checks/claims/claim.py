"""A claim: one sentence from a source, what the source says of it, and the check that finds out."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mechanism.direct import DirectMechanism
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.evidence.verify import verdict as engine_verdict
from proofs_checks.evidence.witness import Witness
from proofs_checks.proofs.certificate import Certificate
from proofs_checks.proofs.kernel_record import stated
from proofs_checks.proofs.theorems import check as check_certificate
from proofs_checks.properties.property import Property, Rng

PROMISED = 1e-3
"""How near a number must come to the one that a source prints, unless the source rounds more (money or samples)."""


COMPUTED = "computed"
"""Grade of what was worked out for the numbers that are named, and says nothing of others."""


@dataclass(frozen=True)
class Context:
    """What a check may spend: ``seconds`` for one search, which draws (``seed``), at most how many ``probes``."""

    seconds: float = 1.0
    seed: int = 0
    probes: int | None = None

    def rng(self, name: str) -> Rng:
        """Return a generator for one claim: the same for the same seed and name."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def part(self, share: float) -> Context:
        """Return a context with a share of the seconds."""
        return Context(self.seconds * share, self.seed, self.probes)


@dataclass(frozen=True, eq=False)
class ClaimVerdict:
    """What was found: whether the statement ``holds`` (None: not known), how sure that is, and in words.

    ``grade``: of `Grade`, or `COMPUTED`.
    """

    holds: bool | None
    grade: str
    evidence: dict[str, Any]
    witness: dict[str, Any] | None
    words: str


Check = Callable[[Context], ClaimVerdict]


@dataclass(frozen=True)
class Claim:
    """One statement. ``expected``: what its ``source`` says of it."""

    id: str
    source: str
    statement: str
    expected: bool
    check: Check = field(repr=False)


@dataclass(frozen=True, eq=False)
class ClaimResult:
    """A claim with its verdict and the seconds that it took."""

    claim: Claim
    verdict: ClaimVerdict
    seconds: float

    @property
    def agrees(self) -> str:
        """Say whether the finding "agrees" with its source, "corrects" it, or leaves it "open"."""
        if self.verdict.holds == self.claim.expected:
            return "agrees"
        # a search without a find does not correct a source that says that there is one
        weak = self.verdict.holds is None or (self.verdict.holds and self.verdict.grade == Grade.SEARCHED)
        return "open" if weak else "corrects"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form (`marketproof claims --json`)."""
        return {
            "id": self.claim.id,
            "source": self.claim.source,
            "statement": self.claim.statement,
            "expected": self.claim.expected,
            "holds": self.verdict.holds,
            "agrees": self.agrees,
            "grade": str(self.verdict.grade),
            "evidence": self.verdict.evidence,
            "witness": self.verdict.witness,
            "words": self.verdict.words,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Number:
    """A number that came out beside the one that the source prints, equal if at most ``within`` apart."""

    found: float
    stated: float
    within: float = PROMISED

    @property
    def right(self) -> bool:
        """Whether they are equal as far as the source prints them."""
        return abs(self.found - self.stated) <= self.within


def worked(
    numbers: Mapping[str, Number], witness: Witness | None = None, where: str = "on this one profile"
) -> ClaimVerdict:
    """Return the verdict on a worked example: it holds if every number comes out as stated."""
    wrong = [name for name, number in numbers.items() if not number.right]
    told = "; ".join(f"{name} {number.found:.6g}" for name, number in numbers.items())
    evidence = {
        "method": "computed",
        "numbers": {name: {"found": n.found, "stated": n.stated} for name, n in numbers.items()},
    }
    words = f"computed {where}: {told}"
    if wrong:
        words += f"; not as stated: {', '.join(f'{name} (stated {numbers[name].stated:g})' for name in wrong)}"
    return ClaimVerdict(not wrong, COMPUTED, evidence, None if witness is None else witness.to_dict(), words)


def refuted(witness: Witness, words: str = "", **evidence: Any) -> ClaimVerdict:
    """Return the verdict that a promise fails, by a witness."""
    return ClaimVerdict(
        False, Grade.REFUTED, {"method": "computed", **evidence}, witness.to_dict(), words or witness.sentence
    )


def unknown(reason: str) -> ClaimVerdict:
    """Return the verdict that nothing was found out, and why."""
    return ClaimVerdict(None, Grade.UNKNOWN, {"reason": reason}, None, reason)


def proved(certificate: Certificate | None, words: str = "", **evidence: Any) -> ClaimVerdict:
    """Return the verdict of a certificate, checked here again."""
    if certificate is None:
        return unknown("no proof is kept of it")
    if wrong := check_certificate(certificate):
        return unknown(f"the certificate is refused: {wrong[0]}")
    told = {
        "method": "certificate", "of": certificate.property, "scope": certificate.scope,
        "assumptions": list(certificate.assumptions), "certificate": certificate.to_dict(), **evidence,
    }  # fmt: skip
    return ClaimVerdict(True, Grade.PROVED, told, None, words or f"{certificate.statement} ({certificate.scope})")


def kernel(name: str) -> Check:
    """Return a check that answers with a theorem of the record, whatever it is about."""

    def told(context: Context) -> ClaimVerdict:
        theorem = stated(name)
        evidence = {
            "method": "theorem checked by Coq's kernel", "theorem": name, "coq": theorem["statement"],
            "assumptions": theorem["assumptions"], "checked": "recorded",
        }  # fmt: skip
        words = f"proved of the formula by Coq's kernel, {name}: {theorem['words']}"
        return ClaimVerdict(True, Grade.PROVED, evidence, None, words)

    return told


def asked(mechanism: DirectMechanism, prop: Property, context: Context, words: str = "") -> ClaimVerdict:
    """Return the engine's verdict on one property of one mechanism: proof, else search."""
    found = engine_verdict(mechanism, prop, context.seconds, "auto", context.seed, context.probes)
    return of_engine(found, words, mechanism.space.domain())


def of_engine(found: Verdict, words: str, domain: str) -> ClaimVerdict:
    """Return a verdict of the engine as a claim's; ``words`` before what it says itself, the ``domain`` after it."""
    if found.witness is not None:
        said = found.witness.sentence
    elif found.grade == Grade.PROVED:
        said = str(found.evidence.get("words") or found.because.replace("\n", "; "))
    else:
        said = f"{found.because}. Asked for {domain}"
    told = f"{words}: {said}" if words else said
    evidence = {**found.evidence, "domain": domain} | ({} if found.bound is None else {"bound": found.bound})
    return ClaimVerdict(
        found.holds, found.grade, evidence, None if found.witness is None else found.witness.to_dict(), told
    )


def both(*parts: ClaimVerdict) -> ClaimVerdict:
    """Return the verdict that all parts hold: the first that fails, else the weakest, with the words of all."""
    order = [Grade.UNKNOWN, COMPUTED, Grade.SEARCHED, Grade.EXHAUSTED, Grade.PROVED]
    failed = [p for p in parts if p.holds is False]
    chosen = failed[0] if failed else min(parts, key=lambda p: order.index(p.grade))
    evidence = {"method": "several", "parts": [{"grade": str(p.grade), **p.evidence} for p in parts]}
    witness = next((p.witness for p in ([chosen, *parts]) if p.witness is not None), None)
    words = chosen.words if failed else "; ".join(p.words for p in parts)
    return ClaimVerdict(chosen.holds, chosen.grade, evidence, witness, words)
