"""What a theorem about a gain law still says when true gains differ from the law: bounds on regret, loss and welfare.

The theorems take client i's gain from importing S to be the law's G_i(S). Let its true gain be Ĝ_i(S) = G_i(S) + ε_i(S)
with -under_i <= ε_i(S) <= over_i for every S, ε_i(nothing) = 0, and let the payments be functions of reports and public
data only (no `realised`). Write S(r) for what i imports when it reports r and the others report what they like. Costs
and payments do not read the true gain, so that for every report

    U_true(r) = U_law(r) + ε_i(S(r)).                                                                            (1)

**Regret.** Let the mechanism be truthful for the law in some coordinates, t the truth and r a lie in them. Then
U_law(r) <= U_law(t), and by (1) U_true(r) - U_true(t) <= ε_i(S(r)) - ε_i(S(t)) <= over_i + under_i: twice δ_i if both
are δ_i. *A false cost gains nothing at all*: in every market of the catalogue a client's own purchases do not read its
own cost, S(r) = S(t), and the two ε cancel. The bound is for reports that move one's own purchases: gain (where the
rule is truthful in it: posted-price, pooled-price, vcg-two-sided), or gain and cost together.

**Losing.** If U_law(t) >= 0 then by (1) U_true(t) >= -under_i; the buyer's part likewise, the seller's part unchanged.

**Objective.** If the imports A maximise V_λ for the law then for every B, V_true(A) >= V_law(A) - Σ under >=
V_law(B) - Σ under >= V_true(B) - Σ (over + under). At λ = 0 that is welfare. A gap of the selection is added to it.

Each bound is reached, but for rounding, by a market in the tests.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mechanism.errors import InvalidMarketError
from mechanism.space import Floats
from mechanism.wording import number


@dataclass(frozen=True, eq=False)
class PremiseBounds:
    """What holds of true gains within ``[law - under, law + over]``, money.

    ``regret`` ``[..., m]``: the most that a client gains by a lie in a coordinate in which the mechanism is truthful
    for the law. ``cost_regret`` ``[..., m]``: the same for a false cost alone, 0 since one's own purchases do not read
    one's cost. ``lowest_utility`` ``[..., m]``, <= 0: what a client has at least, where the law promises it at least 0.
    ``welfare`` ``[...]``: by how much the objective may miss the best, where it is the best for the law.
    """

    regret: Floats
    cost_regret: Floats
    lowest_utility: Floats
    welfare: Floats

    def sentence(self, sets: int | None = None) -> str:
        """Say in words what the bounds are and on what they rest.

        ``sets``: on how many sets of imports the deviations were measured; None if they are known for all sets.
        """
        largest, loss = float(self.regret.max(initial=0.0)), float((-self.lowest_utility).max(initial=0.0)) + 0.0
        welfare = float(self.welfare.max(initial=0.0))
        bounds = (
            "a false cost gains no more than by the law; where gain reports are truthful for the law a false gain "
            f"gains at most {number(largest)}; who loses nothing by the law loses at most {number(loss)}; and what is "
            f"the best objective by the law misses the best by at most {number(welfare)}"
        )
        if sets is None:
            return f"For all gains this far from the law: {bounds}."
        return (
            f"If no set of imports departs further from the gain law than the {sets} that were measured: {bounds}. "
            "Other sets may depart further, so these are estimates, and not proved."
        )


def premise_bounds(over: ArrayLike, under: ArrayLike | None = None) -> PremiseBounds:
    """Return what the theorems leave when true gains lie in ``[law - under, law + over]``.

    ``over``, ``under``: float64 ``[..., m]``, money, >= 0: by how much client i's true gain, from any set, is above and
    below the law's at most. ``under`` None: the same as ``over`` (then over is δ, and the regret is 2 δ).
    `InvalidMarketError` if a number is negative or not finite, or the shapes do not fit each other.
    """
    above = _checked("over", over)
    below = above if under is None else _checked("under", under)
    if above.shape != below.shape:
        raise InvalidMarketError(
            f"over has shape {list(above.shape)} and under {list(below.shape)}; expected one shape [..., m]"
        )
    regret = above + below
    return PremiseBounds(regret, np.zeros(regret.shape), 0.0 - below, np.asarray(regret.sum(axis=-1)))


def _checked(name: str, values: ArrayLike) -> Floats:
    array = np.array(values, dtype=np.float64) + 0.0
    if array.ndim == 0:
        raise InvalidMarketError(f"{name} is a single number; expected one per client, shape [..., m]")
    if not (np.isfinite(array) & (array >= 0.0)).all():
        raise InvalidMarketError(f"{name} has an entry that is negative or not finite; expected money >= 0")
    return array
