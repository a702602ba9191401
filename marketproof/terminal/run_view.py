"""What a run shows: a bar while it goes, and at the end one table that needs no other page to be read."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from analysis.findings.optimum import share_of_optimum
from analysis.findings.rules.trade import who_was_paid
from analysis.run.market import MarketRecord
from analysis.run.results import Audit, MethodAudit, Summary
from marketproof.running.privacy import privacy_lines
from marketproof.running.recorder import Unit
from marketproof.terminal.console import show_fitted, spread, stderr
from mechanism.errors import one_line, shown
from mechanism.wording import number, percent

COLUMNS = (
    "method", "best accuracy", "final accuracy", "utility per round", "welfare", "of optimum", "lowest utility",
    "best lie",
)  # fmt: skip
DISPENSABLE = ("welfare", "final accuracy", "lowest utility", "of optimum", "utility per round", "best accuracy")
"""Columns that a narrow terminal goes without, least important first."""

LEGEND = (
    "best accuracy: each client's best round on its own label mix, mean over honest clients",
    "utility per round: money, mean over honest clients and rounds · welfare: sum of everybody's utilities",
    "of optimum: share of the best objective, which is welfare less penalties; below 0: worse than no trade at all; "
    "-: no trade is best",
    "lowest utility: of any client in any round, below 0 somebody loses",
    "best lie: most that a client could gain in a round by a false cost (-: nobody reports; skipped: see below)",
)
"""What the columns of the last table mean."""

SMOKE = "Scale smoke only shows that everything runs: after so little training accuracies mean nothing."
"""Said under every result at scale smoke."""

_learning = logging.getLogger("learning")


class _Echo(logging.Handler):
    """Shows what learning says that it is doing, such as choosing the noise of a private run."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        """Show one message."""
        self._show(record.getMessage())


class Bar:
    """A progress bar over all rounds of all units, with accuracy and utility of the last one; for terminals only."""

    def __init__(self, rounds: int, units: int, done: int, *, quiet: bool) -> None:
        self.where = "before the first round"
        self._rounds = rounds
        console = stderr(quiet=quiet)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=10),
            TimeElapsedColumn(),
            TextColumn("{task.fields[last]}"),
            console=console,
            disable=quiet or not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=rounds * units, completed=done, last="")

    def __enter__(self) -> Self:
        self._progress.start()
        self._level, self._echo = _learning.level, _Echo(self.stage)
        _learning.addHandler(self._echo)
        _learning.setLevel(logging.INFO)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _learning.removeHandler(self._echo)
        _learning.setLevel(self._level)
        self._progress.stop()

    def round(self, unit: Unit, done: int, record: MarketRecord, notices: Sequence[str] = ()) -> None:
        """Show a round that is complete."""
        self.where = f"after round {done} of {self._rounds} of {unit.method.name}, seed {unit.seed}"
        for line in notices:
            self._progress.console.print(f"{unit.method.name}, seed {unit.seed}: {line}", soft_wrap=True)
        accuracy, money_each = float(record.accuracy.mean()), float(record.accounts.utility.mean())
        self._progress.update(
            self._task,
            advance=1,
            description=f"{unit.method.name} seed {unit.seed} {done}/{self._rounds}",
            last=f"accuracy {percent(accuracy)} · utility {number(money_each, 4)}",
        )

    def stage(self, what: str) -> None:
        """Show what is being done besides rounds."""
        self._progress.update(self._task, description=what)


def show_run(
    summary: Summary,
    audit: Audit,
    folder: Path,
    report: Path,
    console: Console,
    *,
    scale: str = "",
) -> None:
    """Print the comparison of the methods, what its columns mean, what the audit found, and where to read on."""
    rows = [_row(name, figures, audit.methods[name]) for name, figures in summary.methods.items()]
    seeds = summary.seeds
    over = f"seed {seeds[0]}" if len(seeds) == 1 else f"means over {len(seeds)} seeds ± sample deviation"
    show_fitted(
        console,
        f"{summary.task}, {over}",
        COLUMNS,
        rows,
        dispensable=DISPENSABLE,
        elsewhere="summary.json, audit.json",
    )
    for line in LEGEND:
        console.print(line)
    if paid := who_was_paid(summary.methods, [name for name in summary.methods if audit.methods[name].mechanism]):
        console.print(paid)
    attacked = {name: told["attack_success"] for name, told in summary.methods.items() if "attack_success" in told}
    if works := ", ".join(f"{name} {percent(share)}" for name, share in attacked.items()):
        console.print(f"Honest clients' models answer the backdoor's trigger as attackers want, at the end: {works}.")
    if summary.names:
        console.print(f"Clients: {', '.join(f'{k} {one_line(name)}' for k, name in enumerate(summary.names))}")
    if scale == "smoke":
        console.print(SMOKE)
    for name, told in audit.methods.items():
        if told.skipped is not None:
            console.print(f"{name}: {told.skipped}")
        for coordinate, lie in told.lies.items():
            if coordinate == "cost" or lie.witness is not None:
                console.print(f"{name}: {lie.sentence}")
    for line in privacy_lines(summary.privacy) if summary.privacy else ():
        console.print(line)
    console.print(f"Scope: {audit.scope}")
    console.print(f"Record: {shown(folder)} · report: {shown(report)}", soft_wrap=True)


def _row(name: str, figures: Mapping[str, float], told: MethodAudit) -> Sequence[str]:
    def amount(key: str) -> str:
        return spread(number(figures[key], 4), figures.get(f"{key}_std"))

    def share(key: str) -> str:
        std = figures.get(f"{key}_std")
        return percent(figures[key]) + ("" if std is None else f" ± {percent(std)}")

    of_best, lie = float(share_of_optimum(told.objective, told.optimal_objective)), told.lies.get("cost")
    return (
        name,
        share("accuracy_best"),
        share("accuracy_final"),
        amount("utility_mean"),
        amount("welfare"),
        "-" if math.isnan(of_best) else percent(of_best, 2),
        number(told.lowest_utility["client"], 4),
        number(lie.gain, 4) if lie is not None else "skipped" if told.skipped else "-",
    )
