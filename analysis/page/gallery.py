"""Everything that is drawn of one run, by name, drawn when it is asked for: for the report and for export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from analysis import comparing, figures, metrics, people, rule_figures, tables
from analysis.drawn import Drawn
from analysis.lies import LieCurve, lie_curves
from analysis.metrics import Optimum
from analysis.page.export import export, write_text
from analysis.regions import AllocationRegions, all_regions
from analysis.regret import RegretMap, regret_map
from analysis.run.files import RecordError
from analysis.run.records import Run
from analysis.tables import Table
from analysis.verdicts import RuleVerdict, verdicts


@dataclass(frozen=True, eq=False)
class Facts:
    """A run and what is computed from it for more than one figure or sentence; each computed once, when first used."""

    run: Run

    @cached_property
    def optimum(self) -> Optimum:
        """Objective and optimum of every method."""
        return metrics.optimum(self.run)

    @cached_property
    def curves(self) -> tuple[LieCurve, ...]:
        """A lie curve per method with a market."""
        return lie_curves(self.run)

    @cached_property
    def regrets(self) -> tuple[RegretMap, ...]:
        """The regret of the clients of the lie curves."""
        return tuple(regret_map(self.run, curve) for curve in self.curves)

    @cached_property
    def regions(self) -> tuple[AllocationRegions, ...]:
        """What every rule of the run buys at other costs."""
        return all_regions(self.run)

    @cached_property
    def verdicts(self) -> tuple[RuleVerdict, ...]:
        """What is known of every rule of the run, for every market."""
        rules = dict.fromkeys(str(self.run.mechanisms[name]) for name in self.run.markets)
        return tuple(verdict for rule in rules for verdict in verdicts(rule))


def gallery(facts: Facts) -> dict[str, Callable[[], Drawn]]:
    """Return the figures of a run by the names of their files; each is drawn when called."""
    run = facts.run
    found: dict[str, Callable[[], Drawn]] = {
        "accuracy-and-utility": lambda: figures.accuracy_and_utility(run),
        "waterline": lambda: figures.waterlines(run),
        "welfare": lambda: figures.welfare_taken_apart(run),
        "optimum": lambda: figures.against_optimum(run),
        "lorenz": lambda: figures.lorenz(run),
        "rounds": lambda: figures.over_rounds(run),
        "imports": lambda: figures.who_learns_from_whom(run),
    }
    if len(people.roles(run)) > 1:
        found["roles"] = lambda: figures.by_role(run)
    if not people.everybody_stays(run):
        found["attendance"] = lambda: figures.attendance(run)
    for name in run.markets:
        found[f"money-{run.methods.index(name)}"] = lambda name=name: figures.money(run, name)  # type: ignore[misc]
    if facts.curves:
        found["lie-curve"] = lambda: figures.lie_panels(facts.curves)
        found["regret"] = lambda: rule_figures.regret_panels(facts.regrets)
    if facts.regions:
        found["regions"] = lambda: rule_figures.region_panels(facts.regions)
    if facts.verdicts:
        found["verdicts"] = lambda: rule_figures.verdict_marks(facts.verdicts)
    return found


def export_runs(runs: Sequence[Run], folder: Path, names: Sequence[str] = ()) -> tuple[Path, ...]:
    """Write the figures of runs as SVG, PNG, CSV and LaTeX, and their tables as CSV and LaTeX; returns the paths.

    A figure's CSV holds every number that is drawn, its LaTeX the table that stands under it in the report.
    With several runs each has a folder of its own, ``1-NAME``, ``2-NAME``, …, and the comparison is beside them.
    ``names``: only these figures (default: all, and the tables).

    Raises
    ------
    RecordError
        If a name is none of a figure, or the folder cannot be written.
    """
    known = [gallery(Facts(run)) for run in runs]
    every = dict.fromkeys(name for one in known for name in one)
    if len(runs) > 1:
        every |= {"compared": None}
    for name in names:
        if name not in every:
            raise RecordError(f"there is no figure {name!r:.60} of these runs; expected one of {', '.join(every)}")
    written: list[Path] = []
    for k, (run, drawings) in enumerate(zip(runs, known, strict=True), start=1):
        place = folder if len(runs) == 1 else folder / f"{k}-{run.path.resolve().name}"
        for name, draw in drawings.items():
            if not names or name in names:
                drawn = draw()
                written += export(drawn.figure, drawn.table, place / name, drawn=drawn.numbers)
        if not names:
            written += _tables({"methods": tables.methods_table(run), "theory": tables.theory_table(run)}, place)
    if len(runs) > 1 and (not names or "compared" in names):
        drawn = comparing.side_by_side(runs)
        written += export(drawn.figure, drawn.table, folder / "compared", drawn=drawn.numbers)
    if len(runs) > 1 and not names:
        written += _tables({"differing": comparing.differing(runs), "runs": tables.compared_table(runs)}, folder)
    return tuple(written)


def _tables(found: dict[str, Table | None], folder: Path) -> list[Path]:
    written = []
    for name, table in found.items():
        if table is not None:
            written.append(write_text(folder / f"{name}.csv", table.to_csv()))
            written.append(write_text(folder / f"{name}.tex", table.to_latex()))
    return written
