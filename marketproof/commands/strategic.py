"""``marketproof strategic``: repeated play, and what it does to welfare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketproof.commands.options import Json, Quiet, write_json
from marketproof.errors import InputError, shown
from marketproof.files.atomic import refuse_overwriting
from marketproof.terminal.console import stdout

if TYPE_CHECKING:
    from marketproof.strategic_play.strategic import Progress


HELP = """Play a mechanism repeatedly: what people come to report, and what that does to welfare.

MECHANISM is an id of "marketproof list mechanisms", or FILE.py:NAME for your own; the file is then EXECUTED. Auctions
over one private number are played in strategies report = s(type) (--dynamics shading), markets in reported costs by
best responses. RUN is a folder that "marketproof run" wrote: told is what each client would have earned by its best lie
about its cost, and what honest ones would have lost when all lie.

The price of anarchy, optimum over welfare, is told of games that settle alone, at the equilibrium reached from the
truth; beside it the ratio if all are truthful, which is what the rule itself loses, and the worst equilibrium found
from random starts too. A worse one may exist. Games that circle are told apart (--json: welfare.unsettled; the other
keys of welfare, and payments, are of the games that settle). The interval resamples true profiles, of a run its seeds;
there is none below 10 of them."""

EPILOG = """Example: "marketproof strategic first-price --clients 3" finds that bidders report two thirds of their
value, and how far that is from the textbook; "marketproof strategic ipfl --clients 5" that sellers understate their
costs, "marketproof strategic ipfl-exact" that nobody does; "marketproof strategic runs/digits-niid-20260101-120000"
plays a recorded run."""

_LOADING, _PLAYING = 20.0, 120.0  # seconds that a user's own file may take


def strategic(
    what: Annotated[
        str,
        typer.Argument(
            metavar="MECHANISM|RUN",
            help="An id of the catalogue, FILE.py:NAME (the file is executed), or a run folder.",
        ),
    ],
    clients: Annotated[
        int | None, typer.Option(metavar="M", help="Number of agents; default the mechanism's own.")
    ] = None,
    dynamics: Annotated[
        str | None,
        typer.Option(metavar="best-response|regret-matching|shading", help="How it is played; default by mechanism."),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(metavar="R", help="Rounds of play; default 60, 1000, or 40 (up to 400) by dynamics.")
    ] = None,
    profiles: Annotated[
        int | None, typer.Option(metavar="N", help="True profiles drawn; default 200, 20 or 2000 by dynamics.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which profiles and reports are drawn.")] = 0,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Load, play, write, show."""
    from marketproof.files.mechanism_files import file_of, is_file
    from marketproof.strategic_play.strategic import DYNAMICS, check
    from marketproof.strategic_play.strategic_view import show, show_run
    from marketproof.terminal.progress import bar, counting

    check(rounds, profiles)
    if dynamics is not None and dynamics not in DYNAMICS:
        raise InputError(f"--dynamics is {shown(dynamics)}; expected one of {', '.join(DYNAMICS)}")
    refuse_overwriting([json], [file_of(what)])
    recorded = _is_run(what)
    with bar("rounds", quiet=quiet) as shown_bar:
        tell = counting(shown_bar, "rounds")
        if recorded:
            result = _run(what, clients, dynamics, rounds, profiles, seed, tell)
        else:
            result = _mechanism(what, clients, dynamics, rounds, profiles, seed, tell)
    write_json(json, result)
    (show_run if recorded else show)(result, stdout(quiet=quiet))
    if is_file(what) and not recorded:
        stdout(quiet=quiet).print("The file was executed.")


def _is_run(what: str) -> bool:
    from mechanism.catalogue import CATALOGUE

    return what not in CATALOGUE and Path(what).is_dir()


def _run(
    what: str,
    clients: int | None,
    dynamics: str | None,
    rounds: int | None,
    profiles: int | None,
    seed: int,
    tell: Progress,
) -> dict[str, Any]:
    from marketproof.strategic_play.strategic import ROUNDS
    from marketproof.strategic_play.strategic_run import play_run

    if dynamics not in (None, "best-response"):
        raise InputError(f"--dynamics is {shown(dynamics)}; a run is played by best-response only")
    for option, value in (("--clients", clients), ("--profiles", profiles)):
        if value is not None:
            raise InputError(f"{option} does not apply to a run, whose markets are recorded; leave it out")
    return play_run(Path(what), ROUNDS["best-response"] if rounds is None else rounds, seed, tell)


def _mechanism(
    what: str,
    clients: int | None,
    dynamics: str | None,
    rounds: int | None,
    profiles: int | None,
    seed: int,
    tell: Progress,
) -> dict[str, Any]:
    from marketproof.files.time_limit import OutOfTime, time_limit
    from marketproof.strategic_play.strategic import default_dynamics, play_mechanism
    from marketproof.verifying import OURS, first_answers, load_within
    from proofs_checks.evidence.verify import check_mechanism

    source, mechanism = load_within(what, clients, _LOADING)
    with first_answers(source, _LOADING):
        check_mechanism(mechanism, seed)
    try:
        with source.blamed("fails when it is played"), time_limit(OURS if source.file is None else _PLAYING):
            how = default_dynamics(mechanism) if dynamics is None else dynamics
            return play_mechanism(what, mechanism, how, rounds=rounds, profiles=profiles, seed=seed, progress=tell)
    except OutOfTime:
        raise InputError(
            f"{shown(what)} was not played to the end within {_PLAYING:.0f} s; lower --rounds or --profiles"
        ) from None
