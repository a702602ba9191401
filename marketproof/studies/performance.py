"""Studies performance and robustness: who learns best and earns most, among honest clients and beside others."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from matplotlib.figure import Figure

from analysis.findings.scores import beside
from analysis.findings.several.statistics import highest
from analysis.findings.several.studies import scores
from analysis.run.ledger import unit_figures
from marketproof.running.populations import BENIGN, POPULATIONS
from marketproof.studies.study import (
    METHOD,
    ONE_BY_ONE,
    POPULATION,
    Column,
    Row,
    Seen,
    Study,
    best_accuracy,
    compare,
    dots,
    has_market,
    mean_of,
    populations,
    stands,
    who,
)
from mechanism.market.accounting import MONEY
from mechanism.wording import listed, number, percent

ALL_METHODS = (
    "local", "fedavg", "fedprox", "ditto", "fedamp", "cfl", "fedfomo", "pfedgraph", "ipfl/ipfl", "ipfl/ipfl-exact",
)  # fmt: skip
"""The nine methods of the paper, the market with the paper's mechanism and with the repaired one."""


def summary_figure(name: str) -> Callable[[Seen], float]:
    """Return the measure that a run's summary has under this name."""
    return lambda one: unit_figures(one.record)[name]


def lowest(one: Seen) -> float:
    """Return the lowest utility of a client in any round."""
    return float(one.utility.min())


BY_WORTH = "ipfl-effective"
"""The method whose market counts what models were measured to be worth; all others count samples."""

MONEY_NOTE = (
    "Gains are not accuracy: they follow from the gain law, by the samples of the models that a client takes, whatever "
    f"these do for it (junk counts as much as a good model); under `{BY_WORTH}` by what they were measured to be "
    "worth. The money of the two is not to be compared."
)

CENTRE_NOTE = (
    "Under `realised` everybody settles with a centre, whose deficit is in nobody's account here: clients may have "
    "more together than all gains less all costs."
)

# Performance: who learns best, and who is better off for taking part.

# fmt: off
BEST = Column("accuracy_best", "best accuracy", "each client's best round on its own label mix, mean of clients; the "
              "round is chosen by the test samples themselves",
              summary_figure("accuracy_best"), kind="share")
FINAL = Column("accuracy_final", "final accuracy", "the same, in the last round that a client took part in",
               summary_figure("accuracy_final"), kind="share")
UTILITY = Column("utility_mean", "utility", "true utility per client and round", summary_figure("utility_mean"))
WELFARE = Column("welfare", "welfare", "sum of all true utilities over the run", summary_figure("welfare"))
LOWEST = Column("utility_lowest", "lowest utility", "of any client in any round of any seed; below 0 somebody loses",
                lowest, min)
# fmt: on


def not_apart(rows: Sequence[Row], column: Column) -> str:
    """Return from which rows the highest of a column is not told apart by its seeds, to be said behind it."""
    values = {row[METHOD]: row.seeds[column] for row in rows}
    _, near = highest(values)
    seeds = len(rows[0].seeds[column])
    if seeds < 2:
        return " (one seed: nobody knows the noise)"
    return f" (no difference seen over {seeds} seeds from {listed(near)})" if near else f" ({seeds} seeds)"


def _performance_words(rows: Sequence[Row]) -> list[str]:
    """Say who is best in accuracy and in utility, and under which methods somebody loses."""
    best, richest = (max(rows, key=column) for column in (BEST, UTILITY))
    losing = [row[METHOD] for row in rows if row[LOWEST] < -MONEY * max(1.0, abs(row[WELFARE]))]
    said = [
        f"Best accuracy: {best[METHOD]}, {percent(best[BEST])}{not_apart(rows, BEST)}. Highest utility per client and "
        f"round: {richest[METHOD]}, {number(richest[UTILITY])}{not_apart(rows, UTILITY)}.",
        f"Somebody loses in some round under {', '.join(losing)}."
        if losing
        else "Nobody loses in any round under any method.",
    ]
    return said + [
        f"{row[METHOD]}: {100 * (best[BEST] - row[BEST]):.1f} points of accuracy behind the best, utility "
        f"{number(row[UTILITY])}, lowest of any client in any round {number(row[LOWEST])}."
        for row in rows
        if row[METHOD].startswith("ipfl")
    ]


def _accuracy_beside_utility(rows: Sequence[Row]) -> dict[str, Figure]:
    percents = {row[METHOD]: [100.0 * value for value in row.seeds[BEST]] for row in rows}
    earned = {row[METHOD]: row.seeds[UTILITY] for row in rows}
    left = scores("Best personal accuracy", "%", percents)
    return {"accuracy-and-utility": beside(left, scores("Utility per client and round", "money", earned))}


PERFORMANCE = Study(
    "Accuracy and utility of all methods",
    "who learns best, and who is better off for taking part",
    populations("benign"),
    (METHOD, BEST, FINAL, UTILITY, WELFARE, LOWEST),
    _performance_words,
    _accuracy_beside_utility,
    (
        "Methods without a market pay nobody: their utility is the gain of the models that their graph hands out less "
        "what exporting them costs (paper). Where everybody takes everybody's model, as under `fedavg`, `fedprox`, "
        "`ditto` and `fedamp`, that is one number under several names.",
        "In the paper's tasks exporting a model once costs 1: that is the unit of money.",
        "Personal methods are judged by the models that clients have after their training of the round, `fedavg` and "
        "`fedprox` by the common model as it is handed out, which no client has trained on (paper).",
        MONEY_NOTE,
    ),
    ALL_METHODS,
)

