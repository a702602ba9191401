"""From measured curves to a law of gains, and from gains in nats to gains in money.

The law is the best concave table through the curves, or the best power law with its confidence.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from learning.errors import LearningError
from learning.streams import stream
from learning.valuation.curves import Curve, concavity_defect, grid
from learning.valuation.valuation import KINDS, Valuation, departures
from mechanism.market.clients import LARGEST
from mechanism.market.gains import GainLaw, PowerGain, SqrtGain, TableGain
from mechanism.space import Floats


def worth_of(gain: ArrayLike, sizes: ArrayLike) -> Floats:
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
    kind: str, law: GainLaw, unit: float, gain: Floats, worth: Floats, curve: Curve, numbers: dict[str, float]
) -> Valuation:
    """Return the valuation with what measurements say about it; at K = ``unit`` the law is in nats."""
    origin = float(curve.own.min(initial=1.0))

    def rise(x: Floats) -> Floats:
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


EXPONENTS: tuple[float, float] = (0.1, 1.0)
"""Range of a fitted exponent. Below a tenth a power law is a logarithm over any real range of data, and the gain
parameter of such a law (money to the power 1/e, in samples) leaves the numbers that a market takes."""

CONFIDENCE: float = 0.95

DRAWS: int = 400
"""Bootstrap samples of clients."""

_STEPS = 181  # exponents 0.005 apart
_SAME = 1e-9  # relative: sums of squares this close do not tell exponents apart


@dataclass(frozen=True)
class PowerFit:
    """The power law drop = a (n^-e - x^-e) through a curve: ``exponent`` e and ``scale`` a (nats · samples^e), a >= 0.

    ``low``, ``high``: bounds of e at 95 % (percentile bootstrap over clients; the whole range where there is nothing
    to tell exponents apart by, or a single client). Where ``scale`` is 0 nothing was gained and e is the paper's 1/2.
    """

    exponent: float
    scale: float
    low: float
    high: float

    @property
    def unit(self) -> float:
        """The parameter K of `PowerGain` whose money is nats: K^e = a."""
        return float(self.scale ** (1.0 / self.exponent))


def fit_table(curve: Curve) -> TableGain:
    """Return the concave, non-decreasing table H that is nearest to the measured drops, in nats at K = 1.

    Least squares of H(x) - H(n_i) against the drops, every client with the same total weight, over all piecewise
    linear H with knots t at `grid`, constant after the last: H(x) = Σ_l u_l min(x, t_l) with u >= 0, so that it is a
    problem of non-negative least squares (Lawson and Hanson, 1974; scipy). While all sizes and totals are knots no
    concave function is nearer. H is 0 at the smallest size. If every loss rises, or nothing was tried, H is flat.
    """
    knots = grid(curve)
    if curve.sets == 0 or len(knots) < 2:
        first = float(knots[0]) if len(knots) else 1.0
        return TableGain((first, first + 1.0), (0.0, 0.0))
    from scipy.optimize import nnls

    client, column = np.nonzero(curve.tried)
    n, x, root = curve.own[client], curve.total[client, column], np.sqrt(curve.weights[curve.tried])
    reach = knots[-1]
    hinges = (np.minimum(x[:, None], knots[1:]) - np.minimum(n[:, None], knots[1:])) / reach
    try:
        slopes, _ = nnls(root[:, None] * hinges, root * curve.drop[client, column], maxiter=30 * len(knots))
    except RuntimeError:
        raise LearningError("no concave table was found through the measured gains; take --valuation fitted") from None
    levels = (np.minimum(knots[:, None], knots[1:]) - knots[0]) @ slopes / reach
    x, y = TableGain(tuple(knots.tolist()), tuple(levels.tolist())).knots  # only the knots at which the slope changes
    return TableGain(tuple(x.tolist()), tuple(y.tolist()))


def fit_power(curve: Curve, seed: int, worth: float = 0.0, draws: int = DRAWS) -> PowerFit:
    """Return the power law nearest to the measured drops, by least squares with every client of the same weight.

    A loss c_i + a x^-e falls by a (n_i^-e - x^-e) from n_i to x, whatever c_i: the drops are fitted, since gains are
    what is bought, and their origin, the loss of a client's own model, is measured. For each e the best a is known in
    closed form; e is searched on a grid over `EXPONENTS` and then refined. Confidence: clients are drawn anew with
    replacement ``draws`` times (stream: seed, "valuation/bootstrap").

    ``worth``: the most that a client pays for a nat; exponents whose gain parameter (worth · a)^(1/e) is larger than a
    market takes are passed over. `LearningError` if that is so for every exponent.
    """
    exponents = np.linspace(*EXPONENTS, _STEPS)
    middle = float(np.exp(np.log(curve.own).mean()))  # sizes are counted in it: powers of large numbers lose digits
    xx, xy = _sums(curve, exponents, middle)
    a = _scales(xx.sum(axis=1), xy.sum(axis=1))
    if not (a > 0).any():
        return PowerFit(0.5, 0.0, *EXPONENTS)
    allowed = _allowed(exponents, a, middle, worth)
    if not allowed.any():
        raise LearningError(
            f"a nat is worth up to {worth:.6g} and losses fall so far that no power law's gain parameter stays below "
            f"{LARGEST:.0e}; take smaller gains K, or --valuation measured"
        )
    explained = np.where(allowed, a * xy.sum(axis=1), -np.inf)
    squares = float((curve.weights * curve.drop**2).sum())
    if np.ptp(explained[allowed]) <= _SAME * squares:  # a single n and x, say: every power goes through it
        e = float(exponents[allowed][np.argmin(np.abs(exponents[allowed] - 0.5))])
        return PowerFit(e, _scale(curve, e, middle) * middle**e, *EXPONENTS)
    e = _refined(curve, exponents, int(np.argmax(explained)), middle)
    if not _allowed(np.array([e]), np.array([_scale(curve, e, middle)]), middle, worth)[0]:
        e = float(exponents[np.argmax(explained)])
    return PowerFit(e, _scale(curve, e, middle) * middle**e, *_interval(exponents, xx, xy, allowed, seed, draws))


def _sums(curve: Curve, exponents: Floats, middle: float) -> tuple[Floats, Floats]:
    """Return the weighted Σ f² and Σ f·drop by exponent and client [E, m], f = n^-e - x^-e with sizes in ``middle``."""
    n, x = curve.own / middle, np.where(curve.tried, curve.total, curve.own[:, None]) / middle
    xx, xy = np.zeros((len(exponents), len(n))), np.zeros((len(exponents), len(n)))
    for k, e in enumerate(exponents.tolist()):
        f = n[:, None] ** -e - x**-e
        xx[k], xy[k] = (curve.weights * f * f).sum(axis=1), (curve.weights * f * curve.drop).sum(axis=1)
    return xx, xy


def _scales(xx: Floats, xy: Floats) -> Floats:
    """Return the best a >= 0, sizes counted in the middle one."""
    return np.asarray(np.maximum(0.0, xy) / np.where(xx > 0, xx, np.inf))


def _scale(curve: Curve, exponent: float, middle: float) -> float:
    xx, xy = _sums(curve, np.array([exponent]), middle)
    return float(_scales(xx.sum(axis=1), xy.sum(axis=1))[0])


def _allowed(exponents: Floats, a: Floats, middle: float, worth: float) -> NDArray[np.bool_]:
    """Say for which exponents the largest gain parameter, (worth · a)^(1/e), is one that a market takes."""
    money = np.log(np.maximum(a * middle**exponents * max(worth, 1.0), 1e-300))
    return np.asarray(money / exponents <= np.log(0.5 * LARGEST))


def _refined(curve: Curve, exponents: Floats, best: int, middle: float) -> float:
    """Return the exponent between the neighbours of the best one of the grid that fits best."""
    from scipy.optimize import minimize_scalar

    def unexplained(e: float) -> float:
        xx, xy = _sums(curve, np.array([e]), middle)
        return -float((_scales(xx.sum(axis=1), xy.sum(axis=1)) * xy.sum(axis=1))[0])

    low, high = float(exponents[max(0, best - 1)]), float(exponents[min(len(exponents) - 1, best + 1)])
    found = minimize_scalar(unexplained, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
    grid_point = float(exponents[best])
    return float(found.x) if found.fun < unexplained(grid_point) else grid_point


def _interval(
    exponents: Floats, xx: Floats, xy: Floats, allowed: NDArray[np.bool_], seed: int, draws: int
) -> tuple[float, float]:
    measuring = (xx > 0).any(axis=0)
    count = int(measuring.sum())
    if count < 2:
        return EXPONENTS
    rng = stream(seed, "valuation/bootstrap")
    times = rng.multinomial(count, np.full(count, 1.0 / count), size=draws).astype(np.float64)
    sums, products = times @ xx[:, measuring].T, times @ xy[:, measuring].T  # [draws, E]
    explained = np.where(allowed, _scales(sums, products) * products, -np.inf)
    gained = explained[explained.max(axis=1) > 0]
    if len(gained) == 0:
        return EXPONENTS
    found = exponents[gained.argmax(axis=1)]
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(found, [tail, 100.0 - tail])
    return float(low), float(high)
