"""What a proved verdict stands on, a line each: what is proved of the formula, and how this code was held to it.

``formula``: a theorem that Coq's kernel checked, said only of the catalogue's own code; None where there is none.
``code``: "proved" for this number of agents, region by region; "tested" on so many profiles of the declared bounds and
number of agents; "none".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mechanism.direct import DirectMechanism
from proofs_checks.proofs.catalogued import not_catalogued
from proofs_checks.proofs.kernel_record import KernelTheorem, kernel_theorem
from proofs_checks.proofs.proving import Proof, prove_mechanism
from proofs_checks.properties.property import Property
from proofs_checks.symbolic.prove import CodeProof

_SAMPLES = 500


def find_proof(mechanism: DirectMechanism, prop: Property, seed: int) -> tuple[Proof | None, str]:
    """Return a proof of the property of the formula that the catalogue's own code computes; else None and why.

    Of a property that it follows from, too. Somebody else's code is never said to be a formula: it is proved itself,
    for its number of agents, or searched.
    """
    if reason := not_catalogued(mechanism):
        return None, f"formulas are proved of the catalogue's own code only: {reason}"
    why = ""
    for name in (prop.name, *prop.follows):
        if name == "dsic" and prop.id == "monotonicity" and mechanism.space.k > 1:
            continue
        proof = prove_mechanism(mechanism, name, rng=np.random.default_rng([seed, 2]), samples=_SAMPLES)
        if proof.certificate is not None:
            return proof, ""
        why = why or proof.words
    return None, why


def _bounds(mechanism: DirectMechanism) -> dict[str, list[float]]:
    space = mechanism.space
    return {
        name: [float(space.low[:, c].min()), float(space.high[:, c].max())]
        for c, name in enumerate(space.names)
        if space.private[:, c].any()
    }


def _formula(mechanism: DirectMechanism, prop: Property) -> dict[str, Any] | None:
    name = str(getattr(mechanism, "name", ""))
    named: list[KernelTheorem] = [
        found for p in (prop.name, *prop.follows) if (found := kernel_theorem(name, p)) is not None
    ]
    if not named or not_catalogued(mechanism) is not None:
        return None
    return {"by": "kernel", **named[0].to_dict()}


def proved_code(mechanism: DirectMechanism, prop: Property, proof: CodeProof, tried: int) -> dict[str, Any]:
    """Return the evidence of a verdict whose code is proved for its number of agents."""
    code = {**proof.to_dict(), "bounds": _bounds(mechanism)}
    return {"method": "regions of the code", "formula": _formula(mechanism, prop), "code": code, "tried": tried}


def proved_formula(mechanism: DirectMechanism, proof: Proof, searched: dict[str, Any]) -> dict[str, Any]:
    """Return the evidence of a verdict whose formula is proved, and whose code was tested; and what a search said."""
    certificate = proof.certificate
    assert certificate is not None
    theorem = kernel_theorem(certificate.mechanism, certificate.property)
    assert theorem is not None
    agents = mechanism.space.agents
    code = {
        "grade": "tested", "agents": agents, "profiles": proof.samples, "bounds": _bounds(mechanism),
        "words": f"tested, not proved: it agrees with the formula on {proof.samples} profiles of the declared bounds, "
        f"n = {agents}",
    }  # fmt: skip
    return {
        "method": "certificate", "of": certificate.property, "scope": certificate.scope,
        "assumptions": list(certificate.assumptions), "conformance_samples": proof.samples, "words": proof.words,
        "tried": searched["tried"], "certificate": certificate.to_dict(),
        "formula": {"by": "kernel", **theorem.to_dict()}, "code": code, "searched": searched,
    }  # fmt: skip
