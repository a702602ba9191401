"""Which proof of a formula speaks about a mechanism, and whose code it is."""

from __future__ import annotations

import numpy as np

from mechanism.direct import DirectMechanism, SingleParameter
from proofs_checks.proofs.proving import Proof, prove_mechanism
from proofs_checks.properties.property import Property

_SAMPLES_OURS, _SAMPLES_THEIRS = 500, 5000  # on how many profiles code is held against the formula that is proved


def find_proof(mechanism: DirectMechanism, prop: Property, seed: int, most: float = np.inf) -> tuple[Proof | None, str]:
    """Return a proof of the property, or of one that it follows from; else None and why there is none."""
    why = ""
    samples = _SAMPLES_OURS if ours(mechanism) else _SAMPLES_THEIRS
    if samples > most and not ours(mechanism):
        return None, f"the code answers too slowly to be held against a formula on {samples} profiles"
    for name in (prop.name, *prop.follows):
        if name == "dsic" and prop.id == "monotonicity" and mechanism.space.k > 1:
            continue
        proof = prove_mechanism(mechanism, name, rng=np.random.default_rng([seed, 2]), samples=samples)
        if proof.certificate is not None:
            return proof, ""
        why = why or proof.words
    return None, why


def ours(mechanism: DirectMechanism) -> bool:
    """Tell whether the code is the catalogue's: a rule from elsewhere may bear the name of another."""
    inner = getattr(mechanism, "mechanism", mechanism)
    packages = {type(m).__module__.split(".")[0] for m in (mechanism, inner)}
    return packages == {"mechanism"} and type(mechanism) is not SingleParameter
