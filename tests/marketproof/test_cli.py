"""The way in and the way out: help, usage errors, bugs, broken pipes, interruptions."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from marketproof import errors
from marketproof.commands import list_ as list_command

COMMANDS = ["run", "clear", "list", "report", "replay"]
MODULE = [sys.executable, "-W", "ignore", "-m", "marketproof"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_by_an_example(cli, name):
    answer = cli(name, "--help")
    assert answer.status == 0
    assert "Example" in answer.out
    assert "--seed" in answer.out
    assert "--quiet" in answer.out
    assert "--json" in answer.out


def test_help_names_every_command_and_is_what_no_argument_gives(cli):
    answer = cli()
    assert answer.status == 0
    assert answer.out == cli("--help").out
    for name in COMMANDS:
        assert name in answer.out


def test_version(cli):
    answer = cli("--version")
    assert answer.status == 0
    assert answer.out.startswith("marketproof 0.")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["clear"], "Missing argument"),
        (["clear", "a.csv", "b.csv"], "unexpected extra argument"),
        (["clear", "a.csv", "--lambda", "1"], "No such option"),
        (["clear", "a.csv", "--lam", "one"], "'one' is not a valid float"),
        (["clear", "a.csv", "--lam"], "requires an argument"),
        (["run", "--rounds", "0"], "0 is not in the range"),
        (["run", "--seed", "-1"], "-1 is not in the range"),
        (["list"], "Missing argument"),
        (["list", "auctions"], "there is no list of 'auctions'"),
        (["vote"], "No such command 'vote'"),
        (["--nothing"], "No such option"),
        (["list", "me\x1b[31m\nthods"], r"me\x1b[31m thods"),
    ],
)
def test_usage_errors_are_one_line(cli, arguments, expected):
    line = cli(*arguments).line()
    assert expected in line
    assert line.isprintable()


def test_a_bug_keeps_its_traceback_and_has_its_own_status(cli, monkeypatch):
    def broken(result):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(list_command, "dumps", broken)
    answer = cli("list", "methods", "--json", "/dev/null")
    assert answer.status == errors.BUG
    assert "ZeroDivisionError: a bug" in answer.err
    assert "this is a bug" in answer.err


def test_every_error_of_a_user_has_a_status_and_one_line():
    assert errors.describe(KeyboardInterrupt()) == (130, "interrupted")
    assert errors.describe(errors.Interrupted("stopped; resume with: x")) == (130, "stopped; resume with: x")
    assert errors.describe(errors.RequirementFailed("no")) == (1, "no")
    assert errors.describe(BrokenPipeError(errno.EPIPE, "Broken pipe")) == (141, None)
    assert errors.describe(OSError(errno.ENOSPC, "No space left", "a\nb")) == (2, "a b: No space left")
    assert errors.describe(MemoryError())[0] == 2
    assert errors.describe(ValueError("a bug")) is None


def test_long_values_are_shortened_and_control_characters_escaped():
    assert errors.shown("x" * 1000) == "'" + "x" * 59 + "…'"
    assert errors.shown("a\x1b[2J\x7f\udc80") == r"'a\x1b[2J\x7f\udc80'"


@pytest.mark.parametrize("arguments", [["list", "properties"], ["--help"]])
def test_a_reader_that_goes_away_is_no_error(arguments):
    """What `marketproof list properties | head -1` does."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run([*MODULE, *arguments], stdout=writer, stderr=subprocess.PIPE, timeout=30)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_terminal_without_our_characters_is_no_error():
    done = subprocess.run(
        [*MODULE, "list", "properties"], env={"PYTHONIOENCODING": "ascii", "PATH": ""}, capture_output=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u03b8" in done.stdout


def test_a_full_disk_under_stdout_is_one_line():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*MODULE, "list", "properties"], stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 2
    assert done.stderr == b"marketproof: No space left on device\n"
