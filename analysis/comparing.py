"""Several runs side by side: which settings differ, and accuracy and utility with their spread over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analysis import metrics
from analysis.drawn import Drawn
from analysis.metrics import MethodScores
from analysis.page import theme
from analysis.plots.compared import compared_dots, scale_words
from analysis.run.records import Run
from analysis.run.settings import flat
from analysis.scores import ComparedScores, scores_rows
from analysis.tables import Cell, Table


def labels(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return a short label per run: its number on the page and its folder."""
    return tuple(f"{k}: {run.path.resolve().name}" for k, run in enumerate(runs, start=1))


def compared(runs: Sequence[Run], score: Callable[[Run], MethodScores]) -> ComparedScores:
    """Return a score of all runs on one axis."""
    found = [score(run) for run in runs]
    methods = tuple(dict.fromkeys(name for one in found for name in one.methods))
    mean, spread = (np.full((len(runs), len(methods)), np.nan) for _ in range(2))
    for k, one in enumerate(found):
        at = [methods.index(name) for name in one.methods]
        mean[k, at] = one.mean
        if one.spread is not None:
            spread[k, at] = one.spread
    return ComparedScores(
        found[0].name, found[0].unit, labels(runs), methods, mean, spread, tuple(one.seeds for one in found)
    )


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


def words(runs: Sequence[Run], table: Table) -> str:
    """Return which settings differ, in a sentence."""
    if not table.rows:
        return "The runs have the same settings."
    named = [f"{row[0]} ({' | '.join(str(cell) for cell in row[1:])})" for row in table.rows[:6]]
    left = len(table.rows) - len(named)
    more = f"; and in {left} other setting{'s' * (left > 1)} of the table below" if left else ""
    return f"They differ in {'; '.join(named)}{more}."


def side_by_side(runs: Sequence[Run]) -> Drawn:
    """Accuracy, and utility per client and round, of all runs and methods, side by side."""
    accuracy, utility = compared(runs, metrics.best_accuracy), compared(runs, metrics.utility_per_round)
    rows = len(accuracy.methods) * (0.5 + 0.18 * len(runs))
    whole = theme.figure(theme.WIDTH, 1.3 + 0.16 * len(runs) + rows)
    left, right = whole.subplots(1, 2)
    compared_dots(accuracy, left, numbers=True)
    compared_dots(utility, right, zero=True, labels=False, numbers=True)
    whiskers = " Whiskers are one standard deviation over seeds." if max(accuracy.seeds) > 1 else ""
    return Drawn(
        "compared",
        f"Accuracy and utility per method and run. {accuracy.told(utility, 'run ')}.",
        "Each band is a method, each mark in it a run (the key is above). Further right is better in both panels; left "
        "of the zero line the average client loses. Money is per client and round, since runs may differ in length. "
        "Differences smaller than the whiskers are noise." + whiskers + scale_words(right),
        whole,
        scores_rows("run", accuracy, utility),
    )
