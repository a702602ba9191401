"""Study liars: what a lie earned its teller, measured by clearing the same recorded market with its truth.

In a recorded round with reports r and true types t, liar i said r_i. Its gain is U_i(r) - U_i(t_i, r_-i), both with its
true type: the clearing that happened, and the one that would have, everybody else reporting as recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.figure import Figure

from analysis.run.market import MarketRecord
from marketproof.running.methods import parse
from marketproof.running.populations import POPULATIONS
from marketproof.studies.study import METHOD, Case, Column, Floats, Row, Seen, Study, dots, first, text, who
from mechanism.market.accounting import MONEY, account
from mechanism.market.mechanisms import Clearing, market_mechanism
from mechanism.market.settling import clear_and_settle
from mechanism.wording import number, percent

MARKETS = ("ipfl/ipfl", "ipfl/ipfl-exact", "ipfl/exact-marginal")
"""The market under the paper's rule, the repaired one, and the exact choice with the paper's payments."""


@dataclass(frozen=True, eq=False)
class Lies:
    """The liars' true utilities as recorded, and had each of them alone told the truth; money [R, liars]."""

    lying: Floats
    honest: Floats

    @property
    def gain(self) -> Floats:
        """What the lies added [R, liars]."""
        return self.lying - self.honest


def gains(mechanism: Clearing, record: MarketRecord) -> Lies:
    """Return what the liars of a record had, and would have had, by clearing again with the truth of each."""
    liars = np.flatnonzero(who(record, "liar"))
    lying = record.accounts.utility[:, liars]
    honest = np.zeros_like(lying)
    truth = record.types.truthful()
    for k, liar in enumerate(liars.tolist()):
        said = {}
        for name in ("size", "cost", "gain"):
            values = np.array(getattr(record.reports, name))
            values[:, liar] = getattr(truth, name)[:, liar]
            said[name] = values
        reports = record.reports.replace(**said)
        outcome = clear_and_settle(mechanism, reports, record.types, record.market, record.present)
        honest[:, k] = account(record.types, outcome, record.market).utility[:, liar]
    return Lies(lying, honest)


@cache
def _lies(one: Seen) -> Lies:
    rules = {method.name: method.mechanism for method in parse(one.config.methods, one.config.mechanism)}
    return gains(market_mechanism(str(rules[one.method])), one.record)


def _share_paying(one: Seen) -> float:
    lies = _lies(one)
    small = MONEY * np.maximum(1.0, np.maximum(np.abs(lies.lying), np.abs(lies.honest)))
    return float((lies.gain > small).mean())


def _lie(one: Seen) -> str:
    return POPULATIONS[one.config.population.name].lie


# fmt: off
LIE = text("lie", "which number liars misreport, or all", _lie)
FACTOR = Column("factor", "times", "what they multiply it by", lambda one: one.config.population.factor, first,
                "count")
LIARS = Column("liars", "liars", "liars, over all seeds", lambda one: _lies(one).gain.shape[1], sum, "count")
CASES = Column("cases", "cases", "liars and rounds, over all seeds; rounds of one liar are alike",
               lambda one: _lies(one).gain.size, sum, "count")
MEAN = Column("gain_mean", "mean gain", "what the lie adds to the liar's true utility in a round, mean",
              lambda one: _lies(one).gain.mean())
BEST = Column("gain_best", "best gain", "the most that it added for any liar in any round of any seed",
              lambda one: float(_lies(one).gain.max()), max)
WORST = Column("gain_worst", "worst gain", "the least that it added; below 0 the lie cost its teller",
               lambda one: float(_lies(one).gain.min()), min)
PAYING = Column("share_paying", "pays in", "share of liars and rounds in which the lie gained", _share_paying,
                kind="share")
LYING = Column("utility_lying", "lying", "true utility of a liar per round, as recorded",
               lambda one: _lies(one).lying.mean())
TRUTHFUL = Column("utility_truthful", "truthful", "the same, had it told the truth in that round",
                  lambda one: _lies(one).honest.mean())
# fmt: on

NUMBERS = {
    "cost": "cost", "size": "number of samples", "gain": "gain parameter", "all": "cost, samples and gain parameter",
}  # fmt: skip
"""What a lie is about, in words."""


def _words(rows: Sequence[Row]) -> list[str]:
    """Say for each kind of lie under which mechanisms it paid."""
    said = []
    for lie, factor in dict.fromkeys((row[LIE], row[FACTOR]) for row in rows):
        own = [row for row in rows if (row[LIE], row[FACTOR]) == (lie, factor)]
        parts = [
            f"pays under {row[METHOD]} in {percent(row[PAYING], 0)} of {row[CASES]} cases (mean gain of all cases "
            f"{number(row[MEAN])}, at most {number(row[BEST])})"
            for row in own
            if row[PAYING] > 0.0
        ]
        if never := [f"{row[METHOD]} in none of {row[CASES]}" for row in own if row[PAYING] == 0.0]:
            parts.append(f"pays under {', under '.join(never)} cases")
        said.append(f"Reporting {factor:g} times one's {NUMBERS[lie]}: {'; '.join(parts)}.")
    return said


def _gain_of_lies(rows: Sequence[Row]) -> dict[str, Figure]:
    def band(row: Row) -> str:
        return f"{row[LIE]} × {row[FACTOR]:g}"

    return dots("gain-of-lies", rows, MEAN, "mean gain", panel=LIE, band=band)


LIARS_STUDY = Study(
    "What a lie earns its teller",
    "how much a client gains by reporting half or twice its cost, size or gain parameter, or all three",
    tuple(Case(f"{what}-times-{factor:g}", f"liars-{what}", factor) for what in NUMBERS for factor in (0.5, 2.0)),
    (LIE, FACTOR, METHOD, LIARS, CASES, MEAN, BEST, WORST, PAYING, LYING, TRUTHFUL),
    _words,
    _gain_of_lies,
    (
        "Measured per clearing: the models, and so the differences, of every round are taken as they were recorded; "
        "what the truth would have changed in later rounds is not counted.",
        "Two factors are two reports out of all. The audit of each run, where it is made, searches for the best lie.",
    ),
    MARKETS,
    markets=True,
)
