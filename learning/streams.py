"""Random streams keyed by what they are for, never by the order in which they are asked for."""

import hashlib

import numpy as np


def stream(seed: int, purpose: str, round_index: int = 0, client: int = 0) -> np.random.Generator:
    """Return the generator of one (seed, purpose, round, client): the same key gives the same numbers anywhere.

    Every part of the key fills a fixed number of 32-bit words of a `numpy.random.SeedSequence`, so that no two keys
    can run into each other; the generator is counter-based (Philox).

    >>> float(stream(1, "batches", 2, 3).random()) == float(stream(1, "batches", 2, 3).random())
    True
    """
    for name, value in (("seed", seed), ("round_index", round_index), ("client", client)):
        if not 0 <= value < 2**64:
            raise ValueError(f"{name} is {value}; expected an integer in [0, 2**64)")
    digest = hashlib.blake2b(purpose.encode(), digest_size=16).digest()
    words = list(np.frombuffer(digest, dtype="<u4"))
    for value in (seed, round_index, client):
        words += [value & 0xFFFFFFFF, value >> 32]
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([int(w) for w in words])))
