"""Serial dictatorship."""

from functools import partial

import numpy as np

from mechanism.auctions.without_money.objects import OBJECTS, Integers, ObjectAssignment
from mechanism.direct import Floats
from mechanism.entry import TRUTHFUL, UNPAID, VOLUNTARY, CatalogueEntry, truths


def serial_dictatorship(agents: int = 3, objects: int | None = None) -> ObjectAssignment:
    """Let agents choose their best remaining object, in the order of their indices.

    1. Agent 0 takes its best object, ties to the lowest object.
    2. Agent 1 takes its best among those left; and so on. Who comes when nothing is left gets nothing.

    Truthful: nothing that an agent says changes what it may choose from. Pareto efficient for strict values, but the
    total value need not be the largest. The order is a dictatorship, so not anonymous.

    >>> import numpy as np
    >>> serial_dictatorship(2).outcome(np.array([[[0.6, 0.5], [0.9, 0.1]]])).tolist()
    [[0, 1]]

    ``objects``: how many; default as many as agents.

    Source: Satterthwaite, Sonnenschein, Strategy-proof allocation mechanisms at differentiable points, 1981;
    Svensson, Strategy-proof allocation of indivisible goods, 1999.
    """
    count = agents if objects is None else objects
    family = partial(serial_dictatorship, objects=count)
    return ObjectAssignment("serial-dictatorship", _assign, agents, count, family)


def _assign(values: Floats) -> Integers:
    batch, (agents, objects) = values.shape[:-2], values.shape[-2:]
    taken = np.zeros((*batch, objects), dtype=bool)
    held = np.full((*batch, agents), -1, dtype=np.intp)
    for i in range(min(agents, objects)):
        held[..., i] = np.where(taken, -np.inf, values[..., i, :]).argmax(axis=-1)
        taken |= held[..., i, None] == np.arange(objects)
    return held


ENTRY = CatalogueEntry(
    "serial-dictatorship", "agents choose in turn", "Satterthwaite, Sonnenschein 1981", OBJECTS,
    truths(  # group_dsic: holds for strict values, fails through an indifferent dictator
        **VOLUNTARY, **TRUTHFUL, **UNPAID, efficiency="no (total value)", cyclic_monotonicity="yes",
        anonymity="no (the order)", non_bossiness="yes",
    ),
    serial_dictatorship,
)  # fmt: skip
