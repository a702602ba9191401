"""Bilateral trade on a finite grid (Myerson and Satterthwaite 1983): efficient rules exist or are impossible.

One buyer with a value, one seller with a cost, drawn independently and uniformly from finite lists. Efficient: they
trade exactly where the value exceeds the cost (the lists share no number). What is left to choose is what the buyer
pays, ``pay v c``, and what the seller receives, ``get v c``; whatever a rule randomises, only expected money counts.
"""

from dataclasses import dataclass
from fractions import Fraction

from mechanism.design.system import Row, System, check_infeasible, check_point

MOST_POINTS = 40


@dataclass(frozen=True)
class TradeProof:
    """Whether efficient trade can have three properties at once.

    ``incentive`` "dsic" or "bic", ``rationality`` "ex-post" or "interim", ``balance`` "ex-post" (what the buyer pays
    is what the seller receives, always) or "ex-ante" (in expectation the seller receives no more). ``answer``
    "possible": ``numbers`` are (unknown, money) of a rule that has them; "impossible": (row, multiplier) of a
    contradiction between the rows of `trade_system`.
    """

    values: tuple[Fraction, ...]
    costs: tuple[Fraction, ...]
    incentive: str
    rationality: str
    balance: str
    answer: str
    numbers: tuple[tuple[str, Fraction], ...]


def check_trade(proof: TradeProof) -> list[str]:
    """Put the rule into every row, or add the rows up, in fractions; return what is wrong."""
    values, costs = proof.values, proof.costs
    if not (0 < len(values) <= MOST_POINTS and 0 < len(costs) <= MOST_POINTS):
        return [f"a grid needs 1 to {MOST_POINTS} values and costs"]
    if len({*values, *costs}) < len(values) + len(costs):
        return ["a number stands twice in the grid: whether to trade there is not settled"]
    kinds = (proof.incentive, ("dsic", "bic")), (proof.rationality, ("ex-post", "interim"))
    for said, known in (*kinds, (proof.balance, ("ex-post", "ex-ante")), (proof.answer, ("possible", "impossible"))):
        if said not in known:
            return [f"{said[:40]!r} is none of {', '.join(known)}"]
    numbers = dict(proof.numbers)
    if len(numbers) < len(proof.numbers):
        return ["a row or an unknown is given twice"]
    system = trade_system(values, costs, proof.incentive, proof.rationality, proof.balance)
    if proof.answer == "impossible":
        return check_infeasible(system, numbers)
    unknowns = {u for row in system for u in row.terms}
    return [f"{u[:40]!r} is no payment" for u in numbers if u not in unknowns] + check_point(system, numbers)


def trade_system(
    values: tuple[Fraction, ...], costs: tuple[Fraction, ...], incentive: str, rationality: str, balance: str
) -> System:
    """Return the rows that an efficient rule's payments must satisfy (definitions: `TradeProof`)."""
    rows: list[Row] = []
    sides = (("buyer", values, costs, "pay"), ("seller", costs, values, "get"))
    for who, own, other, money in sides:
        sign = 1 if who == "buyer" else -1

        def deal(mine: Fraction, theirs: Fraction, who: str = who, money: str = money) -> tuple[str, int]:
            value, cost = (mine, theirs) if who == "buyer" else (theirs, mine)
            return f"{money} {value} {cost}", int(value > cost)

        for kind, mode in (("IR", rationality), ("IC", incentive)):
            # one row for each report of the other, or one for their average
            groups = [[o] for o in other] if mode in ("ex-post", "dsic") else [list(other)]
            for true in own:
                for said in [true] if kind == "IR" else [o for o in own if o != true]:
                    for group in groups:
                        weight = Fraction(1, len(group))
                        terms: dict[str, Fraction] = {}
                        worth = Fraction(0)
                        for report, times in ((true, 1),) if kind == "IR" else ((true, 1), (said, -1)):
                            for theirs in group:
                                unknown, trades = deal(report, theirs)
                                terms[unknown] = terms.get(unknown, Fraction(0)) - sign * times * weight
                                worth += sign * times * weight * trades * true
                        against = f" against {group[0]}" if len(group) == 1 and len(other) > 1 else ""
                        lie = "" if kind == "IR" else f" not saying {said}"
                        rows.append(Row(f"{kind} {who} {true}{lie}{against}", terms, ">=", -worth))
    pairs = [(f"pay {v} {c}", f"get {v} {c}") for v in values for c in costs]
    if balance == "ex-post":
        rows += [Row(f"balance {p[4:]}", {p: Fraction(1), g: Fraction(-1)}, "=", Fraction(0)) for p, g in pairs]
    else:
        share = Fraction(1, len(pairs))
        terms = {p: share for p, _ in pairs} | {g: -share for _, g in pairs}
        rows.append(Row("balance", terms, ">=", Fraction(0)))
    return tuple(rows)
