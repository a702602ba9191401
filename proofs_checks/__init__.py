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
    from proofs_checks.engine.registry import PROPERTY
    from proofs_checks.engine.replaying import DirectReplay, replay_direct
    from proofs_checks.engine.verdict import DirectWitness, Verdict
    from proofs_checks.engine.verify import verify

__all__ = ["PROPERTY", "DirectReplay", "DirectWitness", "Verdict", "replay_direct", "verify"]

_HOMES = {
    "PROPERTY": "registry",
    "DirectReplay": "replaying",
    "DirectWitness": "verdict",
    "Verdict": "verdict",
    "replay_direct": "replaying",
    "verify": "verify",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"proofs_checks.engine.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
