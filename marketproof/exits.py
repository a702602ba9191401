"""One place that turns what went wrong into one line on stderr and an exit status.

0 success · 1 a requirement failed or a witness did not reproduce · 2 wrong input · 130 interrupted, resumable ·
141 the reader of our output went away · 70 a bug of ours, with its traceback.
"""

import errno
import os
import sys
import traceback

import typer

from mechanism.errors import MarketProofError, one_line

SUCCESS, FAILED, WRONG_INPUT, BUG, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 70, 130, 141

_LONGEST_LINE = 500

# The command-line library's own exceptions, taken from what typer exposes: newer versions of typer carry that
# library inside themselves, so it cannot be imported by its name.
_USAGE_ERROR: type[Exception] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


class Interrupted(KeyboardInterrupt):
    """A run was stopped by its user; the message says where it stands and how to resume it."""


class RequirementFailed(MarketProofError):
    """A requirement that the user made does not hold (exit status 1)."""


def describe(error: BaseException) -> tuple[int, str | None] | None:
    """Return the exit status of an error and the line that tells it (no line: nothing to say); None for a bug."""
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return BROKEN_PIPE, None
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return INTERRUPTED, one_line(error) or "interrupted"
    if isinstance(error, RequirementFailed):
        return FAILED, one_line(error)
    if isinstance(error, MarketProofError):
        return WRONG_INPUT, one_line(error)
    if isinstance(error, _USAGE_ERROR):
        context = getattr(error, "ctx", None)
        command = getattr(context, "command_path", "marketproof")
        told = getattr(error, "format_message", error.__str__)()
        return WRONG_INPUT, f"{one_line(told).rstrip('.')}; see: {command} --help"
    if isinstance(error, OSError):
        where = f"{one_line(error.filename)}: " if error.filename is not None else ""
        return WRONG_INPUT, f"{where}{one_line(error.strerror or error)}"
    if isinstance(error, MemoryError):
        return WRONG_INPUT, "this needs more memory than the machine has; use fewer clients or fewer rounds"
    return None


def report(error: BaseException) -> int:
    """Say on stderr what went wrong, in one line, and return the exit status. A bug keeps its traceback."""
    told = describe(error)
    if told is None:
        traceback.print_exception(error)
        print("marketproof: this is a bug; please report it with the lines above", file=sys.stderr)  # noqa: T201
        return BUG
    status, line = told
    if status == BROKEN_PIPE:
        _silence_stdout()
    if line:
        if len(line) > _LONGEST_LINE:
            line = line[: _LONGEST_LINE - 1] + "…"
        print(f"marketproof: {line}", file=sys.stderr)  # noqa: T201
    return status


def _silence_stdout() -> None:
    """Point stdout at nothing, so that Python's own flush at exit does not complain about the broken pipe."""
    try:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
    except (OSError, ValueError):
        return
