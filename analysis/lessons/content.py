"""The lessons as data, in the order of a course: each a text, numbers to drag, and the figure that they move."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from analysis.lessons import figures, parts
from analysis.lessons.parts import Slider


@dataclass(frozen=True, eq=False)
class Lesson:
    """A lesson without its exercise. ``text`` in markdown; ``figure``: the sliders' values to HTML."""

    text: str
    sliders: tuple[Slider, ...]
    figure: Callable[..., str]


def _both_rules(report: float) -> str:
    """Return the lie curves of both rules of the last lesson, beside one another where there is room."""
    panels = (f'<div style="flex:1 1 20rem;min-width:0">{parts.market(rule, report)}</div>' for rule in parts.RULES)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1rem">{"".join(panels)}</div>'


CONTENT: Mapping[str, Lesson] = MappingProxyType(
    {
        "second_price": Lesson(
            r"""
    # The second-price auction

    One object, sealed bids, the highest bid wins. If the winner pays **its own** bid, it should bid less than
    the object is worth to it. If it pays **the highest bid of the others** (Vickrey, 1961), its bid decides
    only *whether* it wins, never *what it pays*, and winning is worth it exactly when its value is above that
    price.

    Drag your bid: under the blue rule you cannot do better than at the dashed line, whatever the rival does.
        """,
            (
                Slider("What it is worth to you", 0.0, 1.0, 0.01, 0.7),
                Slider("The highest bid of the others", 0.0, 1.0, 0.01, 0.4),
                Slider("Your bid", 0.0, 1.0, 0.01, 0.55),
            ),
            parts.shown(figures.second_price),
        ),
        "revelation": Lesson(
            r"""
    # The revelation principle

    Two bidders, values uniform from 0 to 1, first price. In equilibrium each bids **half its value**. Now build
    a machine that takes *values* and bids half of them for the bidders. Lying to the machine is bidding
    something else in the auction, and in equilibrium nothing else is better: **so the truth is best** (Myerson,
    1979). Every equilibrium of every mechanism can be had like this; so to know what is possible it is enough
    to study mechanisms that are told the truth.

    Drag your report: the top of the blue curve stands at your value.
        """,
            (
                Slider("What it is worth to you", 0.05, 1.0, 0.01, 0.8),
                Slider("What you tell the machine", 0.0, 1.0, 0.01, 0.5),
            ),
            parts.shown(figures.revelation),
        ),
        "vcg": Lesson(
            r"""
    # Vickrey, Clarke and Groves: pay the harm that you do

    Two equal objects, four bidders, everyone wants one. Give the objects to those who value them most, and let
    each winner pay **what the others lose because it is there**: what they would get without it, less what they
    get with it. Its utility is then the total value with it less the total without it, which it cannot move
    except by making the total as large as it can be: it wants what the rule wants.

    Drag your value: the hatched part is your price. It does not move while you win.
        """,
            (
                Slider("Your value", 0.0, 1.0, 0.01, 0.8),
                Slider("Value of the second", 0.0, 1.0, 0.01, 0.6),
                Slider("Value of the third", 0.0, 1.0, 0.01, 0.4),
                Slider("Value of the fourth", 0.0, 1.0, 0.01, 0.2),
            ),
            parts.shown(lambda *values: figures.vcg(values)),
        ),
        "myerson": Lesson(
            r"""
    # Myerson: the auction that earns most

    A rule that gives the object or not, and asks nothing of those who lose, is truthful exactly when a higher
    bid never loses what a lower one won, and the winner pays its **critical value**: the lowest bid that would
    still have won. Its revenue is then the expected *virtual value* of whoever gets
    the object; for values uniform from 0 to 1 that is *2v − 1* (Myerson, 1981). It is negative below 1/2: **the
    seller earns more by keeping the object than by giving it to somebody who values it less**. So: second
    price, with a reserve of 1/2.

    Drag the reserve price, then the number of bidders: the best reserve stays where it is.
        """,
            (
                Slider("Bidders", 1, 8, 1, 2),
                Slider("Reserve price", 0.0, 1.0, 0.01, 0.2),
            ),
            parts.shown(lambda bidders, reserve: figures.myerson(int(bidders), reserve)),
        ),
        "myerson_satterthwaite": Lesson(
            r"""
    # Myerson and Satterthwaite: no rule has everything

    A seller with a secret cost, a buyer with a secret value, both anywhere from 0 to 1. We would like every
    worthwhile trade, truthful reports, nobody who loses, and no money from outside. **No rule has all four**,
    even if truth need only be best on average over the other's type (Bayesian incentive compatibility) and
    nobody may expect to lose (interim rationality; Myerson and Satterthwaite, 1983). With uniform types the most
    that such a rule gains is 9/64, where all worthwhile trades would gain 1/6. A fixed price gives up trades;
    VCG makes every worthwhile trade and needs a subsidy; the price in the middle is not truthful. The same holds
    in a market of models, which is why marketproof has several rules and not one.

    Drag the price: the pale region is what it loses.
        """,
            (Slider("The fixed price", 0.0, 1.0, 0.01, 0.3),),
            parts.shown(figures.myerson_satterthwaite),
        ),
        "model_market": Lesson(
            r"""
    # The model market: what a model is worth

    A client with *n* samples errs by about √(*K*/*n*): the more data stands behind its model, the less. Importing
    a model that was trained on *nⱼ* samples is worth **what it takes off that error**, √(*K*/*x*) −
    √(*K*/(*x* + *nⱼ*)), where *x* is the data behind what it holds already. The next one is worth less: gains are
    concave. Exporting costs the owner *c*, and a model that differs by *d* is charged λ·*d*·*nⱼ*/*n* (iPFL,
    2025). **A trade is good when the gain exceeds both.** It is money that makes both sides want it.

    Here *K* = 3600 and the buyer has 100 samples. Drag the seller: when does its model stop being worth its price?
        """,
            (
                Slider("Samples behind the models that it holds already", 0, 900, 50, 0),
                Slider("Samples behind this model", 50, 900, 50, 300),
                Slider("Its difference d", 0.0, 2.0, 0.05, 0.5),
                Slider("Cost of its owner", 0.0, 4.0, 0.05, 1.0),
            ),
            parts.shown(figures.model_market),
        ),
        "understated_cost": Lesson(
            r"""
    # iPFL's rule: why it invites an understated cost, and how the repair works

    A buyer with little data (K = 3600, 100 samples) and two sellers of 300 samples each, *dear* (cost 1.1) and
    *cheap* (cost 1.0). The rule in the authors' code takes sellers in the order of their thresholds until one
    is not worth its price, and pays each its **marginal contribution**, here 3. One is bought: *cheap*, because
    it is cheaper. But what a seller is paid does not depend on its cost, so *dear* says 0.9, is bought instead,
    and gains 1.9: **the payment is not the critical value**. The repair buys the best set and pays each seller
    the highest cost at which it would still have been bought (Clarke): *cheap* is paid 1.1, and saying less
    than one's cost wins only sales that lose money.

    Drag what *dear* says. (At exactly 0 the first curve falls: a price of 0 or less has no threshold in that rule,
    so everybody takes the model, also *cheap*, which gains nothing by it, and *dear* bears its cost of 1.1 once
    more, unpaid.)
        """,
            (Slider("Cost that dear reports", 0.0, 3.5, 0.05, 0.9),),
            _both_rules,
        ),
    }
)
"""The lessons by their names."""
