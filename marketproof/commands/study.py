"""``marketproof study``: the paper's experiments."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from marketproof.cluster import HELP as CLUSTER
from marketproof.commands.options import Json, Quiet
from marketproof.terminal.console import stderr, stdout
from mechanism.writing import write_json

HELP = """Repeat an experiment of the paper: performance, robustness, poisoning, inclusive, liars or dropout.

Each is a set of ordinary runs in folders under DIR, and a table over all of them with words and figures. The same
command goes on where it was stopped; runs that are finished are kept."""

EPILOG = """Example: "marketproof study liars --task digits-niid --scale smoke" measures in under a minute what
reporting half or twice a cost, a size or a gain parameter earned under the paper's rule and under the repaired one.
"marketproof study robustness --scale reduced --seeds 5" runs attackers and free-riders beside honest clients."""


def study(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="performance, robustness, poisoning, inclusive, liars or dropout.")
    ],
    task: Annotated[
        str | None, typer.Option(metavar="T", help="Task; default fashion-niid if its data is there, else digits-niid.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option(metavar="smoke|reduced|paper", help="How long to train; default reduced.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Seeds S … S+N-1; default 3, at scale smoke 1.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="First seed.")] = 0,
    methods: Annotated[
        str | None,
        typer.Option(metavar="A,B/ID,…", help="Methods, instead of the study's; a market's mechanism after a slash."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; default studies/NAME-TASK-SCALE.", show_default=False)
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with data sets; else MARKETPROOF_DATA.")
    ] = None,
    backend: Annotated[
        str, typer.Option(metavar="auto|rows|pool", help="Where local work runs; the numbers are the same.")
    ] = "auto",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="What it runs on.")] = "auto",
    cluster: Annotated[str | None, typer.Option(metavar="ADDRESS", help=CLUSTER)] = None,
    no_audit: Annotated[
        bool, typer.Option("--no-audit", help="Search no lies in the single runs, and write no pages of them.")
    ] = False,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Plan, run or go on, measure, write, show."""
    from marketproof.running.config import split_names
    from marketproof.running.execution import Place
    from marketproof.studies.carried_out import carried_out
    from marketproof.studies.plan import plan_study
    from marketproof.terminal.run_view import SMOKE

    named = None if methods is None else split_names(methods)
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
