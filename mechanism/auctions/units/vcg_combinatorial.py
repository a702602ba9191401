"""The Vickrey–Clarke–Groves auction of two different items and their bundle."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats, Space
from mechanism.entry import SELLING, TRUTHFUL, VOLUNTARY, CatalogueEntry, truths


@dataclass(frozen=True, eq=False)
class Bundles:
    """Who holds item A and who holds item B, whole numbers ``[batch]``; ``payment`` ``[batch, agents]``."""

    holder_a: NDArray[np.intp]
    holder_b: NDArray[np.intp]
    payment: Floats


@dataclass(frozen=True, eq=False)
class VcgCombinatorial:
    """Sell items A and B to the best total value; each pays what its presence costs the others.

    Private values ``A`` and ``B`` in [0, 1] and ``AB`` in [0, 2]. Surplus is thrown away freely: the bundle is worth
    max(A, B, AB), so items may be substitutes (AB < A + B) or complements (AB > A + B).

    1. Of all n² pairs (holder of A, holder of B) take the one with the highest total value W(N); ties by the lowest
       holder of A, then of B. Values are not negative, so no item needs to be kept.
    2. Agent i pays the Clarke pivot p_i = W(N∖i) - (W(N) - v_i): what the others could have had less what they have.

    Truthful and efficient for any such values. Not proof against false names, and revenue may be low with complements.

    >>> import numpy as np
    >>> auction = VcgCombinatorial(2)
    >>> outcome = auction.outcome(np.array([[[0.0, 0.0, 1.0], [0.6, 0.6, 1.2]]]))
    >>> outcome.holder_a.tolist(), outcome.holder_b.tolist(), outcome.payment.tolist()
    ([1], [1], [[0.0, 1.0]])

    Source: Vickrey, 1961; Clarke, 1971; Groves, 1973; Nisan et al., Algorithmic Game Theory, 9.3; false names:
    Yokoo, Sakurai, Matsubara, 2004.
    """

    agents: int = 3
    name: str = "vcg-combinatorial"
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        space = Space(self.agents, ("A", "B", "AB"), np.zeros(3), np.array([1.0, 1.0, 2.0]), called="bidder")
        object.__setattr__(self, "space", space)

    def outcome(self, reports: Floats) -> Bundles:
        """Answer ``[batch, agents, 3]`` (A, B, AB)."""
        totals = _totals(reports)
        flat = totals.reshape(*totals.shape[:-2], -1)
        holder_a, holder_b = np.divmod(flat.argmax(axis=-1), self.agents)
        best = flat.max(axis=-1)
        unpaid = Bundles(holder_a, holder_b, np.zeros(reports.shape[:-1]))
        others = best[..., None] - self.utility(reports, unpaid)
        without = np.stack([_without(totals, i) for i in range(self.agents)], axis=-1)
        return Bundles(holder_a, holder_b, without - others)

    def utility(self, types: Floats, outcome: Bundles) -> Floats:
        """Worth of the bundle that each holds, less the payment ``[batch, agents]``."""
        agent = np.arange(self.agents)
        a, b = outcome.holder_a[..., None] == agent, outcome.holder_b[..., None] == agent
        worth = np.where(a & b, types.max(axis=-1), types[..., 0] * a + types[..., 1] * b)
        return worth - outcome.payment

    def joint(self, types: Floats, outcome: Bundles, a: int, b: int) -> Floats:
        """Worth to an agent of a's type of what names a and b hold together, less both payments ``[batch]``."""
        holds_a, holds_b = (np.isin(holder, (a, b)) for holder in (outcome.holder_a, outcome.holder_b))
        own = types[..., a, :]
        worth = np.where(holds_a & holds_b, own.max(axis=-1), own[..., 0] * holds_a + own[..., 1] * holds_b)
        return np.asarray(worth - outcome.payment[..., a] - outcome.payment[..., b])

    def payments(self, outcome: Bundles) -> Floats:
        """What each pays the centre ``[batch, agents]``."""
        return outcome.payment

    def consequences(self, outcome: Bundles) -> Floats:
        """Return whether each agent holds A, holds B, and what it pays ``[batch, agents, 3]``."""
        agent = np.arange(self.agents)
        a, b = outcome.holder_a[..., None] == agent, outcome.holder_b[..., None] == agent
        return np.stack([a, b, outcome.payment], axis=-1)

    def welfare(self, types: Floats, outcome: Bundles) -> Floats:
        """Total worth of what is held ``[batch]``."""
        return np.asarray((self.utility(types, outcome) + outcome.payment).sum(axis=-1))

    def optimal_welfare(self, types: Floats) -> Floats:
        """Return the best single bundle or the best two different holders ``[batch]``."""
        bundle = types.max(axis=(-2, -1))
        if self.agents == 1:
            return np.asarray(bundle)
        a, b = types[..., 0], types[..., 1]
        apart = np.max([a[..., i] + np.delete(b, i, axis=-1).max(axis=-1) for i in range(self.agents)], axis=0)
        return np.maximum(bundle, apart)

    def resized(self, agents: int) -> VcgCombinatorial:
        """Return the same items for another number of agents."""
        return VcgCombinatorial(agents)


def _totals(reports: Floats) -> Floats:
    """Return the total value of each pair ``[..., holder of A, holder of B]``; the diagonal is the bundle."""
    totals = reports[..., :, None, 0] + reports[..., None, :, 1]
    agent = np.arange(reports.shape[-2])
    totals[..., agent, agent] = reports.max(axis=-1)
    return totals


def _without(totals: Floats, i: int) -> Floats:
    """Return the best total value ``[...]`` without agent i, 0 if it is alone."""
    rest = np.delete(np.delete(totals, i, axis=-1), i, axis=-2)
    return np.asarray(rest.max(axis=(-2, -1), initial=0.0))


ENTRY = CatalogueEntry(
    "vcg-combinatorial", "VCG auction of two items and their bundle", "Clarke 1971, Groves 1973",
    "items A and B; private values A, B in [0, 1] and AB in [0, 2], free disposal",
    truths(
        **VOLUNTARY, **TRUTHFUL, **SELLING, efficiency="yes", cyclic_monotonicity="yes", anonymity="yes",
        non_bossiness="no", group_dsic="no",
        revenue_monotonicity="no (a bidder for one item helps another for the other)",  # Ausubel, Milgrom 2002
        split_proof="no (false names against a bundle bid)",  # Yokoo, Sakurai, Matsubara 2004
    ),
    VcgCombinatorial,
)  # fmt: skip
