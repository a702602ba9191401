"""``marketproof study``: the paper's experiments."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from marketproof.cluster import HELP as CLUSTER
from marketproof.commands.options import Json, Quiet, argument, flag, option
from marketproof.terminal.console import show_fitted, stderr, stdout
from mechanism.writing import write_json

if TYPE_CHECKING:
    from marketproof.running.execution import Place

HELP = """Repeat an experiment of the paper: performance, robustness, poisoning, inclusive, liars, dropout or market.

Each is a set of ordinary runs in folders under DIR, and a table over all of them with words and figures. The same
command goes on where it was stopped; runs that are finished are kept."""

EPILOG = """Example: "marketproof study liars --task digits-niid --scale smoke" measures in under a minute what
reporting half or twice a cost, a size or a gain parameter earned under the paper's rule and under the repaired one.
"marketproof study robustness --scale reduced --seeds 5" runs attackers and free-riders beside honest clients.
"marketproof study performance --tasks all --seeds 5 --budget 60" trains the paper's eleven tasks for an hour."""


def study(
    name: Annotated[str, argument("NAME", "performance, robustness, poisoning, inclusive, liars, dropout or market.")],
    task: Annotated[
        str | None, option("T", "Task; default fashion-niid if its data is there, else digits-niid.")
    ] = None,
    tasks: Annotated[
        str | None, option("A,B|all", "Study performance over several tasks; all: the paper's 11.")
    ] = None,
    jobs: Annotated[int, option("N", "With --tasks: so many processes.", min=1, max=256)] = 1,
    budget: Annotated[
        float | None, option("MINUTES", "With --tasks: begin nothing after so many minutes.", min=0, max=1e6)
    ] = None,
    runs: Annotated[
        str | None, option("DIR,DIR", "Measure these finished runs; train nothing, or with --tasks what they have not.")
    ] = None,
    scale: Annotated[str | None, option("smoke|reduced|paper", "How long to train; default reduced.")] = None,
    seeds: Annotated[int | None, option("N", "Seeds S … S+N-1; default 3, at scale smoke 1.", min=1)] = None,
    seed: Annotated[int, option("S", "First seed.", min=0)] = 0,
    methods: Annotated[
        str | None, option("A,B/ID,…", "Methods, instead of the study's; a market's mechanism after a slash.")
    ] = None,
    out: Annotated[Path | None, option("DIR", "Folder; default studies/NAME-TASK-SCALE.", show_default=False)] = None,
    data_dir: Annotated[Path | None, option("DIR", "Folder with data sets; else MARKETPROOF_DATA.")] = None,
    backend: Annotated[str, option("auto|rows|pool", "Where local work runs; the numbers are the same.")] = "auto",
    device: Annotated[str, option("auto|cpu|cuda", "What it runs on.")] = "auto",
    cluster: Annotated[str | None, option("ADDRESS", CLUSTER)] = None,
    no_audit: Annotated[
        bool, flag("Search no lies in the single runs, and write no pages of them.", "--no-audit")
    ] = False,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Plan, run or go on, measure, write, show."""
    from marketproof.running.config import split_names
    from marketproof.running.execution import Place
    from marketproof.studies.carried_out import carried_out, measured_in
    from marketproof.studies.plan import of_records, plan_study
    from marketproof.terminal.run_view import SMOKE
    from mechanism.errors import InputError

    if runs is not None and tasks is None:
        folder = Path("studies") / f"{name}-records" if out is None else out
        recorded, cases = of_records(name, [Path(text) for text in split_names(runs)])
        done = measured_in(recorded, folder, cases, f"marketproof study {name} --runs {shlex.quote(runs)}")
        write_json(json, done.told)
        done.show(stdout(quiet=quiet))
        return
    named = None if methods is None else split_names(methods)
    if tasks is not None:
        if name != "performance" or task or cluster or backend not in ("auto", "rows"):
            raise InputError("--tasks is of study performance, without --task, --cluster, --backend (but --jobs N)")
        _over_tasks(
            split_names(tasks), out, Place("rows", device, data_dir), named,
            scale=scale, seed=seed, seeds=seeds, jobs=jobs, budget=budget, json=json, quiet=quiet,
            runs=[] if runs is None else [Path(text) for text in split_names(runs)],
        )  # fmt: skip
        return
    if jobs > 1 or budget is not None:
        raise InputError("--jobs and --budget share out the units of --tasks; name tasks, or drop them")
    plan = plan_study(name, task=task, scale=scale, seed=seed, seeds=seeds, methods=named, data_dir=data_dir)
    one = plan.first
    folder = Path("studies") / f"{name}-{Path(one.task).stem}-{one.scale}" if out is None else out
    again = ["marketproof", "study", name, "--task", one.task, "--scale", one.scale, "--seeds", str(one.seeds)]
    again += ["--seed", str(seed), *([] if methods is None else ["--methods", ",".join(one.methods)])]
    again += [] if cluster is None else ["--cluster", cluster]
    again += ["--no-audit"] if no_audit else []
    again += ["--out", str(folder), *([] if data_dir is None else ["--data-dir", str(data_dir)])]
    chosen = f"Task: {plan.chosen}."
    if sys.stderr.isatty():
        stderr(quiet=quiet).print(chosen)
    place = Place(backend, device, data_dir, audited=not no_audit, paged=not no_audit)
    done = carried_out(plan, folder, place, shlex.join(again), quiet=quiet, cluster=cluster)
    write_json(json, done.told)
    console = stdout(quiet=quiet)
    console.print(chosen)
    done.show(console)
    if one.scale == "smoke":
        console.print(SMOKE)


def _over_tasks(
    tasks: list[str],
    out: Path | None,
    place: Place,
    methods: list[str] | None,
    *,
    scale: str | None,
    seed: int,
    seeds: int | None,
    jobs: int,
    budget: float | None,
    json: Path | None,
    quiet: bool,
    runs: Sequence[Path],
) -> None:
    """Train the units that are missing, also in finished ``runs``; write what is there, and say what is left."""
    from marketproof.studies.comparison import SHOWN, as_json, crossed, plan_units, write_comparison
    from marketproof.studies.plan import SMOKE_SEEDS, USUAL_SEEDS
    from marketproof.studies.taken_over import take_over
    from marketproof.studies.units import train_all
    from mechanism.errors import shown

    count = seeds or (SMOKE_SEEDS if scale == "smoke" else USUAL_SEEDS)
    folder = Path("studies") / f"performance-tasks-{scale or 'reduced'}" if out is None else out
    units = plan_units(tasks, folder, scale=scale, seed=seed, seeds=count, methods=methods)
    words = ["marketproof", "study", "performance", "--tasks", ",".join(tasks), "--scale", units.first.scale]
    words += ["--seeds", str(count), *([] if not seed else ["--seed", str(seed)])]
    words += [] if methods is None else ["--methods", ",".join(methods)]
    again = [*words, "--out", str(folder), *([] if place.data_dir is None else ["--data-dir", str(place.data_dir)])]
    again += ["--jobs", str(jobs), *([] if budget is None else ["--budget", f"{budget:g}"])]
    seconds = None if budget is None else 60.0 * budget

    ours = False  # whether the folder is this study's, with these settings and nobody else at work there

    def before() -> None:
        nonlocal ours
        ours = True
        for run in runs:
            take_over(units, run)

    try:
        train_all(units, place, shlex.join(again), budget=seconds, jobs=jobs, before=before, quiet=quiet)
    finally:  # also of what was stopped, or could be trained beside what could not
        told = as_json(units, units.trained() if ours else [], shlex.join(words))
        if told["units"]:
            write_comparison(told, folder)
    write_json(json, told)
    console = stdout(quiet=quiet)
    for column in SHOWN:
        heads, cells = crossed(told, column)
        if tables := heads[1:]:
            title = column.head.capitalize()
            show_fitted(console, title, heads, cells, dispensable=tables[::-1], elsewhere="performance.md")
    if missing := told["planned"] - len(told["units"]):
        left = "" if told["seconds_left"] is None else f", about {told['seconds_left'] / jobs / 60:.0f} minutes"
        there = f"{len(told['units'])} of {told['planned']} units are there, {missing} left{left}"
        console.print(f"{there}; go on with: {shlex.join(again)}")
    console.print(f"Written to {shown(folder)}: performance.json, .csv and .md, and the records of the units")
