"""Myerson's optimal auction of one item for regular distributions."""

from collections.abc import Callable
from functools import partial

import numpy as np

from mechanism.auctions.auction import ONE_ITEM, Auction
from mechanism.auctions.ranking import highest, highest_other, wins
from mechanism.direct import Floats
from mechanism.entry import MONOTONE, SELLING, TRUTHFUL, VOLUNTARY, CatalogueEntry, truths

Curve = Callable[[Floats], Floats]


def uniform_virtual(values: Floats) -> Floats:
    """Return the virtual value of the uniform distribution on [0, 1], φ(v) = v - (1-F(v))/f(v) = 2v - 1."""
    return 2.0 * values - 1.0


def uniform_inverse(virtual: Floats) -> Floats:
    """Return the value whose virtual value this is, φ⁻¹(x) = (x + 1)/2."""
    return (virtual + 1.0) / 2.0


def myerson(
    agents: int = 3,
    virtual: Curve = uniform_virtual,
    inverse: Curve = uniform_inverse,
    low: float = 0.0,
    high: float = 1.0,
) -> Auction:
    """Sell one item to the highest virtual value if that is not negative, at the critical value.

    1. Virtual values φ_i(v) = v - (1-F_i(v))/f_i(v) of the bids.
    2. The item goes to w = argmax_i φ_i(b_i), ties to the lowest index, if φ_w(b_w) >= 0; else it is kept.
    3. The winner pays φ_w⁻¹(max(0, max_{i≠w} φ_i(b_i))): the lowest bid with which it would still win.

    With equal distributions it is the second-price auction with reserve φ⁻¹(0): 1/2 for the uniform one on [0, 1].

    >>> myerson(2)([[0.3, 0.8], [0.6, 0.8]])
    (array([[0., 1.],
           [0., 1.]]), array([[0. , 0.5],
           [0. , 0.6]]))

    ``virtual``, ``inverse``: functions of ``[..., agents]`` returning the same shape, column i for agent i (so
    distributions may differ); rising, i.e. the distributions are regular, and each the inverse of the other. ``low``,
    ``high``: bounds of the values.

    Source: Myerson, Optimal auction design, 1981, section 5.
    """
    rule = partial(_rule, virtual, inverse)
    family = partial(myerson, virtual=virtual, inverse=inverse, low=low, high=high)
    return Auction(rule, agents, low, high, name="myerson", optimum=highest, family=family)


def _rule(virtual: Curve, inverse: Curve, bids: Floats) -> tuple[Floats, Floats]:
    scores = np.asarray(virtual(bids))
    allocation = wins(scores) & (scores >= 0.0)
    critical = np.asarray(inverse(np.maximum(0.0, highest_other(scores))))
    return allocation.astype(float), np.where(allocation, critical, 0.0)


ENTRY = CatalogueEntry(
    "myerson", "optimal auction for uniform values", "Myerson 1981", ONE_ITEM,
    truths(
        **VOLUNTARY, **TRUTHFUL, **SELLING, efficiency="no (the item may be kept)", **MONOTONE, anonymity="yes",
        non_bossiness="no", group_dsic="no", split_proof="yes",
    ),
    myerson,
)  # fmt: skip
