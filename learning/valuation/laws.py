"""From gains in nats to gains in money: the law that a market uses, and each client's parameter in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from learning.errors import LearningError
from learning.valuation.curves import Curve, concavity_defect
from learning.valuation.fitting import fit_power, fit_table
from learning.valuation.valuation import KINDS, Valuation, departures
from mechanism.market.gains import GainLaw, PowerGain, SqrtGain

Array = NDArray[np.float64]


def worth_of(gain: ArrayLike, sizes: ArrayLike) -> Array:
    """Return what a nat of loss is worth to each client, money [m]: √(K_i / n̄), n̄ the mean number of samples.

    That is what the paper's law promises a client of mean size for unlimited data, so that a fall of loss by one nat is
    worth as much as all data of the world is to the paper's client, and amounts of money stay of the paper's size.
    """
    k, n = np.asarray(gain, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    if k.ndim != 1 or n.ndim != 1 or not (np.isfinite(k) & (k >= 0)).all() or not (np.isfinite(n) & (n > 0)).all():
        raise LearningError("gains K must be finite numbers >= 0 and sizes finite numbers > 0, one a client")
    return np.sqrt(k / n.mean())


def value(kind: str, gain: ArrayLike, curve: Curve | None = None, seed: int = 0, sizes: ArrayLike = ()) -> Valuation:
    """Return the valuation of that kind.

    Parameters
    ----------
    kind
        A name of `KINDS`.
    gain
        [m] the task's gain parameters K_i of the paper's law, private.
    curve
        What was measured (`collect`); not needed for "size".
    seed
        Key of the bootstrap of "fitted".
    sizes
        Sizes whose mean is n̄ in `worth_of`; the curve's own if empty. Give the same ones in every round.

    Returns
    -------
    "size": `SqrtGain`, K_i as given. "measured": `TableGain` in nats, K_i the worth of a nat. "fitted":
    `PowerGain` (e) with K_i^e = worth_i · a. Where no loss fell the law is flat (a table of zeros; every K_i 0) and
    no model is worth a price.

    Raises
    ------
    LearningError
        If the kind is unknown, nothing was measured, or the numbers do not fit.
    """
    k = np.asarray(gain, dtype=np.float64)
    if kind not in KINDS:
        raise LearningError(f"there is no valuation {kind!r}; expected {', '.join(KINDS)}")
    if kind == "size":
        nothing = np.zeros(k.shape)
        return Valuation(kind, SqrtGain(), k.copy(), nothing, nothing, nothing)
    if curve is None or curve.own.shape != k.shape:
        raise LearningError(
            f"valuation {kind!r} needs a measured curve of {k.size} clients; measure with value_tasks first"
        )
    worth = worth_of(k, sizes if np.size(sizes) else curve.own)
    if kind == "measured":
        table = fit_table(curve)
        return _valued(kind, table, 1.0, worth, worth, curve, {})
    power = fit_power(curve, seed, float(worth.max(initial=0.0)))
    law = PowerGain(power.exponent)
    numbers = {"exponent": power.exponent, "scale": power.scale, "low": power.low, "high": power.high}
    return _valued(kind, law, power.unit, power.unit * worth ** (1.0 / power.exponent), worth, curve, numbers)


def _valued(
    kind: str, law: GainLaw, unit: float, gain: Array, worth: Array, curve: Curve, numbers: dict[str, float]
) -> Valuation:
    """Return the valuation with what measurements say about it; at K = ``unit`` the law is in nats."""
    origin = float(curve.own.min(initial=1.0))

    def rise(x: Array) -> Array:
        return np.asarray(law.value(unit, origin, x))

    over, under = departures(curve, law, gain, worth)
    promised = law.value(unit, curve.own[:, None], np.where(curve.tried, curve.total, curve.own[:, None]))
    weight = curve.weights
    missed = float((weight * (curve.drop - promised) ** 2).sum())
    squares = float((weight * curve.drop**2).sum())
    fit = numbers | {
        "residual": float(np.sqrt(missed / max(1.0, weight.sum()))),
        "explained": max(0.0, 1.0 - missed / squares) if squares > 0 else 0.0,
    }
    return Valuation(kind, law, gain, worth, over, under, concavity_defect(curve, rise), fit, curve)
