"""The result of a valuation: a public gain law, each client's parameter in it, and how far measurements depart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.errors import LearningError
from learning.valuation.curves import BINS, Curve, joined
from mechanism.errors import MarketProofError
from mechanism.market.gains import GainLaw, TableGain, law_from_arrays, law_to_arrays
from mechanism.market.premise import PremiseBounds, premise_bounds
from mechanism.space import Floats

KINDS: dict[str, str] = {
    "size": "the paper's square-root law of the number of samples; nothing is measured",
    "measured": "a concave table through the loss drops that averaging models brought on held-out samples",
    "fitted": "a power law fitted to those loss drops",
}
"""The valuations by name. Their order is their number in a record: 0 size, 1 measured, 2 fitted."""

_PREFIX = "valuation_"
_LARGEST_CURVE = 10_000_000  # points: more were written by nobody
_FIT = ("exponent", "scale", "low", "high", "residual", "explained")


@dataclass(frozen=True, eq=False)
class Valuation:
    """What the market values in a round.

    ``law`` is public. ``gain`` [m]: each client's true parameter K in it, private. ``worth`` [m]: money for a nat of
    loss. ``over``, ``under`` [m]: by how much client i's measured gain, in money, lies above and below the law's at
    most, over the sets that it tried. ``concavity_defect``: nats by which the mean curve falls short of concave.
    ``fit``: numbers about the fit; ``residual`` is the root mean square in nats, ``explained`` the share of the drops'
    squares that the law explains; for a power law also ``exponent``, ``low``, ``high`` (95 %) and ``scale``. Where
    nothing was measured (size) worth, over and under are 0, and fit and curve are None.
    """

    kind: str
    law: GainLaw
    gain: Floats
    worth: Floats
    over: Floats
    under: Floats
    concavity_defect: float = 0.0
    fit: dict[str, float] | None = None
    curve: Curve | None = None

    @property
    def defect(self) -> Floats:
        """δ [m], money: the largest distance of a client's measured gain from the law's over the sets that it tried."""
        return np.maximum(self.over, self.under)

    @property
    def flat(self) -> bool:
        """Whether the law values no data at all: nothing measured got better, and no model is worth a price."""
        if isinstance(self.law, TableGain):
            return bool(np.ptp(self.law.knots[1]) == 0.0)
        return self.fit is not None and self.fit["scale"] == 0.0

    def against(self, curve: Curve) -> Valuation:
        """Return the same law held against other measurements alone, such as a later round's; ``fit`` stays."""
        if self.curve is None:
            raise LearningError("nothing was measured under --valuation size; take measured or fitted")
        over, under = departures(curve, self.law, self.gain, self.worth)
        return replace(self, over=over, under=under, curve=curve)

    def seen(self, curve: Curve) -> Valuation:
        """Return the same law held against more measurements of the same round: those so far and these."""
        more = self.against(curve)
        both = joined(self.curve, curve) if self.curve is not None else curve
        return replace(
            more, over=np.maximum(self.over, more.over), under=np.maximum(self.under, more.under), curve=both
        )

    def premise(self) -> PremiseBounds | None:
        """Return what the theorems leave, by `mechanism.market.premise`; None where nothing was measured."""
        return None if self.curve is None else premise_bounds(self.over, self.under)

    def sentences(self, bounds_hold: bool = True) -> list[str]:
        """Say in words what the law is, how well it fits, and what that does to the theorems.

        ``bounds_hold`` False leaves out the last: where nobody reports, or payments follow from gains themselves.
        """
        bounds = self.premise()
        if self.curve is None or bounds is None:
            return ["Gains follow the paper's square-root law of the number of samples: assumed, not measured."]
        sets = f"{self.curve.sets} sets of models"
        if self.flat:
            words = [f"On {sets} no gain was measured: the law is flat, and no model is worth a price."]
        elif self.kind == "fitted" and self.fit is not None:
            words = [
                f"Gains follow a power law fitted to {sets}: exponent {self.fit['exponent']:.3g} (95 % between "
                f"{self.fit['low']:.3g} and {self.fit['high']:.3g}), residual {self.fit['residual']:.3g} nats."
            ]
        else:
            residual = 0.0 if self.fit is None else self.fit["residual"]
            words = [f"Gains follow a concave table through {sets}, residual {residual:.3g} nats."]
        words.append(f"The mean measured curve lies up to {self.concavity_defect:.3g} nats below a concave one.")
        return [*words, bounds.sentence(self.curve.sets)] if bounds_hold else words

    def arrays(self) -> dict[str, Floats]:
        """Return the valuation as named float64 arrays, of the same names and shapes in every round of a run.

        ``valuation_kind``, ``valuation_exponent`` (0 without) and ``valuation_concavity_defect`` one number each;
        ``valuation_knots`` [2, 32] totals and levels of a table, 0 where there are no more; ``valuation_gain``,
        ``_worth``, ``_over``, ``_under`` [m]; ``valuation_fit`` [6] in the order exponent, scale, low, high, residual,
        explained, and where something was measured the `Curve`: ``valuation_own``, ``_start`` [m], ``_total``,
        ``_drop`` [m, S], in a run's record the last column what was bought.
        """
        told = self.fit or {}
        found = law_to_arrays(self.law, BINS) | {
            "kind": np.array(float(list(KINDS).index(self.kind))),
            "gain": self.gain,
            "worth": self.worth,
            "over": self.over,
            "under": self.under,
            "concavity_defect": np.array(self.concavity_defect),
            "fit": np.array([told.get(name, 0.0) for name in _FIT]),
        }
        if self.curve is not None:
            curve = self.curve
            found |= {"own": curve.own, "start": curve.start, "total": curve.total, "drop": curve.drop}
        return {_PREFIX + name: np.array(array, dtype=np.float64) for name, array in found.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Valuation:
        """Return the valuation that `arrays` wrote, from one round's arrays; other names are passed over.

        `LearningError` if an array is missing, of another shape, or holds a number that no valuation has.
        """
        try:
            return _read(cls, {k.removeprefix(_PREFIX): v for k, v in arrays.items() if k.startswith(_PREFIX)})
        except LearningError as error:
            raise LearningError(f"the recorded valuation is damaged ({error}); run again into a new folder") from None
        except KeyError as error:
            text = f"valuation_{error.args[0]} is missing"
        except (MarketProofError, ValueError, TypeError, IndexError) as error:
            text = str(error)
        raise LearningError(f"the recorded valuation is damaged ({text}); run again into a new folder")


def departures(curve: Curve, law: GainLaw, gain: Floats, worth: Floats) -> tuple[Floats, Floats]:
    """Return by how much each client's measured gains lie above and below the law's at most, money [m], >= 0."""
    total = np.where(curve.tried, curve.total, curve.own[:, None])
    promised = law.value(gain[:, None], curve.own[:, None], total)
    error = np.where(curve.tried, worth[:, None] * curve.drop - promised, 0.0)
    return error.max(axis=1, initial=0.0) + 0.0, (-error).max(axis=1, initial=0.0) + 0.0  # never a negative zero


def _read(cls: type[Valuation], raw: Mapping[str, NDArray[Any]]) -> Valuation:
    if any(np.size(array) > _LARGEST_CURVE for array in raw.values()):
        raise LearningError("an array is far larger than any run writes")
    found = {name: np.array(array, dtype=np.float64) for name, array in raw.items()}
    if not all(np.isfinite(array).all() for array in found.values()):
        raise LearningError("a number is not finite")
    number = float(found["kind"])
    if number not in range(len(KINDS)):
        raise LearningError(f"its kind is {number:g}; expected 0, 1 or 2")
    kind = list(KINDS)[int(number)]
    gain = found["gain"]
    worth, over, under = found["worth"], found["over"], found["under"]
    if gain.ndim != 1 or any(v.shape != gain.shape or (v < 0).any() for v in (gain, worth, over, under)):
        raise LearningError("gain, worth, over and under must be rows of one length, none below 0")
    defect, fit = float(found["concavity_defect"]), None
    if defect < 0 or found["fit"].shape != (len(_FIT),) or found["knots"].shape != (2, BINS):
        raise LearningError("the concavity defect is below 0, or fit or knots have another shape")
    curve = None
    if kind != "size":
        curve = Curve(found["own"], found["start"], found["total"], found["drop"])
        if curve.own.shape != gain.shape:
            raise LearningError("the curve is of another number of clients")
        told = dict(zip(_FIT, found["fit"].tolist(), strict=True))
        fit = {name: told[name] for name in (_FIT if kind == "fitted" else _FIT[4:])}
    law = law_from_arrays(number, float(found["exponent"]), found["knots"])
    return cls(kind, law, gain, worth, over, under, defect, fit, curve)