# Robustness: what attackers and free-riders cost the honest clients, whom a row is about, and what they earn.


def _more(one: Seen) -> float | None:
    honest, others = mean_of(one.utility), mean_of(one.others)
    return None if others is None or honest is None else others - honest


def _earn_less(one: Seen) -> bool:
    honest, others = mean_of(one.utility), mean_of(one.others)
    return others is not None and honest is not None and compare(others, honest) == "less than"


# fmt: off
WITHOUT = Column("accuracy_without", "accuracy without", "best accuracy of those same clients where all are honest",
                 lambda one: best_accuracy(one.before, one.clients), kind="share")
WITH = Column("accuracy_with", "with", "best accuracy of the honest clients beside attackers or free-riders",
              lambda one: best_accuracy(one.record, one.clients), kind="share")
HONEST = Column("utility_honest", "honest earn", "true utility of an honest client per round",
                lambda one: mean_of(one.utility))
OTHERS = Column("utility_others", "others earn", "true utility of an attacker or free-rider per round",
                lambda one: mean_of(one.others))
IF_HONEST = Column("utility_others_if_honest", "if honest", "of those same clients where all are honest",
                   lambda one: mean_of(one.before.accounts.utility[:, ~one.clients]))
LESS = Column("seeds_earning_less", "seeds less", "seeds in which they earn less than honest clients",
              _earn_less, lambda less: f"{sum(less)} of {len(less)}", "text")
MORE = Column("utility_more", "", "what the others earn more than an honest client", _more)
# fmt: on


def _others_word(row: Row) -> str:
    return stands(row.seeds[OTHERS], row.seeds[HONEST])


def _robustness_words(rows: Sequence[Row]) -> list[str]:
    """Say for each method with a market and each population whether attackers and free-riders earn less."""
    said = []
    for method in dict.fromkeys(row[METHOD] for row in rows if has_market(row)):
        own = [row for row in rows if row[METHOD] == method]
        where = {word: [row[POPULATION] for row in own if _others_word(row) == word] for word in map(_others_word, own)}
        said.append(
            f"{method}: attackers and free-riders earn less than honest clients in every population."
            if list(where) == ["less than"]
            else f"{method}: attackers and free-riders earn "
            + "; ".join(f"{word} honest clients in {', '.join(names)}" for word, names in where.items())
            + "."
        )
        for row in own:
            what = "attackers" if POPULATIONS[row[POPULATION]].roles[0][0] == "attacker" else "free-riders"
            said.append(
                f"{method}, {row[POPULATION]}: {what} earn {number(row[OTHERS])} per client and round, "
                f"{_others_word(row)} the {number(row[HONEST])} of honest clients (less in {row[LESS]} seeds); had "
                f"they been honest: {number(row[IF_HONEST])}."
            )
    if rows and len(rows[0].seeds[METHOD]) == 1:
        said.append("One seed: nobody knows the noise of these numbers.")
    if rows:
        worst = min(rows, key=lambda row: row[WITH] - row[WITHOUT])
        said.append(
            f"Honest clients lose most accuracy under {worst[METHOD]} with {worst[POPULATION]}: "
            f"{percent(worst[WITHOUT])} without, {percent(worst[WITH])} with them."
        )
    return said


def _accuracy_and_earnings(rows: Sequence[Row]) -> dict[str, Figure]:
    accuracy, earned = "best accuracy of honest clients", "others' utility less an honest client's"
    strange = [row for row in rows if row[POPULATION] != "benign"]
    return {
        **dots("accuracy", rows, WITH, accuracy, group=POPULATION, unit="%", zero=False),
        **dots("earnings", strange, MORE, earned, group=POPULATION),
    }


ROBUSTNESS = Study(
    "Attackers and free-riders",
    "what they cost honest clients, and whether they earn less than honest clients",
    populations("benign", "attackers-shuffle", "attackers-flip", "free-riders-ones", "free-riders-noise"),
    (METHOD, POPULATION, WITHOUT, WITH, HONEST, OTHERS, IF_HONEST, LESS),
    _robustness_words,
    _accuracy_and_earnings,
    (
        "The same seeds: data, models' start and costs are those of the benign run, so accuracy with and without is of "
        "the same clients.",
        "An attacker wants no model and bears no cost (K = c = 0), so it can only earn by selling; a free-rider keeps "
        "its K, bears no cost, and trains nothing (paper).",
        ONE_BY_ONE,
        MONEY_NOTE,
        CENTRE_NOTE,
    ),
    ALL_METHODS,
    clients=lambda record: who(record, *BENIGN),
    beside="benign",
    apart=True,
    by_method=True,
    hidden=(MORE,),
)


def _attack_success(one: Seen) -> float | None:
    found = one.record.valuation.get("attack_success")
    return None if found is None else float(found[-1, one.clients].mean())


WORKS = Column(
    "attack_success", "trigger works", "test samples with a backdoor's trigger that models of honest clients answer as "
    "attackers want, after the last round; of local what a trigger does by itself", _attack_success, kind="share",
)  # fmt: skip

POISONING = replace(
    ROBUSTNESS,
    columns=(*ROBUSTNESS.columns, WORKS),
    title="Poisoned models and samples",
    asks="what they cost honest clients under robust aggregation and in markets",
    cases=populations(
        "benign", "attackers-shuffle", "attackers-flip", "attackers-scaled", "attackers-same", "attackers-labels",
        "attackers-backdoor",
    ),
    methods=(
        "local", "fedavg", "median", "trimmed-mean", "krum", "multi-krum", "ipfl/ipfl-exact",
        "ipfl-effective/clock-price",
    ),
)  # fmt: skip
