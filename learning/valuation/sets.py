"""Which sets of others' models each importer tries, and the mixtures of models that they mean."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from learning.errors import LearningError
from learning.streams import stream

POINTS: int = 6
"""Nested sets that an importer tries at most."""

EXTRA: int = 3
"""Random sets that an importer tries at most."""

SAMPLES: int = 256
"""Held-out samples on which a mixture is judged at most."""

_ATTEMPTS = 20

Mixture = tuple[tuple[int, ...], tuple[float, ...]]
"""Rows of models, and the weights of their average, which sum to 1."""


@dataclass(frozen=True)
class ValueTask:
    """Judge each of ``mixtures`` on at most ``samples`` held-out samples of ``client``; the first is its own model.

    ``first`` names the slot of which that one is, the clients' models if empty.
    """

    client: int
    mixtures: tuple[Mixture, ...]
    samples: int
    first: str = ""

    @property
    def cost(self) -> float:
        """Relative length of the task, for sharing work out: samples."""
        return float(self.samples * len(self.mixtures))


def nested_sets(sizes: NDArray[np.float64], others: Sequence[int], points: int = POINTS) -> list[tuple[int, ...]]:
    """Return at most ``points`` nested sets of ``others``, largest clients first (equal ones: lower index first).

    Their numbers of clients are rounded geometric steps from 1 to all of them. Each set is sorted.
    """
    falling = sorted(others, key=lambda j: (-sizes[j], j))
    if not falling or points < 1:
        return []
    counts = sorted({round(count) for count in np.geomspace(1, len(falling), points).tolist()} | {len(falling)})
    return [tuple(sorted(falling[:count])) for count in counts[-points:]]


def random_sets(
    others: Sequence[int], rng: np.random.Generator, extra: int, known: Iterable[tuple[int, ...]] = ()
) -> list[tuple[int, ...]]:
    """Return at most ``extra`` sets of ``others``, none of them ``known`` or twice; fewer where no more are found.

    The number of clients in a set is drawn log-uniformly from 1 to all: gains change most over small sets.
    """
    found: list[tuple[int, ...]] = []
    taken = set(known)
    for _ in range(_ATTEMPTS * extra if others else 0):
        count = min(len(others), int((len(others) + 1) ** rng.random()))
        drawn = tuple(sorted(rng.choice(np.array(others), size=count, replace=False).tolist()))
        if drawn not in taken:
            taken.add(drawn)
            found.append(drawn)
        if len(found) == extra:
            break
    return found


def mixture(sizes: NDArray[np.float64], importer: int, others: Sequence[int]) -> Mixture:
    """Return the average of the importer's model and those of ``others``, weighted by samples: n_j / Σ n."""
    rows = (importer, *others)
    weight = sizes[list(rows)]
    return rows, tuple((weight / weight.sum()).tolist())


def value_tasks(
    sizes: ArrayLike,
    held: Sequence[int],
    seed: int,
    round_index: int,
    present: NDArray[np.bool_] | None = None,
    points: int = POINTS,
    extra: int = EXTRA,
    samples: int = SAMPLES,
) -> list[ValueTask]:
    """Return one task per client: its own model, then nested sets of others, then random ones.

    `LearningError` if sizes and held do not fit each other or a size is not a positive number.

    Parameters
    ----------
    sizes
        [m] true samples of each client, > 0: the weights of the averages.
    held
        [m] how many samples each client holds out; empty: nobody does.
    seed, round_index
        With the client, the key of the stream of its random sets.
    present
        bool [m], who takes part: others have no task and are in no set. None: everybody.
    points, extra, samples
        Bounds on the work: nested sets, random sets, held-out samples.
    """
    size = _sizes(sizes, held)
    there = range(len(size)) if present is None else np.flatnonzero(present).tolist()
    chosen = {}
    for i in there:
        others = [j for j in there if j != i]
        sets = nested_sets(size, others, points)
        sets += random_sets(others, stream(seed, "valuation/sets", round_index, i), extra, sets)
        chosen[i] = sets
    return _tasks(size, chosen, held, samples)


def chosen_tasks(
    imports: NDArray[np.bool_], sizes: ArrayLike, held: Sequence[int], samples: int = SAMPLES
) -> list[ValueTask]:
    """Return one task per client that imports something: its own model, and the average with what it imports.

    ``imports`` bool [m, m], row i what i imports; the rest as in `value_tasks`.
    """
    size = _sizes(sizes, held)
    chosen = {i: [tuple(j for j in np.flatnonzero(row).tolist() if j != i)] for i, row in enumerate(imports)}
    return _tasks(size, {i: sets for i, sets in chosen.items() if sets[0]}, held, samples)


def _tasks(
    sizes: NDArray[np.float64], chosen: Mapping[int, Sequence[tuple[int, ...]]], held: Sequence[int], samples: int
) -> list[ValueTask]:
    def judged(i: int) -> int:
        out = held[i] if len(held) else 0
        return max(1, min(samples, out or int(sizes[i])))  # who holds nothing out is judged on all it has

    return [
        ValueTask(i, tuple(mixture(sizes, i, others) for others in ((), *sets)), judged(i))
        for i, sets in chosen.items()
    ]


def _sizes(sizes: ArrayLike, held: Sequence[int]) -> NDArray[np.float64]:
    size = np.asarray(sizes, dtype=np.float64)
    if size.ndim != 1 or len(held) not in (0, len(size)) or not (np.isfinite(size) & (size > 0)).all():
        raise LearningError(
            f"sizes have shape {list(size.shape)} and {len(held)} clients hold samples out; expected one positive "
            "number of samples for each client"
        )
    return size
