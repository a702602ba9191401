"""The command line: one application, one file per command under ``commands/``, one way out for every error."""

import inspect
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any, get_type_hints

from marketproof.files.own_packages import import_ours_first

import_ours_first()

import typer  # noqa: E402 - our packages come first on purpose

from marketproof import exits  # noqa: E402
from marketproof.commands import (  # noqa: E402
    check,
    claims,
    clear,
    design,
    frontier,
    list_,
    play,
    replay,
    report,
    run,
    strategic,
    study,
    verify,
)
from marketproof.federation.commands import join, keys_, serve  # noqa: E402
from marketproof.records import export_model  # noqa: E402
from marketproof.skeletons import new  # noqa: E402

app = typer.Typer(
    name="marketproof",
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Markets for shared models: train what is traded, clear it exactly, settle it truthfully, check the promises.",
    epilog="Start with: marketproof run --scale smoke",
)
for module in (
    run,
    study,
    clear,
    verify,
    design,
    frontier,
    list_,
    report,
    replay,
    check,
    play,
    strategic,
    claims,
    new,
    export_model,
    keys_,
    serve,
    join,
):
    name = module.__name__.rpartition(".")[2]  # of the file and of the function in it
    app.command(name.rstrip("_").replace("_", "-"), help=module.HELP, epilog=module.EPILOG)(getattr(module, name))


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"marketproof {version('marketproof')}")
        raise typer.Exit()


@app.callback()
def _top(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Options that stand before the command."""


def whole_command() -> Any:
    """Return the application as one command with its subcommands, every help text in place."""
    command: Any = typer.main.get_command(app)
    for one in command.commands.values():
        _restore_help(one)
    return command


def _restore_help(command: Any) -> None:
    """Give every argument of a command the help that its function declares.

    click 8.5 gave its arguments a help text of their own and sets it after typer (0.20) has set its own: it is None
    then, and ``--help`` shows no word about any argument. Where it is not lost, nothing is changed.
    """
    declared = get_type_hints(inspect.unwrap(command.callback), include_extras=True)
    for param in command.params:
        for told in getattr(declared.get(param.name), "__metadata__", ()):
            param.help = getattr(param, "help", None) or told.help


def execute(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; every error becomes one line on stderr."""
    try:
        command = whole_command()
        # Not app(): its own handling prints usage over several lines and swallows broken pipes with status 1.
        with command.make_context("marketproof", list(arguments) or ["--help"]) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as leaving:
        return _flushed(leaving.exit_code)
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # rich leaves with status 1 when its reader goes away
            return exits.report(leaving.__context__)
        raise
    except (Exception, KeyboardInterrupt) as error:
        return exits.report(error)
    return exits.SUCCESS


def _flushed(status: int) -> int:
    try:
        sys.stdout.flush()
    except OSError as error:
        return exits.report(error)
    return status


class CtrlC:
    """Answers Ctrl-C once: what follows within a second belongs to the same key, and what is told is not interrupted.

    A second interruption would hit the tidying up after the first, or Python's own on its way out, and put a traceback
    under the line that says how to go on. After a second another one counts: code of a user's may have swallowed it.
    """

    def __init__(self) -> None:
        self._last = -SAME_KEY

    def __call__(self, number: int, frame: object) -> None:
        """Interrupt, unless that has just been done."""
        now = time.monotonic()
        if now - self._last >= SAME_KEY:
            self._last = now
            raise KeyboardInterrupt

    def install(self) -> None:
        """Take over from Python's handler; not where the caller has us ignore Ctrl-C."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self)


SAME_KEY = 1.0
"""Seconds within which a second Ctrl-C is the same one."""


def main() -> None:
    """Entry point of the script ``marketproof`` and of ``python -m marketproof``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without our characters must not stop us
    CtrlC().install()
    status = execute(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said: nothing on the way out may be interrupted
    sys.exit(status)
