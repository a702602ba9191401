"""Saving what a run carries from round to round, so that it can go on bitwise as if it had never stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from learning.errors import CheckpointError

FORMAT = "marketproof-state-1"
"""Mark of the files that this version writes and reads."""


def save(path: Path, tensors: dict[str, torch.Tensor], manifest: dict[str, Any]) -> None:
    """Write tensors and manifest to one safetensors file: whole, or not at all.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and then take the name.
    """
    from safetensors.torch import save as to_bytes

    metadata = {"format": FORMAT, "manifest": json.dumps(manifest, sort_keys=True)}
    data = to_bytes({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, metadata)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name must survive a power cut too
        finally:
            os.close(folder)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CheckpointError(
            f"the state cannot be saved to {path} ({error.strerror}); expected a writable folder"
        ) from None


def load(
    path: Path, expected: dict[str, torch.Tensor], check: Callable[[dict[str, Any]], None]
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and the manifest of a file that `save` wrote.

    ``check`` sees the manifest first and raises if it belongs to another run. ``expected`` names the tensors that must
    be there, with their shapes and types: nothing else is read. `CheckpointError` says what was found instead.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise CheckpointError(
                    f"{path} is marked {metadata.get('format')!r}; expected a state marked {FORMAT!r}"
                )
            manifest = _manifest(path, metadata.get("manifest", ""))
            check(manifest)
            odd = sorted(set(file.keys()) ^ set(expected))
            if odd:
                there = "lacks" if odd[0] in expected else "holds"
                raise CheckpointError(
                    f"{path} {there} a tensor {odd[0]!r}; expected exactly {', '.join(sorted(expected))}"
                )
            for name, want in expected.items():
                shape = file.get_slice(name).get_shape()
                if shape != list(want.shape):
                    raise CheckpointError(f"{path}: {name} has shape {shape}; expected {list(want.shape)}")
            tensors = {name: file.get_tensor(name) for name in expected}
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error}); expected a saved state") from None
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged or no saved state ({error}); start the run again without it"
        ) from None
    for name, want in expected.items():
        if tensors[name].dtype != want.dtype:
            raise CheckpointError(f"{path}: {name} is {tensors[name].dtype}; expected {want.dtype}")
    return tensors, manifest


def _manifest(path: Path, text: str) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise CheckpointError(f"{path} has no readable manifest; it is damaged or no saved state")
    return manifest
