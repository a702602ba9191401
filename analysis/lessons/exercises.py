"""The exercises: what the student's rule is for, what it must promise, and what it must reach."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from mechanism.market.gains import SqrtGain
from mechanism.space import Floats

Goal = Callable[[Floats, Floats, Floats], str]


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise: the student writes ``rule(bids) -> allocation, payment``, all ``[batch, agents]``.

    ``properties``: ids that must hold. ``goal``: what the rule must reach on ``bids`` spread evenly ``[q, agents]``
    besides, as a complaint, or "" if it does; without one, the rule that never sells would do. ``remark``: what there
    is to say on a rule that reaches it. ``start``: the code that stands in the editor, which is not the answer.
    ``optimum``: the largest welfare ``[batch]``, where efficiency is asked. ``called``: what the agents are in
    sentences.
    """

    id: str
    task: str
    agents: int
    properties: tuple[str, ...]
    start: str
    high: float = 1.0
    role: str = "buyer"
    optimum: Callable[[Floats], Floats] | None = None
    goal: Goal | None = None
    hint: str = ""
    remark: Goal | None = None
    called: str | tuple[str, ...] = "bidder"


MEANS = 1e-4
"""How far a mean over the evenly spread profiles may be from the expectation: nobody is refused for less."""


def _second_best(bids: Floats) -> Floats:
    return np.asarray(bids.max(axis=1))


def _two_best(bids: Floats) -> Floats:
    return np.asarray(np.sort(bids, axis=1)[:, -2:].sum(axis=1))


def _revenue(least: float, words: str) -> Goal:
    def goal(bids: Floats, allocation: Floats, payment: Floats) -> str:
        if complaint := feasible(allocation, 1.0):
            return complaint
        reached = float(payment.sum(axis=1).mean())
        return "" if reached >= least - MEANS else f"the seller earns {reached:.4f} on average; {words}"

    return goal


def _equivalence(bids: Floats, allocation: Floats, payment: Floats) -> str:
    """Say how a rule that earns enough stands to the equilibrium of the first-price auction of two."""
    won = np.zeros_like(bids)
    won[np.arange(len(bids)), bids.argmax(axis=1)] = 1.0
    reached = float(payment.sum(axis=1).mean())
    if not np.allclose(allocation, won):
        return (
            f"It gives the object to others than the equilibrium does, and earns {reached:.4f}: revenue equivalence "
            "speaks of rules that give it to the same."
        )
    if np.allclose(payment, won * bids / 2.0):
        return "It is the equilibrium, played by the machine: the winner pays half its value."
    return (
        f"It does not charge what the equilibrium does, half the winner's value, and earns {reached:.4f} all the same: "
        "every rule that gives the object to the higher value, and nothing to a bidder of value 0, earns 1/3 in "
        "equilibrium (revenue equivalence, Myerson 1981)."
    )


def feasible(allocation: Floats, units: float) -> str:
    """Return a complaint where more than ``units`` are handed out, or less than nothing to somebody."""
    if allocation.min(initial=0.0) < -1e-12:
        return f"an agent gets {allocation.min():.3g} units; expected 0 or more"
    most = float(allocation.sum(axis=1).max(initial=0.0))
    return "" if most <= units + 1e-9 else f"{most:.3g} units are handed out where there {_are(units)}"


def _are(units: float) -> str:
    return "is 1" if units == 1 else f"are {units:g}"


def _one_unit(bids: Floats, allocation: Floats, payment: Floats) -> str:
    return feasible(allocation, 1.0)


def _two_units(bids: Floats, allocation: Floats, payment: Floats) -> str:
    most = float(allocation.max(initial=0.0))
    return feasible(allocation, 2.0) or (
        "" if most <= 1 + 1e-9 else "an agent gets more than the one unit that it wants"
    )


def _trade(bids: Floats, allocation: Floats, payment: Floats) -> str:
    if not np.allclose(allocation[:, 0], -allocation[:, 1]) or allocation[:, 0].min() < 0 or allocation[:, 0].max() > 1:
        return "allocation must be [q, -q] in each row, 0 <= q <= 1: what the buyer gets, the seller gives"
    reached = float((bids * allocation).sum(axis=1).mean())
    if reached >= 0.12 - MEANS:
        return ""
    return (
        f"the two gain {reached:.4f} on average; reach 0.12 (a fixed price of 1/2 reaches 1/8 = 0.125; all good trades "
        "together, the first best, would give 1/6, which no such rule reaches)"
    )


