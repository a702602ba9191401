"""``marketproof serve``: the server of a federation."""

from pathlib import Path
from typing import Annotated, Any

import typer

from marketproof.commands.options import Json, Quiet
from marketproof.commands.run import default_folder, settings
from marketproof.terminal.console import stderr, stdout
from mechanism.writing import write_json

HELP = """Serve a federation: clients on machines of their own train, this server clears the market between them.

CONFIG is a task, as in run. All clients that are registered ("marketproof keys"), and those of --expect, may take part;
the server waits for the registered ones, but no longer than --wait once --least are there. Who comes later takes part
from the next round. It keeps rounds, market, ledger and audit, and sees models, reports and losses, never samples. A
server that was killed goes on with --resume --out DIR."""

EPILOG = """Example: "marketproof keys server markets.example.org", "marketproof keys register alice.crt", the same for
bob.crt, then "marketproof serve digits-niid --out runs/federation". Guide: docs/guide/federation.md."""


def serve(
    config: Annotated[str | None, typer.Argument(metavar="CONFIG", help="A task by name, or a TOML file.")] = None,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = "0.0.0.0:8443",
    keys: Annotated[Path, typer.Option(metavar="DIR", help="Folder that 'marketproof keys' filled.")] = Path(
        "federation"
    ),
    via: Annotated[str, typer.Option(metavar="https|flower", help="What carries messages.")] = "https",
    deadline: Annotated[
        float, typer.Option(min=0.1, max=1e6, metavar="SECONDS", help="How long clients have for one answer.")
    ] = 600.0,
    least: Annotated[int, typer.Option(min=2, metavar="N", help="Clients with which a run begins at least.")] = 2,
    wait: Annotated[
        float,
        typer.Option(min=0, max=1e7, metavar="SECONDS", help="Then, how long to wait for others."),
    ] = 600.0,
    expect: Annotated[
        str | None, typer.Option(metavar="NAME,…", help="Names whose keys may be registered while the run goes on.")
    ] = None,
    page: Annotated[
        str | None, typer.Option(metavar="[HOST:]PORT", help="Show rounds on a page here; on this machine unless said.")
    ] = None,
    methods: Annotated[str | None, typer.Option(metavar="a,b/ID,…", help="As in run; default as there.")] = None,
    mechanism: Annotated[str | None, typer.Option(metavar="ID", help="Mechanism of methods without one.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, metavar="R", help="Rounds of the market.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="S", help="Local steps in a round.")] = None,
    scale: Annotated[str | None, typer.Option(metavar="smoke|reduced|paper", help="How long to train.")] = None,
    dp_epsilon: Annotated[float | None, typer.Option(min=0, metavar="E", help="Privacy budget of each client.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, metavar="S", help="First seed; default 0.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, metavar="N", help="Seeds S … S+N-1; default 1.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Run folder; default runs/TASK-TIME.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out DIR.")] = False,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Resolve the settings, serve, write, show."""
    from marketproof.federation.address import address
    from marketproof.federation.serve import Site, joined
    from marketproof.federation.serve import serve as serve_all
    from marketproof.running.recorder import CONFIG, recorded_config
    from marketproof.terminal.run_view import show_run

    options: dict[str, Any] = {
        "methods": methods, "mechanism": mechanism, "rounds": rounds, "steps": steps, "scale": scale, "seed": seed,
        "seeds": seeds, "dp_epsilon": dp_epsilon, "population": None,
    }  # fmt: skip
    shown_on = None if page is None else address(page if ":" in page else f"127.0.0.1:{page}")
    site = Site(*address(listen), keys, via, deadline, least, wait, shown_on)
    going_on = resume and out is not None and (out / CONFIG).is_file()
    if going_on and out is not None:
        chosen = recorded_config(out)
    else:
        chosen, _ = settings(config or "digits-niid", options, out, resume=resume)
        expected = [name.strip() for name in (expect or "").split(",") if name.strip()]
        chosen = joined(chosen, keys, expected)
    folder = default_folder(chosen.task) if out is None else out
    console = stderr(quiet=quiet)
    done = serve_all(
        chosen, folder, site, resume=going_on, quiet=True, tell=lambda line: console.print(line, soft_wrap=True)
    )
    write_json(json, {"folder": str(done.folder), **done.summary.as_json(), "audit": done.audit.as_json()})
    show_run(done.summary, done.audit, done.folder, done.report, stdout(quiet=quiet), scale=chosen.scale)
