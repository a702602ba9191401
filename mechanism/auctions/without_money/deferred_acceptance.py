"""Gale and Shapley's deferred acceptance, agents proposing."""

from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from mechanism.auctions.without_money.objects import OBJECTS, Integers, ObjectAssignment, preferences
from mechanism.direct import Floats
from mechanism.entry import UNPAID, VOLUNTARY, CatalogueEntry, truths
from mechanism.errors import InvalidMechanismError


def deferred_acceptance(
    agents: int = 3, objects: int | None = None, priorities: ArrayLike | None = None
) -> ObjectAssignment:
    """Agents propose to objects in the order of their values; each object keeps the proposer of highest priority.

    The agents are the proposing side and the only ones in the mechanism; objects (school places, say) have fixed public
    priorities and no wishes.

    1. Every agent without an object proposes to the best object that has not rejected it.
    2. Each object keeps, among its holder and the proposers, the one first in its priority, and rejects the others.
    3. Repeat until nobody is rejected or the rejected have no object left to ask.

    The result is the stable assignment that all agents like best; truthful for the proposing side. Priorities with a
    cycle (as the default) make it bossy and open to coalitions, and stability may cost total value.

    Agents 1 and 2 ask for object 0, agent 0 for object 1. Agent 2, rejected, asks for object 1 and sends agent 0 to
    object 0, which sends agent 1 to object 1, which sends agent 2 to object 2:

    >>> import numpy as np
    >>> deferred_acceptance(3).outcome(np.array([[[0.2, 0.9, 0.1], [0.8, 0.3, 0.2], [0.9, 0.5, 0.1]]])).tolist()
    [[0, 1, 2]]

    Had agent 2 asked for object 2 at once, the other two would have kept what they asked for first. ``objects``: how
    many; default as many as agents. ``priorities``: whole numbers ``[objects, agents]``: row k lists the agents, first
    in line first. Default: object k prefers agents k, k+1, …, n-1, 0, …, k-1 (also when the mechanism is resized).

    Source: Gale, Shapley, College admissions and the stability of marriage, 1962; Dubins, Freedman, 1981;
    Abdulkadiroğlu, Sönmez, 2003; Ergin, Efficient resource allocation on the basis of priorities, 2002.
    `InvalidMechanismError` if a row of the priorities does not list every agent once.
    """
    count = agents if objects is None else objects
    lines = np.add.outer(np.arange(count), np.arange(agents)) % agents if priorities is None else np.asarray(priorities)
    if lines.shape != (count, agents) or not (np.sort(lines, axis=-1) == np.arange(agents)).all():
        raise InvalidMechanismError(
            f"priorities must have {count} rows, one per object, each listing agents 0 to {agents - 1} once"
        )
    places = np.argsort(lines, axis=-1)  # places[k, i]: how many stand before agent i in the line of object k
    family = partial(deferred_acceptance, objects=count)
    return ObjectAssignment("deferred-acceptance", partial(_assign, places), agents, count, family)


def _assign(places: Integers, values: Floats) -> Integers:
    batch, (agents, objects) = values.shape[:-2], values.shape[-2:]
    wishes = np.concatenate([preferences(values), np.full((*batch, agents, 1), -1)], axis=-1)  # at the end: none
    asked = np.zeros((*batch, agents, 1), dtype=np.intp)
    while True:
        target = np.take_along_axis(wishes, asked, axis=-1)
        asks = target == np.arange(objects)
        place = np.where(asks, places.T, agents)
        kept = (asks & (place == place.min(axis=-2, keepdims=True))).any(axis=-1, keepdims=True)
        rejected = ~kept & (target >= 0)
        if not rejected.any():
            return np.asarray(target[..., 0])
        asked = asked + rejected


ENTRY = CatalogueEntry(
    "deferred-acceptance", "deferred acceptance, agents propose to objects with priorities",
    "Gale, Shapley 1962; Dubins, Freedman 1981", OBJECTS,
    truths(
        **VOLUNTARY, dsic="yes (the proposing side)", bic="yes", **UNPAID, efficiency="no (total value)",
        cyclic_monotonicity="yes", anonymity="no (the priorities)",
        # Ergin 2002: the default priorities hold a cycle from three agents on
        non_bossiness="no", group_dsic="no",
    ),
    deferred_acceptance, fewest=3,
)  # fmt: skip
