"""How far apart clients' models are: the server's part of a round before the graph, as one matrix product."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mechanism.space import Floats

_CHUNK = 1024  # columns at once: a chunk of 200 rows stays in the second-level cache

TILE = 1024
"""Clients of whom a tile of the matrix is made; with two threads some 50 MB stand beside the rows and the result."""


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
        d = 1.0 - self.cosines
        np.clip(d, 0.0, 2.0, out=d)
        np.fill_diagonal(d, 0.0)
        return d


def geometry(rows: torch.Tensor, initial: torch.Tensor, workers: int = 1, out: Floats | None = None) -> Geometry:
    """Return the geometry of float32 ``rows`` [m, P] around ``initial`` [P], or each row around its own [m, P].

    Updates are normalised, multiplied in float32 over short chunks of P, and the chunks are summed in float64: an error
    of some 1e-8 in a cosine, at half the time of float64 products. Above `TILE` clients the matrix is made tile by tile
    on and above its diagonal, half the work of a matrix product, so that ``rows`` may lie in a memory map, and so may
    the cosines: ``out`` float64 [m, m], filled and kept in the result. ``workers`` threads share the tiles; each tile
    is one thread's where torch has one (`one_thread`), and the answer is the same for any number of them.
    """
    m, p = rows.shape
    chunks = [slice(start, start + _CHUNK) for start in range(0, p, _CHUNK)]
    tiles = [slice(start, start + TILE) for start in range(0, m, TILE)]
    cosines = np.empty((m, m)) if out is None else out

    def update(tile: slice, part: slice) -> torch.Tensor:
        return rows[tile, part] - (initial[part] if initial.ndim == 1 else initial[tile, part])

    def squares(tile: slice) -> torch.Tensor:
        lengths = torch.zeros(len(rows[tile]), dtype=torch.float64, device=rows.device)
        for part in chunks:
            lengths += update(tile, part).double().square_().sum(1)
        return lengths

    def units(tile: slice, part: slice) -> torch.Tensor:
        found, scale = update(tile, part), inverse[tile]
        return (found.double() * scale).float() if extreme else found * scale.float()

    def multiply(pair: tuple[slice, slice]) -> None:
        first, second = pair
        gram = torch.zeros(len(rows[first]), len(rows[second]), dtype=torch.float64, device=rows.device)
        for part in chunks:
            left = units(first, part)
            gram += left @ (left if first == second else units(second, part)).T
        g = np.clip(gram.cpu().numpy(), -1.0, 1.0)
        if first == second:  # symmetric to the last bit, however the product was blocked
            g = np.triu(g, 1)
            g += g.T
            np.fill_diagonal(g, 1.0)
        else:
            cosines[second, first] = g.T
        cosines[first, second] = g

    with ThreadPoolExecutor(workers) as pool:
        each = pool.map if workers > 1 else map
        lengths = torch.cat(list(each(squares, tiles))).sqrt()
        inverse = torch.where(lengths > 0, 1.0 / lengths, 0.0)[:, None]
        extreme = bool(((inverse > 1e30) | (lengths[:, None] > 1e30)).any())  # float32 would lose these scales
        list(each(multiply, [(tile, other) for k, tile in enumerate(tiles) for other in tiles[k:]]))
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


def trimmed_mean(rows: torch.Tensor, trim: int) -> torch.Tensor:
    """Return of every column of rows [m, P] the mean without its ``trim`` smallest and largest values, float32 [1, P].

    ``trim`` = ⌊(m − 1) / 2⌋ gives the median: the middle value, or the mean of the two. Summed in float64.
    """
    out = torch.empty(1, rows.shape[1], dtype=rows.dtype, device=rows.device)
    for start in range(0, rows.shape[1], _CHUNK):
        part = slice(start, start + _CHUNK)
        out[0, part] = rows[:, part].double().sort(0).values[trim : len(rows) - trim].mean(0).to(out.dtype)
    return out
