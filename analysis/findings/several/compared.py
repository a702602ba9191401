"""Several runs side by side: which settings differ, and accuracy and utility with their spread over seeds."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analysis.findings.achieved import methods_table
from analysis.findings.base import MEASURED, Drawing, Evidence, Finding, always, measured, whiskers
from analysis.findings.grouped import ComparedScores, beside_by_group, scores_rows, side_by_side
from analysis.findings.scores import MethodScores, best_accuracy, utility_per_round
from analysis.page.export import Cell, Table
from analysis.run.files import flat
from analysis.run.records import Run
from mechanism.wording import listed, typeset

Runs = Sequence[Run]


def labels(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return a short label per run: its number on the page and its folder."""
    return tuple(f"{k}: {run.path.resolve().name}" for k, run in enumerate(runs, start=1))


def compared(runs: Sequence[Run], score: Callable[[Run], MethodScores]) -> ComparedScores:
    """Return a score of all runs on one axis."""
    found = [score(run) for run in runs]
    groups = {
        label: {name: values.tolist() for name, values in zip(one.methods, one.values, strict=True)}
        for label, one in zip(labels(runs), found, strict=True)
    }
    return side_by_side(found[0].name, found[0].unit, groups)


def differing(runs: Sequence[Run]) -> Table:
    """Return the settings in which the runs differ, a row per setting, a column per run; "–" where it is not set."""
    each = [dict(_settings(run)) for run in runs]
    names = dict.fromkeys(name for settings in each for name in settings)
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        values = [settings.get(name, "–") for settings in each]
        if len(set(values)) > 1:
            rows.append((name, *values))
    return Table("Settings in which the runs differ", ("setting", *labels(runs)), tuple(rows))


def _settings(run: Run) -> list[tuple[str, str]]:
    counted: Mapping[str, object] = {
        "task": run.task, "clients": run.clients, "rounds": run.rounds, "methods": ", ".join(run.methods),
        "seeds": ", ".join(str(s) for s in run.seeds),
    }  # fmt: skip
    own = [(f"config: {key}", value) for key, value in flat(run.config) if key not in counted]
    return [(key, str(value)) for key, value in counted.items()] + own


def _differences(runs: Runs, table: Table) -> str:
    """Return which settings differ, in a sentence."""
    if not table.rows:
        return "The runs have the same settings."
    named = [f"{row[0]} ({' | '.join(str(cell) for cell in row[1:])})" for row in table.rows[:6]]
    left = len(table.rows) - len(named)
    more = f"; and in {left} other setting{'s' * (left > 1)} of the table below" if left else ""
    return f"They differ in {'; '.join(named)}{more}."


_COUNTED = {"rounds": "rounds", "clients": "clients"}
_SET = {"market.gain": "gain parameter", "valuation": "valuation"}


def incomparable(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return in what runs differ that makes their money other money, each with the runs' values."""
    values = {words: [str(getattr(run, name)) for run in runs] for name, words in _COUNTED.items()}
    each = [dict(flat(run.config)) for run in runs]
    values |= {words: [settings.get(name, "–") for settings in each] for name, words in _SET.items()}
    return tuple(f"{words} ({' | '.join(found)})" for words, found in values.items() if len(set(found)) > 1)


Scores = tuple[ComparedScores, ComparedScores]
"""Best personal accuracy, and utility per client and round, of all runs and methods."""


def scores(runs: Runs) -> Scores:
    """Return what runs of any length can be compared by."""
    return compared(runs, best_accuracy), compared(runs, utility_per_round)


def answer(runs: Runs, found: Scores) -> str:
    """Return, over several runs, where the average client is best off and where a model is most accurate.

    Money is told per client and round, which runs of any length have; what else differs and moves money is named.
    """
    accuracy, utility = found

    def highest(scores: ComparedScores, unit: str) -> tuple[list[str], int]:
        """Return the highest of each run in words, and in which run the highest of all is."""
        best = np.nanargmax(scores.mean, axis=1)
        said = [
            f"{scores.methods[k]} in run {n} ({typeset(float(scores.mean[n - 1, k]))}{unit})"
            for n, k in enumerate(best, start=1)
        ]
        return said, int(np.argmax(np.nanmax(scores.mean, axis=1)))

    (richest, first), (best, second) = highest(utility, " money"), highest(accuracy, " %")
    other = incomparable(runs)
    # Other gains are other money: then no run is above another in it.
    own_money = any(words in one for one in other for words in _SET.values())
    text = (
        f"Per client and round the average client is best off under {listed(richest) if own_money else richest[first]};"
        f" the most accurate, each client in its best round, is {best[second]}."
    )
    if other:
        text += f" The runs differ in {listed(other)}: totals over a run cannot be compared"
        text += ", and with other gains money is other money." if own_money else "."
    return text


def drawing(_: Runs, found: Scores) -> Drawing:
    """Accuracy, and utility per client and round, of all runs and methods, side by side."""
    accuracy, utility = found
    whole, scale = beside_by_group(accuracy, utility)
    return Drawing(
        f"Accuracy and utility per method and run. {accuracy.told(utility, 'run ')}.",
        "Each band is a method, each mark in it a run (the key is above). Further right is better in both panels; left "
        "of the zero line the average client loses. Money is per client and round, since runs may differ in length. "
        "Whiskers are of one method; whether two differ, paired seeds say." + whiskers(max(accuracy.seeds)) + scale,
        whole,
        scores_rows("run", accuracy, utility),
    )


def compared_table(runs: Sequence[Run]) -> Table:
    """Return several runs in one table: `methods_table` without spreads, a row per run and method.

    Beside the mean utility over the run stands that of a round, since runs may differ in length.
    """
    rows: list[tuple[Cell, ...]] = []
    for k, run in enumerate(runs, start=1):
        table, each = methods_table(run), utility_per_round(run).mean
        kept = [c for c, column in enumerate(table.columns) if column != "±"]
        columns = ("run", *(table.columns[c] for c in kept))
        at = columns.index("mean utility")
        columns = (*columns[:at], "mean utility per round", *columns[at:])
        for method, line in enumerate(table.rows):
            row = (f"{k}: {run.path.resolve().name}", *(line[c] for c in kept))
            rows.append((*row[:at], float(each[method]), *row[at:]))
    return Table("All runs: money over the run but where a round is named, means over seeds", columns, tuple(rows))


def _evidence(runs: Runs, _: object) -> tuple[Evidence, ...]:
    """Return on how much each run of a comparison rests."""
    return tuple(Evidence(MEASURED, f"run {k}", measured(run)[0].text) for k, run in enumerate(runs, start=1))


DIFFERING = Finding(
    "differing", "In what do the runs differ?", differing, _differences,
    table=lambda _, table: table if table.rows else None,
)  # fmt: skip
COMPARED = Finding("side-by-side", "How do they compare?", scores, answer, always("compared", drawing), _evidence)
