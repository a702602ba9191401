"""``marketproof join``: a client of a federation."""

from pathlib import Path
from typing import Annotated

import typer

from marketproof.commands.options import FixedSeed, Json, Quiet
from marketproof.terminal.console import stderr
from mechanism.errors import InputError, shown
from mechanism.market.clients import LARGEST
from mechanism.own_code import is_file
from mechanism.writing import refuse_unwritable_file, write_json

HELP = """Take part in a federation with data of your own: train here, trade models there, never send a sample.

COST (of each model that you hand out) and GAIN (K, what good models are worth to you) are your reports to the market;
with a truthful rule it pays to say what is so. Each round you get your own bill and audit, nobody else's report."""

EPILOG = """Example: "marketproof keys new alice", send alice.crt to the server's owner, get server.crt, then
"marketproof join --server markets.example.org --data mine.npz --cost 0.6 --gain 15000 --key alice.key"."""


def join(
    server: Annotated[str, typer.Option(metavar="HOST[:PORT]", help="The server; port 8443 unless said.")],
    key: Annotated[Path, typer.Option(metavar="NAME.key", help="Your key, its certificate beside it.")],
    cost: Annotated[float, typer.Option(min=0, max=LARGEST, metavar="C", help="Cost of a model handed out, money.")],
    gain: Annotated[float, typer.Option(min=0, max=LARGEST, metavar="K", help="Your gain parameter, money.")],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Samples of your own: a table, .npz, folder CLASS/, FILE.py:NAME; or a folder of public data sets.",
        ),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The server's certificate; default server.crt beside the key.")
    ] = None,
    via: Annotated[str, typer.Option(metavar="https|flower", help="What carries messages; as the server's.")] = "https",
    patience: Annotated[
        float, typer.Option(min=0, max=1e7, metavar="SECONDS", help="How long to wait for a server that is away.")
    ] = 600.0,
    dp_epsilon: Annotated[
        float | None, typer.Option(min=0, metavar="E", help="Take part only in runs that are private up to this.")
    ] = None,
    base_model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Your copy of the language model that a run adapts.")
    ] = None,
    audit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where your audit goes; default NAME.audit.json beside the key.")
    ] = None,
    models: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the model that you use now goes, after each round.")
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, metavar="R", help="Take part only in runs of up to so many rounds.")
    ] = 100_000,
    hours: Annotated[
        float, typer.Option(min=0.001, max=1e6, metavar="H", help="Leave after so many hours, come what may.")
    ] = 720.0,
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Join, and say what each round brought."""
    from learning.federation.loading import Wishes
    from marketproof.federation.address import address
    from marketproof.federation.join import Door
    from marketproof.federation.join import join as take_part

    place = audit or key.with_name(f"{key.stem}.audit.json")
    refuse_unwritable_file(json)
    refuse_unwritable_file(place)
    if models is not None:
        refuse_unwritable_file(models / "model.safetensors")
    if data is not None and not data.exists() and not is_file(str(data)):
        raise InputError(f"{shown(data)} is not there; name your samples, or a folder of public data sets")
    door = Door(*address(server), certificate or key.with_name("server.crt"), key, via, patience)
    console = stderr(quiet=quiet)
    wishes = Wishes(dp_epsilon, rounds, "" if base_model is None else str(base_model))
    papers = take_part(door, data, cost, gain, lambda line: console.print(line, soft_wrap=True), wishes, hours, models)
    write_json(json, {"bills": papers.bills, "audits": papers.audits})
    write_json(place if papers.audits else None, {"audits": papers.audits})
    kept = f"; your audit is in {shown(place)}" if papers.audits else ""
    console.print(f"the federation is over after {len(papers.bills)} bills{kept}", soft_wrap=True)
