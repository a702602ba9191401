"""Saving what a run carries from round to round, so that it can go on bitwise as if it had never stopped."""

import json
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from learning.errors import CheckpointError
from learning.models.network import Layout
from learning.plan import LearningPlan
from learning.work import State
from mechanism.writing import sync_folder

FORMAT = "marketproof-state-3"
"""Mark of the files that this version writes and reads: 2 judged CFL, FedFomo and
pFedGraph by what the server made, so that its rounds and ours are no one run; 1 knew less of CFL's clusters."""

_DTYPES = {torch.float32: "F32", torch.float64: "F64"}


def identity(plan: LearningPlan, algorithm: str, seed: int, data: str, layout: Layout, base: Any) -> dict[str, Any]:
    """Return what a saved state must agree with to be of a run; ``data`` and ``base`` are digests."""
    return {
        "plan": plan.to_dict(),
        "algorithm": algorithm,
        "seed": seed,
        "data": data,
        "layout": [[n, list(s)] for n, s in zip(layout.names, layout.shapes, strict=True)],
        "base": base,
    }


def save(path: Path, tensors: dict[str, torch.Tensor], manifest: dict[str, Any]) -> None:
    """Write tensors and manifest to one safetensors file: whole, or not at all.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and then take the name. Tensors are
    written one after the other from where they lie, so that saving takes no second copy of a large state, and the same
    state gives the same bytes. The format: eight bytes with the header's length (little-endian), the header as JSON
    padded with spaces to a multiple of eight, then the tensors.
    """
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))  # wide types first: all aligned
    header: dict[str, Any] = {"__metadata__": {"format": FORMAT, "manifest": json.dumps(manifest, sort_keys=True)}}
    end = 0
    for name in names:
        tensor = tensors[name]
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": _DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for name in names:
                file.write(tensors[name].detach().cpu().contiguous().numpy().data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CheckpointError(
            f"the state cannot be saved to {path} ({error.strerror}); expected a writable folder"
        ) from None


def load(
    path: Path, expected: dict[str, torch.Tensor], check: Callable[[dict[str, Any]], None], *, whole: bool = True
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and the manifest of a file that `save` wrote.

    ``check`` sees the manifest first and raises if it belongs to another run. ``expected`` names the tensors that must
    be there, with their shapes and types (if ``whole``, no others): nothing else is read. `CheckpointError` says what
    was found instead.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:  # "pt" takes no path that is not UTF-8
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise CheckpointError(
                    f"{path} is marked {metadata.get('format')!r}; expected a state marked {FORMAT!r}: go on with the "
                    "version that wrote it, or run again into a new folder"
                )
            manifest = _manifest(path, metadata.get("manifest", ""))
            check(manifest)
            found = set(file.keys())
            odd = sorted(found ^ set(expected) if whole else set(expected) - found)
            if odd:
                there = "lacks" if odd[0] in expected else "holds"
                raise CheckpointError(
                    f"{path} {there} a tensor {odd[0]!r}; expected exactly {', '.join(sorted(expected))}"
                )
            for name, want in expected.items():
                shape = file.get_slice(name).get_shape()
                if shape != list(want.shape):
                    raise CheckpointError(f"{path}: {name} has shape {shape}; expected {list(want.shape)}")
            tensors = {name: torch.from_numpy(file.get_tensor(name)) for name in expected}
    except CheckpointError:
        raise
    except OSError as error:
        reason = (
            "is missing"
            if isinstance(error, FileNotFoundError)
            else f"cannot be read ({error.strerror or 'not a plain file'})"
        )
        raise CheckpointError(f"the saved state {path} {reason}; put it back, or run again into a new folder") from None
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged or no saved state ({error}); put the original back, or run again into a new folder"
        ) from None
    for name, want in expected.items():
        if tensors[name].dtype != want.dtype:
            raise CheckpointError(f"{path}: {name} is {tensors[name].dtype}; expected {want.dtype}")
    return tensors, manifest


def replanned(source: Path, target: Path, **changed: Any) -> None:
    """Write the state in a file that `save` wrote as one of a plan with other values; `CheckpointError` as `load`."""
    from safetensors import safe_open

    _, manifest = load(source, {}, lambda told: None, whole=False)
    with safe_open(source, framework="np") as file:
        tensors = {name: torch.from_numpy(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    save(target, tensors, manifest | {"plan": manifest["plan"] | changed})


def warm(path: Path, state: State, gradients: Sequence[str]) -> None:
    """Let every client begin with its model in a file that `save` wrote: its rows, and all slots that hold models.

    θ_0 becomes that of the file, so that differences are counted from where those models came from. ``gradients`` and
    memory stay 0. `CheckpointError` if the file is of other clients or of another network.
    """
    _, manifest = load(path, {}, lambda told: None, whole=False)
    there = [[n, list(s)] for n, s in zip(state.layout.names, state.layout.shapes, strict=True)]
    if manifest.get("layout") != there or not isinstance(manifest.get("use"), dict):
        raise CheckpointError(f"{path} holds models of another network, or of an earlier version: none to start from")
    slot = str(manifest["use"].get("slot"))
    tensors, _ = load(path, {slot: state.rows, "initial": state.initial}, lambda told: None, whole=False)
    for name, matrix in {"": state.rows, **state.slots}.items():
        if name not in gradients:
            matrix.copy_(tensors[slot])
    state.initial.copy_(tensors["initial"])


def _manifest(path: Path, text: str) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise CheckpointError(
            f"{path} has no readable manifest: it is damaged or no saved state; put the original back, or run again "
            "into a new folder"
        )
    return manifest


def refuse_other_runs(mine: dict[str, Any], manifest: dict[str, Any], plan: LearningPlan) -> None:
    """Raise `CheckpointError` unless a manifest is of the run that ``mine`` describes, and says how far it got."""
    recorded = manifest.get("plan")
    differing = plan.differing(recorded if isinstance(recorded, dict) else {})
    differing += [
        f"{name} is {value!r} here and {manifest.get(name)!r} there"
        for name, value in mine.items()
        if name != "plan" and manifest.get(name) != value
    ]
    if differing:
        raise CheckpointError(f"the saved state belongs to another run: {'; '.join(differing)}")
    done = manifest.get("round")
    whole = isinstance(done, int) and not isinstance(done, bool) and done >= 0
    flagged = all(_flags(manifest.get(name), plan.clients) for name in ("aggregated", "present"))
    flagged = flagged and _flags(manifest.get("poisoned", manifest["aggregated"]), plan.clients)
    stopped = manifest.get("stopped")
    told = isinstance(stopped, list) and all(isinstance(client, int) for client in stopped)
    if not whole or not flagged or not told or not isinstance(manifest.get("spent"), list):
        raise CheckpointError("the saved state does not say how far it got: it is damaged; run again into a new folder")


def _flags(value: object, clients: int) -> bool:
    return isinstance(value, list) and len(value) == clients and all(isinstance(flag, bool) for flag in value)
