"""Evidence about mechanisms: verdicts with grades, searches for lies, witnesses that replay, proofs, exhaustive grids.

The parts that a user of his own mechanism needs are here, loaded when first used:

>>> from proofs_checks import verify
>>> from mechanism.catalogue import direct_mechanism
>>> [(v.property, v.holds) for v in verify(direct_mechanism("first-price"), ["ir", "dsic"], budget=1)]
[('ir', True), ('dsic', False)]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proofs_checks.evidence.replaying import DirectReplay, replay_direct
    from proofs_checks.evidence.verdict import DirectWitness, Verdict
    from proofs_checks.evidence.verify import verify
    from proofs_checks.properties.registry import PROPERTY

__all__ = ["PROPERTY", "DirectReplay", "DirectWitness", "Verdict", "replay_direct", "verify"]

_HOMES = {
    "PROPERTY": "properties.registry",
    "DirectReplay": "evidence.replaying",
    "DirectWitness": "evidence.verdict",
    "Verdict": "evidence.verdict",
    "replay_direct": "evidence.replaying",
    "verify": "evidence.verify",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"proofs_checks.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
