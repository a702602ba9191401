"""The command line: one application, one file per command under ``commands/``, one way out for every error."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from marketproof.house import import_ours_first

import_ours_first()

import typer  # noqa: E402 - our packages come first on purpose

from marketproof import claims_command, errors  # noqa: E402
from marketproof.commands import clear, design, frontier, list_, play, replay, report, run, strategic, study, verify  # noqa: E402

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
for module in (run, study, clear, verify, design, frontier, list_, report, replay, play, strategic):
    module.register(app)
claims_command.register(app)


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


def execute(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; every error becomes one line on stderr."""
    command = typer.main.get_command(app)
    try:
        # Not app(): its own handling prints usage over several lines and swallows broken pipes with status 1.
        with command.make_context("marketproof", list(arguments) or ["--help"]) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as leaving:
        return _flushed(leaving.exit_code)
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # rich leaves with status 1 when its reader goes away
            return errors.report(leaving.__context__)
        raise
    except (Exception, KeyboardInterrupt) as error:
        return errors.report(error)
    return errors.SUCCESS


def _flushed(status: int) -> int:
    try:
        sys.stdout.flush()
    except OSError as error:
        return errors.report(error)
    return status


def main() -> None:
    """Entry point of the script ``marketproof`` and of ``python -m marketproof``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without our characters must not stop us
    sys.exit(execute(sys.argv[1:]))
