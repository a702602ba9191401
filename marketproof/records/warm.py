"""A run whose clients begin with the models of an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analysis.run.files import MANIFEST, Manifest, read_manifest, unit_key, verify
from mechanism.errors import InputError, shown
from mechanism.own_code import digest_of

if TYPE_CHECKING:
    from learning.trainer import Trainer


def start_digest(start_from: str) -> dict[str, str]:
    """Return the digest of the run that a run starts from, by the path of its manifest."""
    path = Path(start_from) / MANIFEST
    return {str(path): digest_of(path, expected="the folder of a run")}


def refuse_joined(manifest: Manifest, key: str, slot: str) -> None:
    """Raise `InputError` if a unit's models in that slot are not in its record: clients that joined keep them."""
    from learning.algorithms.ipfl_effective import DEPLOYED

    reason = (manifest.model_extra or {}).get("backend_reason", {})
    made_here = slot.removeprefix("slot/") in ("rows", DEPLOYED)  # the server averages what clients use
    if not made_here and str(reason.get(key, "")).startswith("federated: clients have joined"):
        raise InputError(
            f"the models of {shown(key)} that clients use are with the clients, on machines of their own; here is "
            "only what they upload; a client keeps its own by: marketproof join --models DIR"
        )


def start_from(run: Path, method: str, seed: int, trainer: Trainer) -> None:
    """Give a trainer's clients the models that they have in a recorded run: under the same method, or its only one.

    And under the same seed, or its first. `MarketProofError` if the run has no such models.
    """
    from learning.checkpoint import warm

    manifest = read_manifest(run)
    known = manifest.methods
    if method not in known and len(known) > 1:
        raise InputError(
            f"{shown(run)} has models of {', '.join(known)} and none of {method} to start from; take one of these"
        )
    if manifest.clients != trainer.plan.clients:
        raise InputError(f"{shown(run)} has models of {manifest.clients} clients; here are {trainer.plan.clients}")
    key = unit_key(method if method in known else known[0], seed if seed in manifest.seeds else manifest.seeds[0])
    refuse_joined(manifest, key, trainer.algorithm.deployed or "rows")
    path = verify(run, f"models/{key}.safetensors", manifest.digests)
    warm(path, trainer.state, trainer.algorithm.gradients)
