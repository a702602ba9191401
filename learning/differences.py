"""How far apart clients' models are: the server's part of a round before the graph, as one matrix product."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mechanism.space import Floats

_CHUNK = 1024  # columns at once: a chunk of 200 rows stays in the second-level cache


@dataclass(frozen=True, eq=False)
class Geometry:
    """Cosines and lengths of the updates u_i = θ_i − θ_0: ``cosines`` float64 [m, m], ``norms`` float64 [m].

    A client whose θ_i is θ_0 has no direction: its cosine with everybody else is recorded as 0, so its difference is 1.
    """

    cosines: Floats
    norms: Floats

    @property
    def zero(self) -> NDArray[np.bool_]:
        """Clients [m] whose model is still the common initial one."""
        return self.norms == 0.0

    @property
    def differences(self) -> Floats:
        """Model differences d_ij = 1 − cos(u_i, u_j) [m, m] (paper, model difference): in [0, 2], 0 on the diagonal."""
        d = np.clip(1.0 - self.cosines, 0.0, 2.0)
        np.fill_diagonal(d, 0.0)
        return d


def geometry(rows: torch.Tensor, initial: torch.Tensor) -> Geometry:
    """Return the geometry of float32 ``rows`` [m, P] around ``initial`` [P], or each row around its own [m, P].

    Updates are normalised, multiplied in float32 over short chunks of P, and the chunks are summed in float64: an error
    of some 1e-8 in a cosine, at half the time of float64 products.
    """
    m, p = rows.shape
    chunks = [slice(start, start + _CHUNK) for start in range(0, p, _CHUNK)]
    squares = torch.zeros(m, dtype=torch.float64, device=rows.device)
    for part in chunks:
        squares += (rows[:, part] - initial[..., part]).double().square_().sum(1)
    lengths = squares.sqrt()
    inverse = torch.where(lengths > 0, 1.0 / lengths, 0.0)[:, None]
    extreme = bool(((inverse > 1e30) | (lengths[:, None] > 1e30)).any())  # float32 would lose these scales
    gram = torch.zeros(m, m, dtype=torch.float64, device=rows.device)
    for part in chunks:
        update = rows[:, part] - initial[..., part]
        unit = (update.double() * inverse).float() if extreme else update * inverse.float()
        gram += unit @ unit.T
    g = np.triu(gram.cpu().numpy(), 1)
    cosines = np.clip(g + g.T, -1.0, 1.0)  # symmetric to the last bit, however the product was blocked
    np.fill_diagonal(cosines, 1.0)
    return Geometry(cosines, lengths.cpu().numpy())


def combine(matrix: Floats, rows: torch.Tensor, initial: torch.Tensor) -> torch.Tensor:
    """Return θ_0 + A (W − θ_0) as float32 [m, P], for ``matrix`` A [k, m]; the product accumulates in float64.

    Where the rows of A sum to one this is A W.
    """
    a = torch.from_numpy(np.ascontiguousarray(matrix)).to(rows.device)
    out = torch.empty(a.shape[0], rows.shape[1], dtype=rows.dtype, device=rows.device)
    for start in range(0, rows.shape[1], _CHUNK):
        part = slice(start, start + _CHUNK)
        origin = initial[part].double()
        out[:, part] = (a @ (rows[:, part].double() - origin) + origin).to(out.dtype)
    return out
