"""``marketproof strategic``: repeated play, and what it does to welfare."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from marketproof.commands.options import Json, Quiet, argument, option
from marketproof.terminal.console import stdout, table
from mechanism.errors import InputError, shown
from mechanism.wording import letters, number, ratio
from mechanism.writing import refuse_overwriting, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from marketproof.strategic_play.mechanism_play import Progress
    from marketproof.strategic_play.results import AgentRow, Played, RunPlayed, Welfare

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
        str, argument("MECHANISM|RUN", "An id of the catalogue, FILE.py:NAME (the file is executed), or a run folder.")
    ],
    clients: Annotated[int | None, option("M", "Number of agents; default the mechanism's own.")] = None,
    dynamics: Annotated[
        str | None, option("best-response|regret-matching|shading", "How it is played; default by mechanism.")
    ] = None,
    rounds: Annotated[
        int | None, option("R", "Rounds of play; default 60, 1000, or 40 (up to 400) by dynamics.")
    ] = None,
    profiles: Annotated[int | None, option("N", "True profiles drawn; default 200, 20 or 2000 by dynamics.")] = None,
    seed: Annotated[int, option(None, "Which profiles and reports are drawn.", "--seed", min=0)] = 0,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Load, play, write, show."""
    from marketproof.files.mechanism_files import file_of
    from marketproof.strategic_play.mechanism_play import DYNAMICS, check
    from marketproof.strategic_play.results import RunPlayed
    from marketproof.terminal.console import bar, counting
    from mechanism.catalogue import CATALOGUE
    from mechanism.own_code import is_file

    check(rounds, profiles)
    if dynamics is not None and dynamics not in DYNAMICS:
        raise InputError(f"--dynamics is {shown(dynamics)}; expected one of {', '.join(DYNAMICS)}")
    refuse_overwriting([json], [file_of(what)])
    with bar("rounds", quiet=quiet) as shown_bar:
        play = _run if what not in CATALOGUE and Path(what).is_dir() else _mechanism
        result = play(what, clients, dynamics, rounds, profiles, seed, counting(shown_bar, "rounds"))
    write_json(json, result.to_json())
    if isinstance(result, RunPlayed):
        _show_run(result, stdout(quiet=quiet))
    else:
        _show(result, stdout(quiet=quiet), executed=is_file(what))


def _run(
    what: str,
    clients: int | None,
    dynamics: str | None,
    rounds: int | None,
    profiles: int | None,
    seed: int,
    tell: Progress,
) -> RunPlayed:
    from marketproof.strategic_play.mechanism_play import ROUNDS
    from marketproof.strategic_play.run_play import play_run

    if dynamics not in (None, "best-response"):
        raise InputError(f"--dynamics is {shown(dynamics)}; a run is played by best-response only")
    for name, value in (("--clients", clients), ("--profiles", profiles)):
        if value is not None:
            raise InputError(f"{name} does not apply to a run, whose markets are recorded; leave it out")
    return play_run(Path(what), ROUNDS["best-response"] if rounds is None else rounds, seed, tell)


def _mechanism(
    what: str,
    clients: int | None,
    dynamics: str | None,
    rounds: int | None,
    profiles: int | None,
    seed: int,
    tell: Progress,
) -> Played:
    from marketproof.strategic_play.mechanism_play import default_dynamics, play_mechanism
    from marketproof.verifying import OURS, first_answers, load_within, time_limit
    from proofs_checks.evidence.verify import check_mechanism
    from proofs_checks.evidence_errors import OutOfTime

    source, mechanism = load_within(what, clients, _LOADING)
    with first_answers(source, _LOADING):
        check_mechanism(mechanism, seed)
    try:
        with source.explaining("fails when it is played"), time_limit(OURS if source.file is None else _PLAYING):
            how = default_dynamics(mechanism) if dynamics is None else dynamics
            return play_mechanism(what, mechanism, how, rounds=rounds, profiles=profiles, seed=seed, progress=tell)
    except OutOfTime:
        raise InputError(
            f"{shown(what)} was not played to the end within {_PLAYING:.0f} s; lower --rounds or --profiles"
        ) from None


_HOW = {
    "best-response": "best-response dynamics",
    "regret-matching": "regret matching",
    "shading": "strategies report = s(type)",
}


def _show(played: Played, console: Console, *, executed: bool) -> None:
    """Print the play of a mechanism: a table of agents, then welfare, then a sentence."""

    def cells(row: AgentRow) -> list[str]:
        before, after = (row.truth, row.report), (row.utility_truthful, row.utility)
        known = ["free" if row.known is None else number(row.known, 4)] if played.theory else []
        name = f"{row.role or ''} {letters(row.agent)}".strip()
        return [name, *(number(v, 4) for v in before), *known, *(number(v, 4) for v in after)]

    where = played.ends_at
    title = f"{played.mechanism}, {played.clients} agents, {_HOW[played.dynamics]}"
    if played.dynamics != "shading" and played.profiles > 1:
        title += f", means over {played.profiles} profiles"
    columns = (
        "agent",
        f"true {played.coordinate}" + (" (seller: cost)" if played.sides else ""),
        f"report {where}",
        *(["known equilibrium"] if played.theory else []),
        "utility if all are truthful",
        where,
    )
    console.print(table(title, columns, map(cells, played.agents)))
    console.print(_welfare(played.welfare, played.settling))
    if played.told_truthfully:
        others = ", ".join(played.told_truthfully)
        console.print(f"Chosen is the report of {played.coordinate} only; {others} as they are")
    paid = played.payments
    if paid.equilibrium is not None:
        told = f"truthful {number(paid.truthful, 4)}, {played.settling} {number(paid.equilibrium, 4)}"
        console.print(f"Paid to the centre: {told}")
    console.print(played.sentence)
    if executed:
        console.print("The file was executed.")


def _show_run(played: RunPlayed, console: Console) -> None:
    """Print the play of a recorded run, method by method."""
    columns = ("client", "utility if all are truthful", "best lie alone adds", "if all play", "honest among players")
    for name, method in played.methods.items():
        if method is None:
            console.print(f"{name}: nobody reports anything here, nothing can be played")
            continue
        sums = {**{str(k): row for k, row in enumerate(method.clients)}, "all": method.totals}
        rows = [(who, *(number(value, 4) for value in astuple(row))) for who, row in sums.items()]
        console.print(table(f"{name}: sums over {method.markets} markets", columns, rows))
        console.print(_welfare(method.welfare, "at equilibrium"))
        console.print(method.sentence)


def _welfare(welfare: Welfare | None, where: str) -> str:
    """Return welfare truthful, at equilibrium and optimal, and optimum / welfare of both, in one line."""
    if welfare is None:
        return "Welfare: the mechanism does not say what it is"
    text, apart = welfare.measure.capitalize(), welfare.unsettled
    if not welfare.games:
        return f"{text}: nothing settled, there is no equilibrium to tell it of"
    if apart is not None:
        text += f" where play settles ({welfare.games} of {welfare.games + apart.games})"
    text += f": truthful {number(welfare.truthful, 4)}, {where} {number(welfare.equilibrium, 4)}"
    price, honest = welfare.price_of_anarchy, welfare.price_truthful
    if price is None or honest is None:
        return f"{text}; optimal unknown (declare an optimum)"
    ratios = f"truthful {ratio(honest.value)}, {where} {ratio(price.value)}"
    if price.confidence is not None:
        ratios += f" ({ratio(price.low)} to {ratio(price.high)})"
    return f"{text}, optimal {number(welfare.optimal, 4)}; optimum over welfare: {ratios}"