_GAIN, _OWN, _SIZE = 3600.0, 100.0, 300.0
WORTH = tuple(
    float(SqrtGain().value(np.float64(_GAIN), np.float64(_OWN), np.float64(_OWN + k * _SIZE))) for k in range(3)
)
"""What 0, 1, 2 models of 300 samples are worth to a client with 100 samples and K = 3600: 0, 3 and 3.73."""


def _buys_the_best_set(bids: Floats, allocation: Floats, payment: Floats) -> str:
    if not np.isin(allocation, (0.0, 1.0)).all():
        return "allocation must be 0 or 1: a model is bought or it is not"
    bought = allocation.sum(axis=1).astype(int)
    reached = np.array(WORTH)[bought] - (bids * allocation).sum(axis=1)
    low, high = np.sort(bids, axis=1).T
    best = np.maximum.reduce([np.zeros(len(bids)), WORTH[1] - low, WORTH[2] - low - high])
    short = best - reached
    at = int(np.argmax(short))
    if short[at] > 1e-9:
        return f"{_at(bids[at])} another set is worth {short[at]:.3g} more to the two sides"
    left = np.array(WORTH)[bought] - payment.sum(axis=1)
    at = int(np.argmin(left))
    return "" if left[at] >= -1e-9 else f"{_at(bids[at])} the buyer is left with {left[at]:.3g}"


def _buys_what_is_worth_it(bids: Floats, allocation: Floats, payment: Floats) -> str:
    bought, cost = allocation[:, 0], bids[:, 0]
    if not np.isin(bought, (0.0, 1.0)).all():
        return "allocation must be 0 or 1: a model is bought or it is not"
    missed = np.flatnonzero(bought * (WORTH[1] - cost) < np.maximum(0.0, WORTH[1] - cost) - 1e-9)
    if missed.size:
        done = "bought though it costs more than it is worth" if bought[missed[0]] else "not bought though worth it"
        return f"at cost {cost[missed[0]]:.3g} the model is {done}"
    left = WORTH[1] * bought - payment[:, 0]
    at = int(np.argmin(left))
    return "" if left[at] >= -1e-9 else f"at cost {cost[at]:.3g} the buyer is left with {left[at]:.3g}"


def _at(costs: Floats) -> str:
    return f"at costs {costs[0]:.3g} and {costs[1]:.3g}"


_WINNER = '''def rule(bids):
    """bids: one auction a row, [batch, agents]. Return allocation and payment, both [batch, agents]."""
    won = np.zeros_like(bids)
    won[np.arange(len(bids)), bids.argmax(axis=1)] = 1
    {} = {}
    return won, won * {}
'''

