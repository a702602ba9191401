"""What a proved verdict stands on, a line each: what is proved of the formula, and how this code was held to it.

``formula``: a theorem that Coq's kernel checked, said only of the catalogue's own code; None where there is none.
``code``: "proved" for this number of agents, region by region; "tested" on so many profiles of the declared bounds and
number of agents; "none".
"""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any, cast

import numpy as np

from mechanism.direct import DirectMechanism
from proofs_checks.proofs.catalogued import not_catalogued
from proofs_checks.proofs.certificate import Certificate
from proofs_checks.proofs.kernel_record import kernel_theorem
from proofs_checks.proofs.proving import Proof, conformance, formula_of, prove_mechanism
from proofs_checks.properties.property import Property
from proofs_checks.symbolic.prove import CodeProof

_SAMPLES = 500


def find_formula(mechanism: DirectMechanism, prop: Property) -> Certificate | None:
    """Return what is proved of the formula of the catalogue's own code: the property, or one that it follows from."""
    if not_catalogued(mechanism) is not None:
        return None
    found = (formula_of(mechanism, name).certificate for name in _grounds(mechanism, prop))
    return next((certificate for certificate in found if certificate is not None), None)


def find_proof(mechanism: DirectMechanism, prop: Property, seed: int) -> tuple[Proof | None, str]:
    """Return a proof of the property of the formula that the catalogue's own code computes; else None and why.

    Of a property that it follows from, too. Somebody else's code is never said to be a formula: it is proved itself,
    for its number of agents, or searched.
    """
    if reason := not_catalogued(mechanism):
        return None, f"formulas are proved of the catalogue's own code only: {reason}"
    why, held = "", cast("Hashable", mechanism)
    for name in _grounds(mechanism, prop):
        proof = prove_mechanism(
            mechanism, name, samples=_SAMPLES, conforms=lambda formula, *_: _departures(held, formula, seed)
        )
        if proof.certificate is not None:
            return proof, ""
        why = why or proof.words
    return None, why


def _grounds(mechanism: DirectMechanism, prop: Property) -> list[str]:
    """Return the names of properties of which a proof is one of this property."""
    unlike = prop.id == "monotonicity" and mechanism.space.k > 1  # it asks more than dsic where numbers are several
    return [name for name in (prop.name, *prop.follows) if not (unlike and name == "dsic")]


@lru_cache(maxsize=8)
def _departures(mechanism: Any, formula: str, seed: int) -> list[str]:
    """Test the code once for all its properties: what departs from the formula departs from every theorem on it."""
    return conformance(formula, mechanism, np.random.default_rng([seed, 2]), _SAMPLES)


def _bounds(mechanism: DirectMechanism) -> dict[str, list[float]]:
    space = mechanism.space
    return {
        name: [float(space.low[:, c].min()), float(space.high[:, c].max())]
        for c, name in enumerate(space.names)
        if space.private[:, c].any()
    }


def _formula(certificate: Certificate | None) -> dict[str, Any] | None:
    theorem = None if certificate is None else kernel_theorem(certificate.mechanism, certificate.property)
    return None if theorem is None else {"by": "kernel", **theorem.to_dict()}


def proved_code(mechanism: DirectMechanism, prop: Property, proof: CodeProof, tried: int) -> dict[str, Any]:
    """Return the evidence of a verdict whose code is proved for its number of agents."""
    code = {**proof.to_dict(), "bounds": _bounds(mechanism)}
    return {
        "method": "regions of the code",
        "formula": _formula(find_formula(mechanism, prop)),
        "code": code,
        "tried": tried,
    }


def proved_formula(mechanism: DirectMechanism, proof: Proof, searched: dict[str, Any]) -> dict[str, Any]:
    """Return the evidence of a verdict whose formula is proved, and whose code was tested; and what a search said."""
    certificate = proof.certificate
    assert certificate is not None
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
        "formula": _formula(certificate), "code": code, "searched": searched,
    }  # fmt: skip
