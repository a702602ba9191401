"""The character model of task 8: an embedding, two layers of LSTM, and the next character, P = 819,920."""

from collections.abc import Sequence
from math import sqrt
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from learning.models.network import Layout, Network, in_pieces

_EMBEDDING, _HIDDEN, _LAYERS = 8, 256, 2
_PIECE = 64  # texts at once: measured, a quarter faster than 250


class CharacterLSTM(Network):
    """embedding 8 → LSTM 256 → LSTM 256 → linear over the characters, read at the last position (LEAF, Shakespeare).

    A sample is a text int64 [L] of character numbers, its label the number of the character that follows. Parameters
    lie in torch.nn's order: gates input, forget, cell, output, and two biases a layer.
    """

    name = "lstm"
    loops: ClassVar[bool] = True  # `torch.func.vmap` of an LSTM falls back to a slow loop: gradients one by one

    def __init__(self, characters: int = 80) -> None:
        names = ["embedding.weight"]
        shapes: list[tuple[int, ...]] = [(characters, _EMBEDDING)]
        for layer in range(_LAYERS):
            inner = _HIDDEN if layer else _EMBEDDING
            for part, shape in (
                ("weight_ih", (4 * _HIDDEN, inner)),
                ("weight_hh", (4 * _HIDDEN, _HIDDEN)),
                ("bias_ih", (4 * _HIDDEN,)),
                ("bias_hh", (4 * _HIDDEN,)),
            ):
                names.append(f"lstm.{part}_l{layer}")
                shapes.append(shape)
        names += ["output.weight", "output.bias"]
        shapes += [(characters, _HIDDEN), (characters,)]
        self.layout = Layout(tuple(names), tuple(shapes))

    def inputs(self, x: torch.Tensor, scale: float, shift: float) -> torch.Tensor:
        """Return texts as int64, whatever they are stored as; scale and shift are for images."""
        return x.long()

    def forward(
        self, parameters: Sequence[torch.Tensor], x: torch.Tensor, masks: Sequence[torch.Tensor] = ()
    ) -> torch.Tensor:
        """Return scores [n, characters] of texts x int64 [n, L]."""
        embedding, *gates, weight, bias = parameters

        def last(texts: torch.Tensor) -> torch.Tensor:
            state = weight.new_zeros(_LAYERS, len(texts), _HIDDEN)
            letters = F.embedding(texts.T, embedding)
            # after the weights: has biases, layers, dropout, training, both directions, batch first
            return torch.lstm(letters, (state, state), gates, True, _LAYERS, 0.0, False, False, False)[0][-1]

        return F.linear(in_pieces(last, x, _PIECE), weight, bias)

    def initial(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return θ_0 as torch.nn draws it: embedding N(0, 1), all else uniform in ±1/√256."""
        bound = 1.0 / sqrt(_HIDDEN)
        row = np.empty(self.layout.parameters, dtype=np.float32)
        start = self.layout.offsets[1]
        row[:start] = rng.standard_normal(start)
        row[start:] = rng.uniform(-bound, bound, size=len(row) - start)
        return row
