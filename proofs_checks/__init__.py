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
    from proofs_checks.evidence.verdict import Verdict, Verdicts
    from proofs_checks.evidence.verify import verify
    from proofs_checks.evidence.witness import Replay, Witness, replay
    from proofs_checks.properties.registry import PROPERTY

    DirectReplay, DirectWitness, replay_direct = Replay, Witness, replay

__all__ = [
    "PROPERTY", "DirectReplay", "DirectWitness", "Replay", "Verdict", "Verdicts", "Witness", "replay",
    "replay_direct", "verify",
]  # fmt: skip

_HOMES = {
    "PROPERTY": "properties.registry",
    "Replay": "evidence.witness",
    "Verdict": "evidence.verdict",
    "Verdicts": "evidence.verdict",
    "Witness": "evidence.witness",
    "replay": "evidence.witness",
    "verify": "evidence.verify",
}
_EARLIER = {"DirectReplay": "Replay", "DirectWitness": "Witness", "replay_direct": "replay"}


def __getattr__(name: str) -> Any:
    now = _EARLIER.get(name, name)
    if now in _HOMES:
        return getattr(import_module(f"proofs_checks.{_HOMES[now]}"), now)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
