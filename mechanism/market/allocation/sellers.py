"""What the kernels read and write when they clear a market without looking at everyone, as tuples of arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Rows = tuple[Ints, Ints, Floats, float]
"""A sparse matrix: (indptr, columns, values, entry where none is listed); all empty: there is none."""


class Sellers(NamedTuple):
    """A market of m clients, its sellers sorted once for all importers.

    ``size cost gain`` ``[m]``; ``lam``; ``vectors`` ``[m, k]`` of length 1 (k = 0: none); ``pairs`` differences that
    are listed; ``effective`` sizes that are listed, if ``sparse``; ``total``: no importer can hold more data besides
    its own.

    ``order`` ``[n]``: streams of sellers, stream c at ``starts[c]:starts[c + 1]``, each by rising cost per sample, then
    falling size, then number. ``ratio`` ``[n]``: cost per sample there. ``largest`` ``[n]``: the largest size from
    there to the end of the stream. ``centres`` ``[c, k]`` and ``radius`` ``[c]``: a vector of length 1 for each stream,
    and the least cosine of one of its members with it.

    ``cheapest``: the least cost that a seller beyond the first may have. ``biggest`` ``[m]``: sellers by falling size.

    Where all importers pay the same for a seller: ``ahead`` ``[m]`` how many others dominate it (no smaller and no
    dearer; of equals the first); stream c holds those whom less than ``depths[c]`` dominate, the last one all;
    ``least`` ``[n]``: the least (ahead - 2) times size from there to the end of the stream. Sellers that are not in
    stream c ask at least ``edge[c, b]`` per sample, and those of them that ask less than ``edge[c, b + 1]`` have at
    least ``reach[c, b]`` of (ahead - 2) times size. Else ``depths`` is empty, ``ahead`` and ``least`` are 0, and each
    seller is in one stream.
    """

    size: Floats
    cost: Floats
    gain: Floats
    lam: float
    vectors: Floats
    pairs: Rows
    effective: Rows
    sparse: bool
    total: float
    order: Ints
    starts: Ints
    ratio: Floats
    largest: Floats
    centres: Floats
    radius: Floats
    ahead: Ints
    depths: Ints
    least: Floats
    edge: Floats
    reach: Floats
    cheapest: float
    biggest: Ints


class Scratch(NamedTuple):
    """What is known of sellers for the importer at hand.

    Offers by number, as met: ``client size price penalty mark`` (price per sample) ``[m]``; ``heap``: those not yet
    listed, the first by mark on top. ``met`` ``[m]``: i + 1 where client was met for importer i without its stream.
    Streams: ``bound`` what the next of each asks at least per sample, ``base`` the penalty in it, ``place`` where it
    stands in the table, ``streams`` a heap of those that are not at their end. ``at``: how many offers were met, are in
    the heap, how many streams, and differences computed so far.
    """

    client: Ints
    size: Floats
    price: Floats
    penalty: Floats
    mark: Floats
    heap: Ints
    met: Ints
    bound: Floats
    base: Floats
    place: Ints
    streams: Ints
    at: Ints


class Slices(NamedTuple):
    """Candidates sorted for sets of one number of sellers, for some numbers at once.

    ``number length`` ``[q]``: for how many, in a list how long (0: empty). ``order`` ``[q, m]`` by falling ``worth``
    ``[q, m]``, with ``sums`` ``[q, m + 1]`` of it from the first on; ``base`` ``[q]``: height of the tangent at the
    importer's own data; ``rounding`` ``[q]``: error of a bound. ``level`` ``[m]``: zeros.
    """

    number: Ints
    length: Ints
    order: Ints
    worth: Floats
    sums: Floats
    base: Floats
    rounding: Floats
    level: Floats
