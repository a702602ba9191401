"""``marketproof play``: the playground and the lessons, in the browser."""

from pathlib import Path
from typing import Annotated

from marketproof.commands.options import FixedSeed, Quiet, argument, flag, option
from marketproof.terminal.console import stdout
from mechanism.errors import InputError, shown
from mechanism.writing import write_all

HELP = r"""Open the playground in the browser: set up clients, drag a report, switch the rule, look for a lie.

--run starts it with a recorded clearing: its types, its differences, its λ.
LESSON opens a lesson instead: second_price, revelation, vcg, myerson, myerson_satterthwaite, model_market or
understated_cost, each with a figure to drag and an exercise; "lessons" a page with all of them. The server listens on
this machine only and needs no network; Ctrl-C ends it. What is typed into an exercise is EXECUTED on this machine.
Needs marimo: pip install 'marketproof\[play]'."""

EPILOG = """Example: "marketproof play", "marketproof play --run runs/NAME" or "marketproof play second_price";
"marketproof play vcg --export vcg.html" writes the lesson as a page that needs nothing else."""


def play(
    lesson: Annotated[
        str | None, argument("[LESSON]", "A lesson by its name, or lessons; default the playground.")
    ] = None,
    run: Annotated[Path | None, option("RUN", "Run folder that the playground starts with.", "--run")] = None,
    port: Annotated[
        int | None, option("P", "Port; default 2718, or any free one if it is taken.", "--port", min=0, max=65535)
    ] = None,
    browser: Annotated[bool, flag("Open a browser.", "--browser/--no-browser")] = True,
    export: Annotated[Path | None, option("FILE.html", "Write the lesson to FILE.html instead.", "--export")] = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Check, then export or serve."""
    from importlib.util import find_spec

    from analysis.lessons import LESSONS
    from marketproof.commands.play_server import ALL, serve

    if lesson is not None and lesson not in (*LESSONS, ALL):
        raise InputError(f"there is no lesson {shown(lesson)}; expected one of {', '.join(LESSONS)}, or {ALL}")
    if run is not None and lesson is not None:
        raise InputError("--run is for the playground; leave the lesson away: marketproof play --run RUN")
    if find_spec("marimo") is None:
        raise InputError("play needs marimo, which is not installed; run: pip install 'marketproof[play]'")
    if export is not None:
        if lesson is None or lesson == ALL:
            raise InputError(f"--export needs a lesson: marketproof play LESSON --export {shown(export)}")
        if export.is_dir():
            raise InputError(
                f"{shown(export)} is a folder; expected the name of a file to write, such as {lesson}.html"
            )
        from analysis.lessons.static import static_page

        write_all({export: static_page(lesson).encode()})
        stdout(quiet=quiet).print(f"Lesson: {shown(export)}")
        return
    if run is not None:
        from analysis.playground.recorded import open_run

        open_run(run)  # what is wrong with it is told here and not in the browser
    serve(lesson, port, browser=browser, quiet=quiet, run=run)
