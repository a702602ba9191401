"""A model that `marketproof export-model` has written, as a plain module."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from learning.errors import LearningError, said
from learning.models import MARK, MODELS
from learning.models.build import network
from mechanism.errors import MarketProofError


class ExportedModel(torch.nn.Module):
    """A client's network with its parameters, under the names that they have in the file: to use, or to train on."""

    def __init__(self, told: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self._network = network(told["network"], tuple(told["shape"]), told["classes"])
        self._scale, self._shift = float(told["scale"]), float(told["shift"])
        layout = self._network.layout
        if {n: tuple(t.shape) for n, t in tensors.items()} != dict(zip(layout.names, layout.shapes, strict=True)):
            raise LearningError(
                f"the file holds other tensors than a network {told['network']!r} has: {sorted(tensors)}"
            )
        for name in layout.names:
            owner: torch.nn.Module = self
            *path, last = name.split(".")
            for part in path:
                if not hasattr(owner, part):
                    owner.add_module(part, torch.nn.Module())
                owner = getattr(owner, part)
            owner.register_parameter(last, torch.nn.Parameter(tensors[name]))
        self._names = layout.names

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores [n, classes] of samples [n, *shape] as the data set holds them (images: 0 to 255)."""
        taken = self._network.inputs(self._network.prepare(x), self._scale, self._shift)
        return self._network.forward([self.get_parameter(name) for name in self._names], taken)


def load_model(path: Path | str, own: str = "") -> ExportedModel:
    """Return the model in a file that `marketproof export-model` wrote; `LearningError` if it is none.

    ``own``: the code of a network of one's own, ``FILE.py:NAME``; what the file says of it is never executed.
    """
    try:
        with safe_open(path, framework="np") as file:
            told = json.loads((file.metadata() or {}).get(MARK, "null"))
            if not isinstance(told, dict):
                raise ValueError("it says nothing of a network")
            if (told["network"] in MODELS) == bool(own):
                raise LearningError(f"{path} is of network {told['network']!r}; give load_model the code that makes it")
            tensors = {name: torch.from_numpy(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
            return ExportedModel(told | ({"network": own} if own else {}), tensors)
    except MarketProofError:
        raise
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise LearningError(
            f"{path} holds no model that export-model has written ({said(error)}); name such a file"
        ) from None
