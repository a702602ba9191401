"""Single-parameter rules that are step functions of the own report: truthfulness by finitely many comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise


@dataclass(frozen=True)
class StepRule:
    """A buyer's part of a rule, others' reports fixed: what it gets and pays, by the interval of its report.

    ``cuts`` t_1 < … < t_k divide the reports [low, high] into k+1 intervals; in interval s the agent gets
    ``levels[s]`` and pays ``payments[s]``. At a cut either neighbour may apply. Myerson (1981): the levels rise and
    each payment rises by cut times rise of level.
    """

    low: Fraction
    high: Fraction
    cuts: tuple[Fraction, ...]
    levels: tuple[Fraction, ...]
    payments: tuple[Fraction, ...]


def check_step_rule(rule: StepRule) -> list[str]:
    """Compare every interval of true values with every interval of reports, at both ends, in fractions.

    value · (level_s - level_r) - (payment_s - payment_r) is linear in the value: >= 0 at both ends of interval s is
    >= 0 inside. Truth-telling at a loss is looked for at the ends too.
    """
    ends = [rule.low, *rule.cuts, rule.high]
    if any(a >= b for a, b in pairwise(ends)):
        return ["the cuts do not rise strictly inside the bounds"]
    if not len(rule.levels) == len(rule.payments) == len(rule.cuts) + 1:
        return ["there must be one level and one payment for each interval"]
    deals = list(zip(rule.levels, rule.payments, strict=True))
    wrong = []
    for s, (level, payment) in enumerate(deals):
        for value in ends[s : s + 2]:
            utility = value * level - payment
            if utility < 0:
                wrong.append(f"ir: value {value} reports the truth and is left with {utility}")
            for r, (other, price) in enumerate(deals):
                if value * other - price > utility:
                    wrong.append(f"dsic: value {value} of interval {s} gains by a report in interval {r}")
    return wrong[:5]
