"""The figures of the lessons, each from the numbers that a student drags; and what each one shows, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.page import theme
from mechanism.market.gains import SqrtGain
from mechanism.space import Floats
from mechanism.wording import plural, typeset, typeset_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_POINTS = 401


def auction_utility(bid: Floats, value: float, rival: float, price: str) -> Floats:
    """Return a bidder's utility ``[k]`` at bids ``[k]``: it wins above the rival's bid; price "first" or "second"."""
    paid = bid if price == "first" else np.full_like(bid, rival)
    return np.where(bid > rival, value - paid, 0.0)


def second_price(value: float, rival: float, bid: float) -> tuple[Axes, str]:
    """Draw utility against the own bid under both prices; the bid and the truth are marked."""
    ax = _axes("own bid", "own utility")
    bids = np.linspace(0.0, 1.0, _POINTS)
    here = {}
    for price, tone in (("second", theme.GAIN), ("first", theme.LOSS)):
        here[price] = float(auction_utility(np.array([bid]), value, rival, price)[0])
        ax.plot(bids, auction_utility(bids, value, rival, price), color=tone, linewidth=2.0, label=f"{price} price")
        _mark(ax, bid, here[price], tone)
    _truth(ax, value, "your value")
    _legend(ax)
    told = auction_utility(np.array([value]), value, rival, "second")[0]
    return ax, (
        f"The object is worth {typeset(value)} to you and you bid {typeset(bid)} against {typeset(rival)}: "
        f"{typeset(here['second'])} at the second price, {typeset(here['first'])} at the first. With the truth the "
        f"second price gives {typeset(told)}, and no bid gives more."
    )


def revelation(value: float, report: float) -> tuple[Axes, str]:
    """Draw what a bidder expects in the first-price auction (against value/2) and from the machine that plays it."""
    ax = _axes("what you tell: a bid, or a value to the machine", "expected utility")
    told = np.linspace(0.0, 1.0, _POINTS)
    auction, machine = first_price_expected(told, value), first_price_expected(told / 2.0, value)
    ax.plot(told, auction, color=theme.LOSS, linewidth=2.0, label="first-price auction: your bid")
    ax.plot(told, machine, color=theme.GAIN, linewidth=2.0, label="the machine: the value you report")
    _mark(ax, value / 2.0, float(first_price_expected(np.array([value / 2.0]), value)[0]), theme.LOSS)
    here = float(first_price_expected(np.array([report / 2.0]), value)[0])
    _mark(ax, report, here, theme.GAIN)
    _truth(ax, value, "your value")
    _legend(ax)
    best = value * value / 2.0
    return ax, (
        f"In the auction a value of {typeset(value)} bids half of it, {typeset(value / 2)}, and expects "
        f"{typeset(best)}. The machine halves what it is told: reporting {typeset(report)} expects {typeset(here)}; "
        f"the truth expects {typeset(best)}, as in the auction, and nothing expects more."
    )


def first_price_expected(bid: Floats, value: float) -> Floats:
    """Return E[utility] at bids ``[k]`` against one rival with a uniform value that bids half of it."""
    return np.asarray((value - bid) * np.minimum(1.0, 2.0 * bid))


def vcg(values: tuple[float, ...], units: int = 2) -> tuple[Axes, str]:
    """Draw what the others get with the first bidder and without it: the difference is what it pays."""
    order = np.argsort(-np.array(values), kind="stable")
    others = np.array(values)
    others[0] = 0.0
    with_you = float(others[order[:units]].sum())
    without = float(np.sort(others)[::-1][:units].sum())
    pays = without - with_you
    ax = _axes("", "value that the others get")
    ax.bar([0, 1], [without, with_you], color=[theme.NEUTRAL, theme.GAIN], width=0.6)
    ax.bar([1], [pays], bottom=[with_you], color="white", edgecolor=theme.LOSS, hatch="//", width=0.6)
    ax.set_xticks([0, 1], ["without you", "with you"])
    ax.set_ylim(0.0, 2.05)
    if pays > 0:
        ax.text(
            1.36, with_you + pays / 2, f"you pay {typeset(pays)}", fontsize=theme.SMALL, color=theme.INK, va="center"
        )
    ax.set_xlim(-0.6, 2.1)
    wins = 0 in order[:units]
    said = (
        f"you get one and pay the harm you do, {typeset(pays)}"
        if wins
        else "you get nothing and harm nobody: you pay 0"
    )
    utility = values[0] - pays if wins else 0.0
    return ax, (
        f"Worth {typeset(values[0])} to you; to the others {', '.join(typeset(v) for v in values[1:])}. Without you "
        f"they get {typeset(without)}, with you {typeset(with_you)}: {said}. Your utility is {typeset(utility)}."
    )


def revenue(bidders: int, reserve: Floats) -> Floats:
    """Return the expected revenue ``[k]`` of a second-price auction, values uniform on [0, 1], at reserves ``[k]``.

    It is the expected virtual value 2v - 1 of the highest value v where v >= r (Myerson): with density n v^(n-1),
    2n/(n+1) (1 - r^(n+1)) - (1 - r^n).
    """
    n = bidders
    return np.asarray(2.0 * n / (n + 1) * (1.0 - reserve ** (n + 1)) - (1.0 - reserve**n))


def myerson(bidders: int, reserve: float) -> tuple[Axes, str]:
    """Draw expected revenue against the reserve price; the reserve and the best one, 1/2, are marked."""
    ax = _axes("reserve price", "expected revenue")
    reserves = np.linspace(0.0, 1.0, _POINTS)
    here = float(revenue(bidders, np.array([reserve]))[0])
    best = float(revenue(bidders, np.array([0.5]))[0])
    ax.plot(reserves, revenue(bidders, reserves), color=theme.GAIN, linewidth=2.0)
    ax.plot([0.5], [best], "o", color=theme.INK, markersize=8, label="best: 1/2, for any number of bidders")
    _mark(ax, reserve, here, theme.LOSS)
    _legend(ax)
    who = f"{plural(bidders, 'bidder')}"
    return ax, (
        f"{who}, reserve {typeset(reserve)}: the seller earns {typeset(here)} on average and keeps the "
        f"object in {typeset_percent(reserve**bidders)} of all cases. At 1/2 it earns "
        f"{typeset(best)}, without a reserve {typeset(float(revenue(bidders, np.array([0.0]))[0]))}."
    )


def posted_gains(price: float) -> float:
    """Return the expected gains from trade at a fixed price, value and cost uniform on [0, 1]: p (1 - p) / 2."""
    return price * (1.0 - price) / 2.0


def myerson_satterthwaite(price: float) -> tuple[Axes, str]:
    """Draw the pairs of cost and value that trade at a fixed price, and the trades that are lost."""
    ax = _axes("seller's cost", "buyer's value", square=True)
    ax.fill([0, 0, 1], [0, 1, 1], color=theme.faded(theme.LOSS, 0.35), label="worth it, and lost")
    ax.fill([0, 0, price, price], [price, 1, 1, price], color=theme.GAIN, label="trades")
    ax.plot([0, 1], [0, 1], color=theme.INK, linewidth=1.0)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    _legend(ax)
    reached = posted_gains(price)
    share = typeset_percent(6 * reached)
    return ax, (
        f"At the fixed price {typeset(price)} the two gain {typeset(reached)} on average, {share} of the 1/6 that "
        "every worthwhile trade together would give. The price asks nobody, so nobody can lie; it loses the trades "
        "in the pale region. Whatever recovers them all makes somebody lie, lose, or pay in from outside."
    )


_K, _OWN, _LAMBDA = 3600.0, 100.0, 0.2


def model_worth(held: float, size: float) -> float:
    """Return what a model of ``size`` samples adds to the buyer of the worked example that holds ``held`` already."""
    law = SqrtGain()
    before, after = (law.value(np.float64(_K), np.float64(_OWN), np.float64(_OWN + x)) for x in (held, held + size))
    return float(after - before)


def model_market(held: float, size: float, difference: float, cost: float) -> tuple[Axes, str]:
    """Draw the buyer's gain against the data behind what it holds, the step that the model makes, and its price."""
    ax = _axes("samples behind what the buyer holds, its own included", "its gain (money)")
    data = np.linspace(_OWN, 2000.0, _POINTS)
    law = SqrtGain()
    ax.plot(data, law.value(np.float64(_K), np.float64(_OWN), data), color=theme.GAIN, linewidth=2.0, label="gain")
    worth, penalty = model_worth(held, size), _LAMBDA * difference * size / _OWN
    price = cost + penalty
    start, end = _OWN + held, _OWN + held + size
    low = float(law.value(np.float64(_K), np.float64(_OWN), np.float64(start)))
    ax.plot([start, end, end], [low, low, low + worth], color=theme.SOFT, linewidth=1.0, linestyle=(0, (4, 3)))
    _mark(ax, end, low + worth, theme.GAIN)
    ax.bar([end + 60.0], [cost], bottom=[low], width=60.0, color=theme.faded(theme.LOSS, 0.75), label="cost")
    ax.bar(
        [end + 60.0], [penalty], bottom=[low + cost], width=60.0, color="white", edgecolor=theme.LOSS, hatch="//",
        label="difference penalty",
    )  # fmt: skip
    ax.set_xlim(0.0, 2050.0)
    ax.set_ylim(0.0, max(6.5, 1.06 * (low + price)))
    _legend(ax)
    verdict = "a good trade" if worth > price else "not worth it"
    left = f"{typeset(worth - price)} is left to share" if worth > price else f"{typeset(price - worth)} would be lost"
    return ax, (
        f"With {typeset(start)} samples the buyer gains {typeset(worth)} by a model of {size:g} samples. Its owner's "
        f"cost is {typeset(cost)} and its difference is charged {typeset(penalty)} (λ = {typeset(_LAMBDA)}): "
        f"{verdict}, {left}."
    )


def _axes(x: str, y: str, *, square: bool = False) -> Any:
    ax = theme.axes(None, 4.6 if square else 6.0, 4.0 if square else 3.2)
    return theme.style(ax, grid="both", x=x, y=y)


def _mark(ax: Axes, x: float, y: float, tone: str) -> None:
    ax.plot([x], [y], "D", color=tone, markeredgecolor="white", markersize=9, zorder=4)


def _truth(ax: Axes, x: float, words: str) -> None:
    ax.axvline(x, color=theme.SOFT, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1.5, label=words)


def _legend(ax: Axes) -> None:
    theme.legend_above(ax, 3)
