"""How far apart adapters are, as changes of the weights that they adapt and not as lists of their own numbers.

An adapter of a matrix adds ΔW = s B A, B [out, r], A [r, in]. Different B, A can make the same ΔW, so the market
compares ΔW. Inner products of those large matrices need products of size r × r only:

    ⟨B1 A1, B2 A2⟩ = tr((B2ᵀ B1) (A1 A2ᵀ)) = Σ_ab (B1ᵀ B2)_ab (A1 A2ᵀ)_ab

and an adapter of many matrices is their direct sum, so its inner product is the sum over matrices.
"""

import numpy as np
import torch

from learning.differences import Geometry
from learning.errors import LearningError
from learning.models.network import Layout
from mechanism.space import Floats

_BLOCK = 2**22  # numbers of one r × r table of a block of rows: 32 MiB in float64
_A, _B = ".lora_A.weight", ".lora_B.weight"


def adapted(layout: Layout) -> list[tuple[int, int]]:
    """Return for each adapted matrix the positions of its A and its B among the layout's parameters."""
    place = {name: k for k, name in enumerate(layout.names)}
    pairs = []
    for name, k in place.items():
        if not name.endswith((_A, _B)) or (name.endswith(_B) and name[: -len(_B)] + _A not in place):
            raise LearningError(f"{name} is no part of a LoRA adapter; expected names that end in {_A} and {_B}")
        if name.endswith(_A):
            mate = name[: -len(_A)] + _B
            if mate not in place or layout.shapes[place[mate]][1] != layout.shapes[k][0]:
                raise LearningError(f"{name} has no {mate} of the same rank")
            pairs.append((k, place[mate]))
    return pairs


def inner_products(rows: torch.Tensor, layout: Layout, scale: float) -> Floats:
    """Return the inner products ⟨ΔW_i, ΔW_j⟩ float64 [m, m] of the adapters in ``rows`` [m, P], over all matrices."""
    m = len(rows)
    gram = torch.zeros(m, m, dtype=torch.float64, device=rows.device)
    offsets = layout.offsets
    for a, b in adapted(layout):
        rank = layout.shapes[a][0]
        down = rows[:, offsets[a] : offsets[a + 1]].double().view(m * rank, -1)  # all A [m r, in]
        up = rows[:, offsets[b] : offsets[b + 1]].double().view(m, -1, rank).transpose(1, 2).reshape(m * rank, -1)
        block = max(1, _BLOCK // (rank * rank * m))
        for start in range(0, m, block):
            part = slice(start * rank, (start + block) * rank)
            table = (down[part] @ down.T) * (up[part] @ up.T)
            gram[start : start + block] += table.view(-1, rank, m, rank).sum((1, 3))
    return np.asarray(scale**2 * gram.cpu().numpy())


def lora_geometry(rows: torch.Tensor, layout: Layout, scale: float, initial: torch.Tensor) -> Geometry:
    """Return cosines and norms of the adapters' ΔW relative to that of ``initial`` [P], or each to its own [m, P].

    ``rows`` float32 [m, P] hold A and B as ``layout`` says; ``scale`` s = α/r. All accumulates in float64. As B is 0
    in a fresh adapter, ΔW of ``initial`` is 0 too, and what is compared is ΔW itself.
    """
    m = len(rows)
    origin = initial.expand(1, -1) if initial.ndim == 1 else initial
    g = inner_products(torch.cat([rows, origin]), layout, scale)
    own = slice(m, m + 1) if initial.ndim == 1 else slice(m, 2 * m)
    cross = np.broadcast_to(g[:m, own], (m, m))
    gram = g[:m, :m] - cross - cross.T + g[own, own]
    unmoved = (rows == origin).all(1).cpu().numpy()
    squares = np.where(unmoved, 0.0, np.maximum(np.diag(gram), 0.0))
    norms = np.sqrt(squares)
    inverse = np.divide(1.0, norms, out=np.zeros(m), where=norms > 0)
    upper = np.triu(gram * inverse[:, None] * inverse, 1)
    cosines = np.clip(upper + upper.T, -1.0, 1.0)  # symmetric to the last bit
    np.fill_diagonal(cosines, 1.0)
    return Geometry(cosines, norms)
