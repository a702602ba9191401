"""Study market: what recorded markets lose and move under other rules, and whether the gain law is borne out.

Nothing is trained for it: every round is cleared again, on the models as they were recorded. The thresholds of `ipfl`
against the exact choice; marginal against Clarke payments for the same exact choice; what a client would have earned by
the best lie about one of its numbers, all others as they reported; and the gain that the law promised each client
beside the accuracy that it has more than the same client under the same seed without imports (method ``local``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.figure import Figure

from analysis.findings.several.statistics import paired, told
from analysis.findings.several.studies import clouds, over_rounds
from analysis.run.market import MarketRecord
from marketproof.running.methods import parse
from marketproof.studies.study import METHOD, ONE_BY_ONE, Column, Row, Seen, Study, dots, populations, text
from mechanism.market.accounting import MONEY, Accounts, account, objective, scale
from mechanism.market.mechanisms import Clearing, market_mechanism
from mechanism.market.settling import clear_and_settle, gatherings
from mechanism.space import Floats
from mechanism.wording import listed, number, percent
from proofs_checks.search.lies import COORDINATES, best_reports

COMPARED = ("local", "ipfl/ipfl", "ipfl/ipfl-exact", "ipfl-effective/ipfl-exact")
"""What is trained where no records are given: alone, and three markets."""

ALONE = "local"

TRIED = 12
"""Break points of the cost that are tried for a client in a round; of the other two numbers a ladder of 17 reports."""


@dataclass(frozen=True, eq=False)
class Cleared:
    """Recorded rounds cleared by a rule: true accounts [R, m], and the objective V_lambda [R] at the true types."""

    accounts: Accounts
    objective: Floats

    @property
    def surplus(self) -> Floats:
        """Gains less costs of all clients [R]: welfare, where no money goes to a centre."""
        return np.asarray((self.accounts.gain - self.accounts.cost).sum(axis=-1))


def cleared(rule: Clearing, record: MarketRecord) -> Cleared:
    """Clear the rounds of a record by a rule, everybody reporting as recorded."""
    outcome = clear_and_settle(rule, record.reports, record.types, record.market, record.present)
    reached = objective(record.types, outcome.imports, record.market)
    return Cleared(account(record.types, outcome, record.market), reached)


def regret(rule: Clearing, record: MarketRecord, coordinate: str) -> Floats:
    """Return what the best lie about one number adds to each client's true utility, money [R, m], others truthful.

    In the market of those who are there; 0 of who is not. Of the lies that are tried: the true regret is no smaller.
    """
    gain = np.zeros(record.present.shape)
    for group in gatherings(record.present, record.present.shape[:-1]):
        found = best_reports(rule, group.clients(record.types), group.market(record.market), coordinate, limit=TRIED)
        gain[np.ix_(group.rows, group.there)] = found.gain
    return gain


@cache
def _cleared(one: Seen, rule: str) -> Cleared:
    return cleared(market_mechanism(rule), one.record)


@cache
def _regret(one: Seen, coordinate: str) -> Floats:
    rules = {method.name: method.mechanism for method in parse(one.config.methods, one.config.mechanism)}
    return regret(market_mechanism(str(rules[one.method])), one.record, coordinate)


def _each(one: Seen, total: Floats) -> float:
    """Return sums over clients [R] as a mean per client and round."""
    return float(total.sum() / max(1, one.record.present.sum()))


def _short(one: Seen) -> float:
    exact, kept = _cleared(one, "ipfl-exact").objective, _cleared(one, "ipfl").objective
    return float((exact - kept > MONEY * scale(exact)).mean())


def _lost(one: Seen) -> float | None:
    exact, kept = (_cleared(one, rule).objective.sum() for rule in ("ipfl-exact", "ipfl"))
    return float(1.0 - kept / exact) if exact > MONEY else None


def law_and_accuracy(one: Seen) -> Floats | None:
    """Return of each client its gain by the law (money a round) and its accuracy less that of ``local`` (points).

    Both are means over the rounds; [2, m]. None where the run has no ``local`` to compare with.
    """
    if one.before is one.record:
        return None
    points = 100.0 * (one.record.accuracy - one.before.accuracy)[:, one.clients]
    return np.stack([one.accounts.gain[:, one.clients].mean(axis=0), points.mean(axis=0)])


def _correlation(one: Seen) -> float | None:
    found = law_and_accuracy(one)
    if found is None or float(found.std(axis=1).min()) <= MONEY:
        return None
    return float(np.corrcoef(found[0], found[1])[0, 1])


def _points(one: Seen) -> float | None:
    found = law_and_accuracy(one)
    return None if found is None else float(found[1].mean()) / 100.0


def _regret_of(coordinate: str) -> Column:
    meaning = (
        f"what the best lie about its {coordinate} adds to a client's utility in a round, mean; others truthful, under "
        "the rule that the run was cleared by"
    )
    return Column(f"regret_{coordinate}", f"regret: {coordinate}", meaning,
                  lambda one: _each(one, _regret(one, coordinate).sum(axis=-1)))  # fmt: skip


def _over_rounds(coordinate: str) -> Column:
    return Column(f"rounds_{coordinate}", "", "", lambda one: _regret(one, coordinate).mean(axis=-1))


def _kept(one: Seen) -> float | None:
    clarke, marginal = (_cleared(one, rule).accounts.paid.sum() for rule in ("ipfl-exact", "exact-marginal"))
    return float(1.0 - clarke / marginal) if marginal > MONEY else None


# fmt: off
TASK = text("task", "task of the run", lambda one: one.config.task)
EXACT = Column("welfare_exact", "welfare", "welfare per client and round of the exact choice on the recorded markets",
               lambda one: _each(one, _cleared(one, "ipfl-exact").surplus))
THRESHOLD = Column("welfare_threshold", "by thresholds", "the same of the paper's choice, by thresholds",
                   lambda one: _each(one, _cleared(one, "ipfl").surplus))
LOST = Column("objective_lost", "lost", "share of the best objective (welfare less penalties) that thresholds miss",
              _lost, kind="share")
SHORT = Column("rounds_short", "short in", "share of rounds in which thresholds miss the best objective", _short,
               kind="share")
MARGINAL = Column("paid_marginal", "marginal moves", "money per client and round that the exact choice moves, each "
                  "import paid its marginal contribution (paper)",
                  lambda one: _each(one, _cleared(one, "exact-marginal").accounts.paid.sum(axis=-1)))
CLARKE = Column("paid_clarke", "Clarke moves", "the same imports, each paid its critical value (ipfl-exact)",
                lambda one: _each(one, _cleared(one, "ipfl-exact").accounts.paid.sum(axis=-1)))
REGRETS = {coordinate: _regret_of(coordinate) for coordinate in COORDINATES}
KEPT = Column("left_with_buyers", "left with buyers", "share of the marginal payments that Clarke payments do not take",
              _kept, kind="share")
LAW = Column("gain_law", "gain by law", "what the law says that a client gained from imports in a round, money",
             lambda one: float(one.accounts.gain[:, one.clients].mean()))
POINTS = Column("accuracy_gained", "over local", "accuracy over the rounds less that of local under the same seed",
                _points, kind="share")
FITS = Column("law_correlation", "law fits", "correlation over clients of gain by law and accuracy over local, means "
              "over rounds (-: all alike)", _correlation)
ROUNDS = {coordinate: _over_rounds(coordinate) for coordinate in COORDINATES}
CLIENTS = Column("clients", "", "gain by law and accuracy over local of each client", law_and_accuracy)
# fmt: on


def _of(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows by task."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[TASK], []).append(row)
    return found


def _words(rows: Sequence[Row]) -> list[str]:
    """Say of each task and market what was lost and moved, what lies win, and whether the law is borne out."""

    def short(amount: float) -> str:
        return number(amount, 3)

    said = []
    for row in rows:
        name = f"{row[TASK]}, {row[METHOD]}"
        welfare, moved = (paired(row.seeds[a], row.seeds[b]) for a, b in ((THRESHOLD, EXACT), (CLARKE, MARGINAL)))
        share = "no trade is best" if row[LOST] is None else f"thresholds miss {percent(row[LOST], 2)} of the objective"
        wins = [f"its {what} {short(row[column])}" for what, column in REGRETS.items()]
        said += [
            f"{name}: {share}, in {percent(row[SHORT], 0)} of rounds; welfare per client and round: "
            f"{told(welfare, 'the choice by thresholds', 'the exact one', short)}, of {short(row[EXACT])}.",
            f"{name}: money moved per client and round: {told(moved, 'the Clarke rule', 'the marginal one', short)}, "
            f"of {short(row[MARGINAL])}.",
            f"{name}: the best lie of a client wins about {listed(wins)} a round, in the mean.",
        ]
        if row[POINTS] is not None:
            fits = (
                "the law promises all clients the same"
                if row[FITS] is None
                else f"correlation over clients {row[FITS]:.2f}, mean of seeds"
            )
            gained = paired([100.0 * value for value in row.seeds[POINTS]], [0.0] * len(row.seeds[POINTS]))
            points = told(gained, "the market", "local", lambda amount: f"{amount:.2f}")
            said.append(f"{name}: gain by law {short(row[LAW])} a round; points of accuracy: {points}; {fits}.")
    return said


def _figures(rows: Sequence[Row]) -> dict[str, Figure]:
    drawn = {
        **dots("selection", (row for row in rows if row[LOST] is not None), LOST, "objective missed", band=TASK,
               unit="%"),
        **dots("payments", rows, KEPT, "share that Clarke payments leave with buyers", band=TASK, unit="%"),
    }  # fmt: skip
    for task, own in _of(rows).items():
        panels = {
            f"lies about the {what}": {row[METHOD]: np.stack(row.seeds[column]) for row in own}
            for what, column in ROUNDS.items()
        }
        drawn[f"regret-{task}"] = over_rounds(panels, "mean regret, money")
    pairs: dict[str, dict[str, Floats]] = {}
    for row in rows:
        if row[POINTS] is not None:
            pairs.setdefault(row[TASK], {})[row[METHOD]] = np.hstack(row.seeds[CLIENTS])
    if pairs:
        drawn["law"] = clouds(pairs, "gain by law (money a round)", "accuracy over local (points)")
    return drawn


MARKET = Study(
    "What markets lose and move, and whether the law holds",
    "what selection by thresholds loses, what payments move, what lies win over training, and whether gains are real",
    populations("benign"),
    (TASK, METHOD, EXACT, THRESHOLD, LOST, SHORT, MARGINAL, CLARKE, KEPT, *REGRETS.values(), LAW, POINTS, FITS),
    _words,
    _figures,
    (
        "Everything but the last three columns is found by clearing each recorded round again: the models are those "
        "that were recorded, and what another rule would have changed in later rounds is not counted.",
        "The exact choice has the best objective, which is welfare less the penalties for different models: its "
        "welfare may be lower than that of another choice.",
        f"Regret is of the lies tried (up to {TRIED} costs, 17 sizes and gain parameters for each client and round): "
        "the true one is no smaller.",
        "Accuracy over local is of the models by which a method is judged, on each client's own label mix; of ten "
        "clients a correlation is a weak test.",
        ONE_BY_ONE,
    ),
    COMPARED,
    markets=True,
    hidden=(*ROUNDS.values(), CLIENTS),
    against=ALONE,
)