_ALL = (
    Exercise(
        "second_price",
        "Three bidders, one object, values from 0 to 1. The rule below lets the winner pay its bid. Change it so that "
        "nobody gains by a lie, nobody loses by taking part, and the object goes to whoever values it most.",
        3,
        ("dsic", "ir", "efficiency"),
        _WINNER.format("price", "bids", "price"),
        optimum=_second_best,
        goal=_one_unit,
        hint="What could the winner pay that its own bid does not move? np.sort(bids, axis=1)[:, -2:-1] is a column.",
    ),
    Exercise(
        "revelation",
        "Two bidders, values uniform from 0 to 1, and a first-price auction, in which each bids half its value in "
        "equilibrium. Write the rule that takes values and plays that equilibrium for the bidders: then telling "
        "the truth is best on average (the revelation principle). The seller must earn no less than it earned, 1/3.",
        2,
        ("bic", "interim-ir"),
        _WINNER.format("bid", "bids", "bid"),
        goal=_revenue(1 / 3, "in the equilibrium it earned 1/3"),
        hint="The machine bids for the bidder: what does it bid if the bidder reports a value v?",
        remark=_equivalence,
    ),
    Exercise(
        "vcg",
        "Four bidders, two equal objects, everyone wants one. The rule below gives the objects to the two highest "
        "bidders, at the second bid. Make each winner pay the harm that it does to the others.",
        4,
        ("dsic", "ir", "efficiency"),
        '''def rule(bids):
    """bids: one auction a row, [batch, agents]. Return allocation and payment, both [batch, agents]."""
    order = np.argsort(-bids, axis=1, kind="stable")
    won = np.zeros_like(bids)
    np.put_along_axis(won, order[:, :2], 1, axis=1)
    price = np.sort(bids, axis=1)[:, -2:-1]
    return won, won * price
''',
        optimum=_two_best,
        goal=_two_units,
        hint="Without a winner, who would have had its object, and how much would that one have gained?",
    ),
    Exercise(
        "myerson",
        "Two bidders, values uniform from 0 to 1, one object. The second-price rule below earns 1/3. Earn at least "
        "0.41 on average, with nobody gaining by a lie and nobody losing by taking part.",
        2,
        ("dsic", "ir"),
        _WINNER.format("price", "bids.min(axis=1, keepdims=True)", "price"),
        goal=_revenue(0.41, "reach 0.41 (the most possible is 5/12 = 0.4167)"),
        hint="A bidder of value v is worth 2v - 1 to the seller: below 1/2 it is better to keep the object.",
    ),
    Exercise(
        "myerson_satterthwaite",
        "A buyer (first column, value) and a seller (second column, cost), both from 0 to 1. allocation is [q, -q], "
        "payment is [what the buyer pays, minus what the seller gets]. The rule below trades whenever it should, at "
        "the price in the middle, and is not truthful. No rule has everything: give up some trades and keep the rest "
        "(truthful, nobody loses, no deficit, gains of at least 0.12). A fixed price of 1/2 "
        "reaches 1/8.",
        2,
        ("dsic", "ir", "weak-budget-balance"),
        '''def rule(bids):
    """bids: value and cost, [batch, 2]. Return allocation [q, -q] and payment [price, -price], both [batch, 2]."""
    value, cost = bids[:, 0], bids[:, 1]
    price = (value + cost) / 2
    trade = (value >= cost) * 1.0
    return np.stack([trade, -trade], axis=1), np.stack([trade * price, -trade * price], axis=1)
''',
        goal=_trade,
        called=("buyer", "seller"),
        hint="If the price may not depend on what either of them says, what is left?",
    ),
    Exercise(
        "model_market",
        "One buyer (K = 3600, 100 samples) and one seller of 300 samples; the bid is the seller's cost, from 0 to 4. "
        f"The model is worth {WORTH[1]:.3g} to the buyer. The rule below buys whenever both can gain and pays what the "
        "seller says that it costs. Change it so that the seller does not gain by a lie, nobody loses, the buyer "
        "included, and every good trade is still made.",
        1,
        ("dsic", "ir"),
        f'''WORTH = {WORTH[1]!r}  # what the model adds to the buyer: its marginal contribution

def rule(bids):
    """bids: the cost, [batch, 1]. Return what is bought (0 or 1) and what the seller receives, both [batch, 1]."""
    bought = (bids < WORTH) * 1.0
    return bought, bought * bids
''',
        high=4.0,
        role="seller",
        called="seller",
        goal=_buys_what_is_worth_it,
        hint="What may the price depend on, if not on what the seller says? How high can it be before the buyer loses?",
    ),
    Exercise(
        "understated_cost",
        "One buyer (K = 3600, 100 samples) and two sellers of 300 samples; bids are the sellers' costs, from 0 to 4. "
        f"One model is worth {WORTH[1]:.3g} to the buyer, both {WORTH[2]:.3g}. The rule below is the published one: "
        "the first seller that is worth its price is bought, then the next, each paid its marginal contribution. "
        "Repair it: buy the best set, pay so that no seller gains by a lie and nobody loses, the buyer included.",
        2,
        ("dsic", "ir"),
        f'''WORTH = np.array([0, {WORTH[1]!r}, {WORTH[2]!r}])  # of 0, 1, 2 models

def rule(bids):
    """bids: the two costs, [batch, 2]. Return what is bought (0 or 1) and what each seller receives, [batch, 2]."""
    # The published rule for equal sizes: first the cheaper one, below WORTH[1]; the other below what it adds.
    low, high = bids.min(axis=1, keepdims=True), bids.max(axis=1, keepdims=True)
    second = WORTH[2] - WORTH[1]
    cheaper = np.eye(2)[bids.argmin(axis=1)]
    bought = cheaper * (low < WORTH[1]) + (1 - cheaper) * (high < second)
    number = bought.sum(axis=1, keepdims=True).astype(int)
    marginal = WORTH[number] - WORTH[np.maximum(number - 1, 0)]
    return bought, bought * marginal
''',
        high=4.0,
        role="seller",
        called="seller",
        goal=_buys_the_best_set,
        hint="Pay a seller the highest cost at which it would still have been bought: its rival's, or its worth.",
    ),
)

EXERCISES: Mapping[str, Exercise] = MappingProxyType({exercise.id: exercise for exercise in _ALL})
"""The exercises by the id of their lesson."""
