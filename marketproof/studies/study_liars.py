"""Study liars: what a lie earned its teller, measured by clearing the same recorded market with its truth.

In a recorded round with reports r and true types t, liar i said r_i. Its gain is U_i(r) - U_i(t_i, r_-i), both with its
true type: the clearing that happened, and the one that would have, everybody else reporting as recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from marketproof.clearing.settling import clear_and_settle
from marketproof.running.populations import POPULATIONS
from marketproof.running.records import MarketRecord
from marketproof.studies.study_findings import Column, Findings, Row, over_seeds, utilities, who
from marketproof.studies.study_runs import Recorded
from mechanism.market.accounting import account
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.rule import Clearing
from mechanism.tolerance import MONEY
from mechanism.wording import number, percent

COLUMNS = (
    Column("lie", "lie", "which number liars misreport", "text"),
    Column("factor", "times", "what they multiply it by", "count"),
    Column("method", "method", "learning algorithm, and the mechanism of its market after a slash", "text"),
    Column("liars", "liars", "liars, over all seeds", "count"),
    Column("cases", "cases", "liars and rounds, over all seeds", "count"),
    Column("gain_mean", "mean gain", "what the lie adds to the liar's true utility in a round, mean"),
    Column("gain_best", "best gain", "the most that it added for any liar in any round of any seed"),
    Column("gain_worst", "worst gain", "the least that it added; below 0 the lie cost its teller"),
    Column("share_paying", "pays in", "share of liars and rounds in which the lie gained", "share"),
    Column("utility_lying", "lying", "true utility of a liar per round, as recorded"),
    Column("utility_truthful", "truthful", "the same, had it told the truth in that round"),
)

NOTES = (
    "Measured per clearing: the models, and so the differences, of every round are taken as they were recorded; what "
    "the truth would have changed in later rounds is not counted.",
    "Two factors are two reports out of all. The audit of each run searches for the best lie: see its audit.json.",
)


def gains(mechanism: Clearing, record: MarketRecord) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the liars' true utilities as recorded, and had each of them alone told the truth; money [R, liars]."""
    liars = np.flatnonzero(who(record, "liar"))
    lying = utilities(record)[:, liars]
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
        honest[:, k] = account(record.types, outcome, record.market.law).utility[:, liar]
    return lying, honest


def findings(cases: Mapping[str, Recorded]) -> Findings:
    """Return the measured gain per kind of lie and mechanism, and a figure of it."""
    from analysis.findings.several.studies import marks, side_by_side

    rows: list[Row] = []
    drawn: dict[str, dict[str, dict[str, list[float | None]]]] = {}
    for case in cases.values():
        population = case.config.population
        lie = POPULATIONS[population.name].lie
        mechanisms = {unit.method.name: unit.method.mechanism for unit in case.units}
        for method, records in case.markets().items():
            seen = [gains(market_mechanism(str(mechanisms[method])), record) for record in records]
            rows.append({"lie": lie, "factor": population.factor, "method": method} | _row(seen))
            label = f"{lie} × {population.factor:g}"
            each = [float((lying - honest).mean()) for lying, honest in seen]
            drawn.setdefault(lie, {}).setdefault(method, {})[label] = [*each]
    panels = {lie: side_by_side("mean gain", "money a round", groups) for lie, groups in drawn.items()}
    return Findings(COLUMNS, rows, words(rows), NOTES, {"gain-of-lies": marks(panels)})


def _row(seen: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Row:
    each = [lying - honest for lying, honest in seen]
    paying = []
    for (lying, honest), gain in zip(seen, each, strict=True):
        small = MONEY * np.maximum(1.0, np.maximum(np.abs(lying), np.abs(honest)))
        paying.append(float((gain > small).mean()))
    row: Row = {"liars": sum(gain.shape[1] for gain in each), "cases": sum(gain.size for gain in each)}
    row |= over_seeds("gain_mean", [float(gain.mean()) for gain in each])
    row |= {"gain_best": max(float(gain.max()) for gain in each) + 0.0}
    row |= {"gain_worst": min(float(gain.min()) for gain in each) + 0.0}
    row |= over_seeds("share_paying", paying)
    row |= over_seeds("utility_lying", [float(lying.mean()) for lying, _ in seen])
    return row | over_seeds("utility_truthful", [float(honest.mean()) for _, honest in seen])


def words(rows: Sequence[Row]) -> list[str]:
    """Say for each kind of lie under which mechanisms it paid."""
    said = []
    for lie, factor in dict.fromkeys((row["lie"], row["factor"]) for row in rows):
        own = [row for row in rows if (row["lie"], row["factor"]) == (lie, factor)]
        pays = [row for row in own if row["share_paying"] > 0.0]
        never = [f"{row['method']} in none of {row['cases']}" for row in own if row["share_paying"] == 0.0]
        parts = [
            f"pays under {row['method']} in {percent(row['share_paying'], 0)} of {row['cases']} cases (mean gain of "
            f"all cases {number(row['gain_mean'])}, at most {number(row['gain_best'])})"
            for row in pays
        ]
        if never:
            parts.append(f"pays under {', under '.join(never)} cases")
        said.append(f"Reporting {factor:g} times one's {NUMBERS[lie]}: {'; '.join(parts)}.")
    return said


NUMBERS = {"cost": "cost", "size": "number of samples", "gain": "gain parameter"}
"""What a lie is about, in words."""
