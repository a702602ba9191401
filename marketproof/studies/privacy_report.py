"""The price of privacy: the same run at several privacy budgets, and what each costs in accuracy and utility."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from marketproof.errors import InputError, Interrupted
from marketproof.running.config import RunConfig
from marketproof.running.execution import Place
from marketproof.running.loop import MakeTrainer
from marketproof.running.privacy_told import delta_of
from marketproof.running.records import MarketRecord
from marketproof.running.summary import unit_figures
from marketproof.studies.study_files import show_findings, which_seeds, write_findings
from marketproof.studies.study_findings import Column, Findings, Row, over_seeds
from marketproof.studies.study_runs import Recorded, run_all
from mechanism.wording import number, percent

EPSILONS: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
"""Budgets compared, from the strictest; a run without privacy always follows."""

COLUMNS = (
    Column("method", "method", "learning algorithm, and the mechanism of its market after a slash", "text"),
    Column("epsilon", "epsilon", "budget of each client's training (none: trained without privacy)", "text"),
    Column("spent", "spent", "the most that any client spent of it, in any seed"),
    Column("accuracy_best", "best accuracy", "each client's best round on its own label mix, mean of clients", "share"),
    Column("accuracy_lost", "lost", "best accuracy without privacy less this", "share"),
    Column("utility_mean", "utility", "true utility per client and round"),
    Column("welfare", "welfare", "sum of all true utilities over the run"),
)

_COVERS = (
    "Epsilon is of one training example of one client, in one method under one seed, at the delta recorded: neither "
    "the clients' sizes, nor their reports, nor anything measured on held-out data is covered. Who sees the models of "
    "several runs, methods or seeds adds their epsilons up."
)


@dataclass(frozen=True, eq=False)
class Price:
    """A finished comparison: its folder, title, what ``privacy.json`` holds, and the findings behind it."""

    folder: Path
    title: str
    told: Mapping[str, Any]
    findings: Findings

    def show(self, console: Console) -> None:
        """Print the table and its words."""
        show_findings(self.findings, self.title, self.folder, "privacy", console)


def price_of_privacy(
    config: RunConfig,
    folder: Path,
    place: Place,
    again: str,
    *,
    quiet: bool,
    epsilons: Sequence[float] = EPSILONS,
    make: MakeTrainer | None = None,
) -> Price:
    """Run a configuration at each epsilon and without privacy, and write ``privacy.json``, .csv, .md, .png and .svg.

    Each run is an ordinary run folder ``epsilon-E`` or ``no-privacy`` under ``folder``; the same call goes on where it
    was stopped. ``again`` is the command line that does so; the configuration's own epsilon joins the others.

    Raises
    ------
    InputError
        If an epsilon is not above 0, a noise multiplier is fixed, or the folder holds something else.
    Interrupted
        On Ctrl-C; the message says where it stands and how to go on.
    """
    if config.privacy.noise:
        raise InputError("the noise follows from each epsilon that is compared; leave out --dp-noise")
    wanted = {float(epsilon) for epsilon in (*epsilons, config.privacy.epsilon or math.inf)} - {math.inf}
    wrong = next((epsilon for epsilon in wanted if not epsilon > 0), None)
    if wrong is not None:
        raise InputError(f"epsilon is {wrong:g}; expected a number above 0")
    if not wanted:
        raise InputError("no epsilon is named to compare with a run without privacy; name some above 0")
    configs = {f"epsilon-{epsilon:g}": _at(config, epsilon) for epsilon in sorted(wanted)} | {
        "no-privacy": _at(config, 0.0)
    }
    head = {"study": "privacy", "task": config.task, "scale": config.scale, "seed": config.seed, "seeds": config.seeds,
            "methods": list(config.methods), "epsilons": sorted(wanted)}  # fmt: skip
    done = run_all(head, configs, folder, place, again, quiet=quiet, make=make)
    try:
        found = findings(done)
        title = f"The price of privacy: {config.task}, {config.scale}, {which_seeds(config.seed, config.seeds)}"
        told = {
            **head,
            "seeds": config.seed_list,
            "delta": delta_of(config, _records(done)),
            "clip": config.privacy.clip,
            "columns": {column.key: column.meaning for column in found.columns},
            "rows": list(found.rows),
            "words": list(found.words),
            "notes": list(found.notes),
        }
        write_findings(folder, "privacy", told, found, title)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted after the last run; go on with: {again}") from None
    return Price(folder, title, told, found)


def _records(done: Mapping[str, Recorded]) -> list[MarketRecord]:
    return [record for case in done.values() for records in case.markets().values() for record in records]


def _at(config: RunConfig, epsilon: float) -> RunConfig:
    return config.model_copy(update={"privacy": config.privacy.model_copy(update={"epsilon": epsilon})})


def findings(cases: Mapping[str, Recorded]) -> Findings:
    """Return accuracy and utility per method and budget, and a figure of both."""
    from analysis.findings.several.studies import along

    ticks = [_label(case) for case in cases.values()]
    markets = [case.markets() for case in cases.values()]
    rows: list[Row] = []
    accuracy, utility = {}, {}
    for method in markets[-1]:
        figures = [[unit_figures(record, 0.0) for record in one[method]] for one in markets]
        free = [one["accuracy_best"] for one in figures[-1]]
        for tick, one, seen in zip(ticks, markets, figures, strict=True):
            row: Row = {"method": method, "epsilon": tick, "spent": _spent(one[method])}
            row |= over_seeds("accuracy_best", [s["accuracy_best"] for s in seen])
            row |= over_seeds("accuracy_lost", [f - s["accuracy_best"] for f, s in zip(free, seen, strict=True)])
            row |= over_seeds("utility_mean", [s["utility_mean"] for s in seen])
            rows.append(row | over_seeds("welfare", [s["welfare"] for s in seen]))
        accuracy[method] = 100.0 * np.array([[s["accuracy_best"] for s in seen] for seen in figures]).T
        utility[method] = np.array([[s["utility_mean"] for s in seen] for seen in figures]).T
    panels = {"best accuracy (%)": accuracy, "utility per client and round (money)": utility}
    figure = along(ticks, "epsilon: less is more private", panels)
    private = any(row["spent"] is not None for row in rows)
    fresh = ("The noise comes from secret keys: in a new folder it is another, and the numbers differ by it.",)
    return Findings(COLUMNS, rows, words(rows), (_COVERS, *(fresh if private else ())), {"privacy": figure})


def _label(case: Recorded) -> str:
    return f"{case.config.privacy.epsilon:g}" if case.config.privacy.epsilon else "none"


def _spent(records: Sequence[MarketRecord]) -> float | None:
    most = max(float(record.epsilon.max(initial=0.0)) for record in records)
    return most if most > 0 else None


def words(rows: Sequence[Row]) -> list[str]:
    """Say what the strictest and the loosest budget cost each method."""
    said = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        strict, loose, free = own[0], own[-2], own[-1]
        said.append(
            f"{method}: {percent(free['accuracy_best'])} and {number(free['utility_mean'])} a round without privacy; "
            f"epsilon {loose['epsilon']} costs {100 * loose['accuracy_lost']:.1f} points of accuracy (utility "
            f"{number(loose['utility_mean'])}), epsilon {strict['epsilon']} costs {100 * strict['accuracy_lost']:.1f} "
            f"(utility {number(strict['utility_mean'])})."
        )
        reached = [row["accuracy_best"] for row in own]
        if reached != sorted(reached):
            said.append(f"{method}: a looser budget does not always reach more here; compare over more seeds.")
    worst = max(rows, key=lambda row: row["accuracy_lost"])
    if worst["accuracy_lost"] > 0:
        said.append(
            f"Privacy costs most under {worst['method']} at epsilon {worst['epsilon']}: "
            f"{100 * worst['accuracy_lost']:.1f} points."
        )
    return said
