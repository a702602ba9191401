"""``marketproof run``: train, clear, account, audit, record, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketproof.commands.options import Json, Quiet, dumps

if TYPE_CHECKING:
    from marketproof.running.config import RunConfig
    from marketproof.running.execution import Place


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("run", help=HELP, epilog=EPILOG)(run)


HELP = """Train clients on a task, let a market decide who imports whose model at what price, and audit every promise.

Writes a run folder: what each client gained, paid and received in every round, the audit, the models, and report.html.
An interrupted run goes on with --resume --out DIR."""

EPILOG = """Example: "marketproof run --scale smoke" takes seconds and only shows that everything runs; without --scale
it trains enough for accuracies to mean something. It compares training alone (local), plain averaging (fedavg), the
paper's market (ipfl/ipfl) and the repaired one (ipfl/ipfl-exact) on handwritten digits: look at the last column, the
most that a client could gain by lying about its cost.

"marketproof run fashion-niid --methods ipfl --mechanism exact-marginal --seeds 3" runs one method under three seeds."""


def run(
    task: Annotated[
        str | None, typer.Argument(metavar="[TASK]", help="Name from 'marketproof list tasks', or a .toml file.")
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(metavar="A,B/ID,…", help="Methods, a market's mechanism after a slash.", show_default=False),
    ] = None,
    mechanism: Annotated[
        str | None, typer.Option(metavar="ID", help="Mechanism of methods that name none; default ipfl-exact.")
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=1, metavar="R", help="Rounds, instead of the scale's.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="S", help="Local steps a round, likewise.")] = None,
    clients: Annotated[int | None, typer.Option(min=2, metavar="M", help="Clients, instead of the task's.")] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="smoke|reduced|paper", help="How long to train; default reduced. At smoke accuracies mean nothing."
        ),
    ] = None,
    population: Annotated[
        str | None,
        typer.Option(
            metavar="P",
            help="Who takes part: see 'marketproof list populations'. inclusive also changes the task: clients, "
            "split.beta, market.lam, market.eta and market.gain (× 100).",
        ),
    ] = None,
    valuation: Annotated[
        str | None, typer.Option(metavar="size|measured|fitted", help="What models are worth; default size.")
    ] = None,
    dp_epsilon: Annotated[
        float | None, typer.Option(min=0, metavar="E", help="Train each client with differential privacy, at most E.")
    ] = None,
    dp_noise: Annotated[
        float | None, typer.Option(min=0, metavar="Z", help="Noise multiplier, instead of the one that fits E.")
    ] = None,
    dp_report: Annotated[
        bool, typer.Option("--dp-report", help="Run at epsilon 1, 2, 4, 8 and without privacy, and compare.")
    ] = False,
    base_model: Annotated[
        str | None, typer.Option(metavar="NAME|DIR", help="Language model: tiny, smollm2, or a folder.")
    ] = None,
    backend: Annotated[
        str,
        typer.Option(
            metavar="auto|rows|pool|stacked",
            help="Where local work runs; stacked gives other last bits, the others the same numbers.",
        ),
    ] = "auto",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="What it runs on.")] = "auto",
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with data sets; else MARKETPROOF_DATA.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, metavar="S", help="First seed; default 0.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, metavar="N", help="Seeds S … S+N-1; default 1.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Run folder, new or empty; default runs/TASK-TIME.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out DIR.")] = False,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Resolve the settings, run, write, show."""
    from marketproof.commands.run_settings import default_folder, settings
    from marketproof.files.atomic import write_all
    from marketproof.running.execution import Place
    from marketproof.running.execution import run as run_all
    from marketproof.running.recorder import refuse_unwritable_file
    from marketproof.terminal.console import stdout
    from marketproof.terminal.run_view import show_run

    options: dict[str, Any] = {
        "methods": methods, "mechanism": mechanism, "rounds": rounds, "steps": steps, "clients": clients,
        "scale": scale, "seed": seed, "seeds": seeds, "population": population, "valuation": valuation,
        "dp_epsilon": dp_epsilon, "dp_noise": dp_noise, "base_model": base_model,
    }  # fmt: skip
    config, resuming = settings(task, options, out, resume=resume)
    folder = default_folder(config.task) if out is None else out
    place = Place(backend, device, data_dir)
    refuse_unwritable_file(json)
    if dp_report:
        _compare_budgets(config, folder, place, json, quiet)
        return
    done = run_all(config, folder, place, resume=resuming, quiet=quiet)
    if json is not None:
        write_all({json: dumps({"folder": str(done.folder), **done.summary, "audit": done.audit})})
    show_run(done.summary, done.audit, done.folder, done.report, stdout(quiet=quiet), scale=config.scale)


def _compare_budgets(config: RunConfig, folder: Path, place: Place, json: Path | None, quiet: bool) -> None:
    """Run at several privacy budgets and show what each costs; the same command with the same --out goes on."""
    from marketproof.files.atomic import write_all
    from marketproof.studies.privacy_report import price_of_privacy
    from marketproof.terminal.console import stdout

    price = price_of_privacy(config, folder, place, f"the same command with --out {folder}", quiet=quiet)
    if json is not None:
        write_all({json: dumps(price.told)})
    price.show(stdout(quiet=quiet))
