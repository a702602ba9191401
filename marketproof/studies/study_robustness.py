"""Study robustness: what attackers and free-riders cost the others, and what they earn beside honest traders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from marketproof.running.methods import uses_market
from marketproof.running.populations import POPULATIONS
from marketproof.running.records import MarketRecord
from marketproof.studies.study_findings import (
    Column,
    Findings,
    Row,
    benign,
    best_accuracy,
    compare,
    mean_of,
    over_seeds,
    utilities,
)
from marketproof.studies.study_runs import Recorded
from mechanism.wording import number, percent

COLUMNS = (
    Column("method", "method", "learning algorithm, and the mechanism of its market after a slash", "text"),
    Column("population", "population", "who takes part", "text"),
    Column("accuracy_without", "accuracy without", "best accuracy of those same clients where all are honest", "share"),
    Column("accuracy_with", "with", "best accuracy of the honest clients beside attackers or free-riders", "share"),
    Column("utility_honest", "honest earn", "true utility of an honest client per round"),
    Column("utility_others", "others earn", "true utility of an attacker or free-rider per round"),
    Column("utility_others_if_honest", "if honest", "of those same clients where all are honest"),
    Column("seeds_earning_less", "seeds less", "seeds in which they earn less than honest clients", "text"),
)

NOTES = (
    "The same seeds: data, models' start and costs are those of the benign run, so accuracy with and without is of the "
    "same clients.",
    "An attacker wants no model and bears no cost (K = c = 0), so it can only earn by selling; a free-rider keeps its "
    "K, bears no cost, and trains nothing (paper).",
)


def findings(cases: Mapping[str, Recorded]) -> Findings:
    """Return the table of methods and populations, and two figures: accuracy, and who earns what."""
    from analysis.findings.several.studies import marks, side_by_side

    before = cases["benign"].markets()
    strange = {name: case.markets() for name, case in cases.items() if name != "benign"}
    rows: list[Row] = []
    accuracy: dict[str, dict[str, list[float | None]]] = {"benign": {}}
    earnings: dict[str, dict[str, list[float | None]]] = {}
    for method, calm in before.items():
        accuracy["benign"][method] = [_percent(best_accuracy(record, benign(record))) for record in calm]
        for population, markets in strange.items():
            seen = [_one(record, other) for record, other in zip(calm, markets[method], strict=True)]
            row: Row = {"method": method, "population": population}
            for key in seen[0]:
                row |= over_seeds(key, [one[key] for one in seen])
            less = sum(_earns_less(one) for one in seen)
            rows.append(row | {"seeds_earning_less": f"{less} of {len(seen)}"})
            accuracy.setdefault(population, {})[method] = [_percent(one["accuracy_with"]) for one in seen]
            earnings.setdefault(population, {})[method] = [
                _difference(one["utility_others"], one["utility_honest"]) for one in seen
            ]
    figures = {
        "accuracy": marks({"": side_by_side("best accuracy of honest clients", "%", accuracy)}, zero=False),
        "earnings": marks({"": side_by_side("others' utility less an honest client's", "money a round", earnings)}),
    }
    return Findings(COLUMNS, rows, words(rows), NOTES, figures)


def _one(calm: MarketRecord, attacked: MarketRecord) -> dict[str, float | None]:
    """Return the figures of one seed: the honest ones, the others, and the same clients where all were honest."""
    good = benign(attacked)
    now, then = utilities(attacked), utilities(calm)
    return {
        "accuracy_without": best_accuracy(calm, good),
        "accuracy_with": best_accuracy(attacked, good),
        "utility_honest": mean_of(now[:, good]),
        "utility_others": mean_of(now[:, ~good]),
        "utility_others_if_honest": mean_of(then[:, ~good]),
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _difference(mine: float | None, other: float | None) -> float | None:
    return None if mine is None or other is None else mine - other


def _earns_less(one: Mapping[str, float | None]) -> bool:
    others, honest = one["utility_others"], one["utility_honest"]
    return others is not None and honest is not None and compare(others, honest) == "less than"


def words(rows: Sequence[Row]) -> list[str]:
    """Say for each method with a market and each population whether attackers and free-riders earn less."""
    said = []
    markets = list(dict.fromkeys(row["method"] for row in rows if uses_market(row["method"].partition("/")[0])))
    for method in markets:
        own = [row for row in rows if row["method"] == method]
        where = [row["population"] for row in own if _word(row) != "less than"]
        said.append(
            f"{method}: attackers and free-riders earn less than honest clients in every population."
            if not where
            else f"{method}: they do NOT earn less than honest clients in {', '.join(where)}."
        )
        for row in own:
            what = "attackers" if POPULATIONS[row["population"]].roles[0][0] == "attacker" else "free-riders"
            said.append(
                f"{method}, {row['population']}: {what} earn {number(row['utility_others'])} per client and round, "
                f"{_word(row)} the {number(row['utility_honest'])} of honest clients (less in "
                f"{row['seeds_earning_less']} seeds); had they been honest: {number(row['utility_others_if_honest'])}."
            )
    if rows:
        worst = min(rows, key=lambda row: row["accuracy_with"] - row["accuracy_without"])
        said.append(
            f"Honest clients lose most accuracy under {worst['method']} with {worst['population']}: "
            f"{percent(worst['accuracy_without'])} without, {percent(worst['accuracy_with'])} with them."
        )
    return said


def _word(row: Row) -> str:
    return compare(row["utility_others"], row["utility_honest"])
