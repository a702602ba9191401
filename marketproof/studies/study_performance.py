"""Study performance: who learns best, and who is better off for taking part."""

from __future__ import annotations

from collections.abc import Mapping

from marketproof.running.summary import unit_figures
from marketproof.studies.study_findings import Column, Findings, Row, over_seeds, utilities
from marketproof.studies.study_runs import Recorded
from mechanism.tolerance import MONEY
from mechanism.wording import number, percent

COLUMNS = (
    Column("method", "method", "learning algorithm, and the mechanism of its market after a slash", "text"),
    Column("accuracy_best", "best accuracy", "each client's best round on its own label mix, mean of clients", "share"),
    Column("accuracy_final", "final accuracy", "the same when it last took part", "share"),
    Column("utility_mean", "utility", "true utility per client and round"),
    Column("welfare", "welfare", "sum of all true utilities over the run"),
    Column("utility_lowest", "lowest utility", "of any client in any round of any seed; below 0 somebody loses"),
)


def findings(cases: Mapping[str, Recorded]) -> Findings:
    """Return the table of all methods, and accuracy beside utility as a figure."""
    from analysis.findings.scores import beside
    from analysis.findings.several.studies import scores

    rows: list[Row] = []
    percent: dict[str, list[float]] = {}
    earned: dict[str, list[float]] = {}
    for name, records in cases["benign"].markets().items():
        seen = [unit_figures(record, 0.0) for record in records]
        row: Row = {"method": name}
        for key in ("accuracy_best", "accuracy_final", "utility_mean", "welfare"):
            row |= over_seeds(key, [one[key] for one in seen])
        row["utility_lowest"] = min(float(utilities(record).min()) for record in records) + 0.0
        rows.append(row)
        percent[name] = [100.0 * one["accuracy_best"] for one in seen]
        earned[name] = [one["utility_mean"] for one in seen]
    figure = beside(
        scores("Best personal accuracy", "%", percent), scores("Utility per client and round", "money", earned)
    )
    return Findings(COLUMNS, rows, words(rows), NOTES, {"accuracy-and-utility": figure})


NOTES = (
    "Methods without a market pay nobody: their utility is the gain of the models that their graph hands out less what "
    "exporting them costs (paper).",
)


def words(rows: list[Row]) -> list[str]:
    """Say who is best in accuracy and in utility, and under which methods somebody loses."""
    best = max(rows, key=lambda row: row["accuracy_best"])
    richest = max(rows, key=lambda row: row["utility_mean"])
    said = [
        f"Best accuracy: {best['method']}, {percent(best['accuracy_best'])}. Highest utility per client and round: "
        f"{richest['method']}, {number(richest['utility_mean'])}.",
    ]
    losing = [row["method"] for row in rows if row["utility_lowest"] < -MONEY * max(1.0, abs(row["welfare"]))]
    said.append(
        f"Somebody loses in some round under {', '.join(losing)}."
        if losing
        else "Nobody loses in any round under any method."
    )
    for row in rows:
        if row["method"].startswith("ipfl"):
            off = best["accuracy_best"] - row["accuracy_best"]
            said.append(
                f"{row['method']}: {100 * off:.1f} points of accuracy behind the best, utility "
                f"{number(row['utility_mean'])}, lowest of any client in any round {number(row['utility_lowest'])}."
            )
    return said
