"""What a method is: what clients do between exchanges, and how the server combines what they upload.

No input or output, no device and no distribution over processes appears here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.plan import LearningPlan

Array = NDArray[np.float64]
Graph = NDArray[np.bool_]


@dataclass(frozen=True)
class LocalSpec:
    """What a client does in a round: ``steps`` of SGD, pulled with coefficient ``pull`` to slot ``target``.

    The pull adds ``pull`` · (θ − target) to the gradient; 0 means none.
    """

    steps: int
    pull: float = 0.0
    target: str = ""


@dataclass(frozen=True, eq=False)
class Aggregation:
    """What the server writes: θ_0 + matrix (W − θ_0), into the rows if ``into`` is empty, else into that slot.

    ``matrix`` float64 [m, m]; row i makes what client i gets. Where its rows sum to one the result is matrix · W.
    """

    matrix: Array
    into: str = ""


@dataclass(frozen=True)
class Algorithm:
    """A method by its name, with its source and the pure functions that define it.

    ``local_spec(plan, first)`` gives a client's work, ``first`` if nothing has been aggregated yet. ``implied(m)``
    gives the graph that the method implies whatever anybody wants, bool [m, m] (row imports from column), or None if a
    market decides. ``aggregate(imports, sizes, cosines, norms, plan)`` gives the server's step, or None for nothing.
    ``deploys`` says which models clients use: "trained" locally or "aggregated" by the server. ``slots`` are the
    matrices [m, P] besides the models that the method carries from round to round.
    """

    name: str
    citation: str
    summary: str
    deploys: str
    slots: tuple[str, ...]
    local_spec: Callable[[LearningPlan, bool], LocalSpec]
    implied: Callable[[int], Graph | None]
    aggregate: Callable[[Graph, Array, Array, Array, LearningPlan], Aggregation | None]
