"""Study dropout: who leaves a market in which it loses, when, and how those do who stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketproof.running.records import MarketRecord
from marketproof.studies.study_findings import Column, Findings, Row, best_accuracy, mean_of, over_seeds, utilities
from marketproof.studies.study_runs import Recorded
from mechanism.wording import number, percent

Flags = NDArray[np.bool_]

COLUMNS = (
    Column("population", "population", "strict: who has a negative utility leaves; else with a chance", "text"),
    Column("method", "method", "learning algorithm, and the mechanism of its market after a slash", "text"),
    Column("clients", "clients", "clients at the start", "count"),
    Column("left", "left", "clients that are still there after the last round"),
    Column("first_leaves", "first leaves", "first round after which anybody leaves, in any seed (-: nobody)", "count"),
    Column("accuracy_staying", "stay: accuracy", "best accuracy of those who are left", "share"),
    Column("accuracy_leaving", "leave: accuracy", "best accuracy, while they were there, of those who left", "share"),
    Column("utility_staying", "stay: utility", "true utility per round of those who are left"),
    Column("utility_leaving", "leave: utility", "true utility per round there of those who left"),
)

NOTES = (
    "A client that has left keeps its model, and its models are no longer for sale; it never comes back.",
    "'-' stands where there is nobody of that kind.",
)


def findings(cases: Mapping[str, Recorded]) -> Findings:
    """Return who is left per method, and a figure of how many are there in each round."""
    from analysis.findings.several.studies import left_over_rounds

    rows: list[Row] = []
    leaving: list[dict[str, Any]] = []
    panels: dict[str, dict[str, NDArray[np.float64]]] = {}
    for population, case in cases.items():
        panel = panels.setdefault(population, {})
        markets = case.markets()
        for method, arrays in case.arrays().items():
            gone = [np.asarray(one["leaving"]).astype(bool) for one in arrays]
            seen = [_one(record, flags) for record, flags in zip(markets[method], gone, strict=True)]
            row: Row = {"population": population, "method": method, "clients": int(gone[0].shape[1])}
            for key in ("left", "accuracy_staying", "accuracy_leaving", "utility_staying", "utility_leaving"):
                row |= over_seeds(key, [one[key] for one in seen])
            rounds = [int(flags.any(axis=1).argmax()) + 1 for flags in gone if flags.any()]
            rows.append(row | {"first_leaves": min(rounds, default=None)})
            for seed, flags in zip(case.config.seed_list, gone, strict=True):
                leaving += [
                    {"population": population, "method": method, "seed": seed, "round": number + 1, "client": client}
                    for number, client in np.argwhere(flags).tolist()
                ]
            panel[method] = np.stack([record.present.sum(axis=1).astype(float) for record in markets[method]])
    figures = {"clients-there": left_over_rounds(panels)}
    return Findings(COLUMNS, rows, words(rows), NOTES, figures, {"leaving": leaving})


def _one(record: MarketRecord, gone: Flags) -> dict[str, float | None]:
    """Return the figures of one seed from its record and who left after which round [R, m]."""
    left = np.logical_not(gone.any(axis=0))
    money_each = utilities(record)
    return {
        "left": float(left.sum()),
        "accuracy_staying": best_accuracy(record, left),
        "accuracy_leaving": best_accuracy(record, ~left),
        "utility_staying": mean_of(money_each[:, left]),
        "utility_leaving": mean_of(money_each[record.present & ~left]),
    }


def words(rows: Sequence[Row]) -> list[str]:
    """Say under which methods everybody stays, and what the others are left with."""
    said = []
    for population in dict.fromkeys(row["population"] for row in rows):
        own = [row for row in rows if row["population"] == population]
        stay = [row["method"] for row in own if row["left"] == row["clients"]]
        if stay:
            said.append(f"{population}: nobody leaves under {', '.join(stay)}.")
        for row in own:
            if row["left"] < row["clients"]:
                rest = "nobody stays"
                if row["accuracy_staying"] is not None:
                    earned = number(row["utility_staying"])
                    rest = f"those who stay reach {percent(row['accuracy_staying'])} and earn {earned}"
                said.append(
                    f"{population}: under {row['method']} {row['left']:.3g} of {row['clients']} are left (the first "
                    f"leave after round {row['first_leaves']}); {rest} a round."
                )
    return said
