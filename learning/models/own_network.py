"""A network of one's own: a `torch.nn.Module` in a file, trained like ours as a pure function of a row of numbers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from learning.errors import LearningError
from learning.models.network import Layout, Network
from mechanism.errors import shown
from mechanism.own_code import explaining, find

_MOST = 2**28  # parameters: 1 GiB a client


def _makes_network(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, torch.nn.Module)


class OwnNetwork(Network):
    """``FILE.py:NAME``: what makes a `torch.nn.Module` of scores ``[n, classes]`` from samples x ``[n, *shape]``.

    It is called with those of ``shape`` and ``classes`` that it names. θ_0 is what the module was made with, torch's
    generator seeded by the run. Modules with buffers (batch statistics) or dropout are refused: no client's row holds
    the first, and random numbers of the second would not be the run's.
    """

    def __init__(self, name: str, shape: tuple[int, ...], classes: int) -> None:
        self.name = name
        self._file, maker = find(name, _makes_network, "network")
        known: dict[str, Any] = {"shape": shape, "classes": classes}
        with self._explaining("does not make a network"):
            taken = inspect.signature(maker).parameters
            self._maker = lambda: maker(**{key: value for key, value in known.items() if key in taken})
            self._module = self._maker()
        if not isinstance(self._module, torch.nn.Module):
            raise LearningError(f"{name} makes {shown(type(self._module).__name__)}; expected a torch.nn.Module")
        parts = dict(self._module.named_parameters())
        size = sum(part.numel() for part in parts.values())
        if not 0 < size <= _MOST or any(part.dtype != torch.float32 for part in parts.values()):
            raise LearningError(f"{name} has {size} parameters; expected 1 to {_MOST}, all of them float32")
        random = [m for m in self._module.modules() if isinstance(m, torch.nn.modules.dropout._DropoutNd)]
        if random or any(True for _ in self._module.buffers()):
            what = "dropout" if random else "buffers, such as batch statistics"
            raise LearningError(f"{name} has {what}; expected parameters alone: take GroupNorm, and no dropout")
        self.layout = Layout(tuple(parts), tuple(tuple(part.shape) for part in parts.values()))
        with self._explaining("does not score samples"), torch.no_grad():
            scores = self._module(torch.zeros(2, *shape))
        if tuple(scores.shape) != (2, classes):
            raise LearningError(
                f"{name} answers two samples of shape {list(shape)} with {list(scores.shape)}; expected scores "
                f"[2, {classes}]"
            )

    def _explaining(self, failing: str) -> Any:
        return explaining(self.name, self._file, failing, "; is its input [n, *shape] as the data has it?")

    def forward(
        self, parameters: Sequence[torch.Tensor], x: torch.Tensor, masks: Sequence[torch.Tensor] = ()
    ) -> torch.Tensor:
        """Return scores [n, classes] of x ``[n, *shape]``."""
        named = dict(zip(self.layout.names, parameters, strict=True))
        scores: torch.Tensor = torch.func.functional_call(self._module, named, (x,))
        return scores

    def initial(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return θ_0 [P] as the module is made, its random numbers from ``rng``."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**62)))
            with self._explaining("does not make a network"):
                parts = [part.detach().numpy().ravel() for part in self._maker().parameters()]
        return np.concatenate(parts).astype(np.float32)
