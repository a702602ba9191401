"""The way in and the way out: help, usage errors, bugs, broken pipes, interruptions."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest
from rich.markup import render

from marketproof import cli as way_in
from marketproof import exits
from marketproof.commands import list_ as list_command
from mechanism.errors import shown

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


def source_texts(command) -> list[str]:
    texts = [command.help, command.epilog, *(getattr(param, "help", None) for param in command.params)]
    return [text.replace("\\[", "[") for text in texts if text]


@pytest.mark.parametrize("name", ["", *sorted(way_in.whole_command().commands)])
def test_every_word_of_a_help_text_is_on_the_screen(cli, monkeypatch, name):
    """What stands in square brackets is markup to the library that prints it: unescaped it vanishes."""
    monkeypatch.setenv("COLUMNS", "2000")
    command = way_in.whole_command().commands[name] if name else way_in.whole_command()
    screen = "".join(cli(*filter(None, [name]), "--help").out.split())
    for text in source_texts(command):
        assert "".join(text.split()) in screen


def test_the_help_of_every_argument_is_on_the_screen(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    for name, words in (("play", "A lesson by its name"), ("report", "Run folders."), ("run", "or a .toml file")):
        assert words in cli(name, "--help").out
    for command in way_in.whole_command().commands.values():
        for param in command.params:
            assert getattr(param, "help", None), (command.name, param.name)


def test_markup_eats_what_is_not_escaped():
    """The reason for the backslash in the help of play, and for the test above."""
    assert render("a[play]").plain == "a"
    assert render(r"a\[play]").plain == "a[play]"


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
    def broken(path, result):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(list_command, "write_json", broken)
    answer = cli("list", "methods", "--json", "/dev/null")
    assert answer.status == exits.BUG
    assert "ZeroDivisionError: a bug" in answer.err
    assert "this is a bug" in answer.err


def test_every_error_of_a_user_has_a_status_and_one_line():
    assert exits.describe(KeyboardInterrupt()) == (130, "interrupted")
    assert exits.describe(exits.Interrupted("stopped; resume with: x")) == (130, "stopped; resume with: x")
    assert exits.describe(exits.RequirementFailed("no")) == (1, "no")
    assert exits.describe(BrokenPipeError(errno.EPIPE, "Broken pipe")) == (141, None)
    assert exits.describe(OSError(errno.ENOSPC, "No space left", "a\nb")) == (2, "a b: No space left")
    assert exits.describe(MemoryError())[0] == 2
    assert exits.describe(ValueError("a bug")) is None


def test_long_values_are_shortened_and_control_characters_escaped():
    assert shown("x" * 1000) == "'" + "x" * 59 + "…'"
    assert shown("a\x1b[2J\x7f\udc80") == r"'a\x1b[2J\x7f\udc80'"


@pytest.mark.parametrize("arguments", [["list", "properties"], ["--help"]])
def test_a_reader_that_goes_away_is_no_error(arguments):
    """What `marketproof list properties | head -1` does."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run([*MODULE, *arguments], stdout=writer, stderr=subprocess.PIPE, timeout=120)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_terminal_without_our_characters_is_no_error():
    done = subprocess.run(
        [*MODULE, "list", "properties"], env={"PYTHONIOENCODING": "ascii", "PATH": ""}, capture_output=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u03b8" in done.stdout


def test_a_full_disk_under_stdout_is_one_line():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*MODULE, "list", "properties"], stdout=full, stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 2
    assert done.stderr == b"marketproof: No space left on device\n"


def test_a_second_ctrl_c_within_a_second_is_the_same_one(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(way_in.time, "monotonic", lambda: now[0])
    answer = way_in.CtrlC()
    with pytest.raises(KeyboardInterrupt):
        answer(signal.SIGINT, None)
    now[0] += 0.5
    answer(signal.SIGINT, None)
    now[0] += 1.0  # whoever swallowed the first must still be stoppable
    with pytest.raises(KeyboardInterrupt):
        answer(signal.SIGINT, None)


def test_ctrl_c_stays_ignored_where_the_caller_ignores_it():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        way_in.CtrlC().install()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


INTERRUPTED_TWICE = """
import atexit, os, signal, sys, time
from marketproof import cli

time.monotonic = lambda: 100.0  # all within a second, however busy the machine

def interrupted(arguments):
    for _ in range(2):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            print("told", file=sys.stderr)
    return 130

cli.execute = interrupted
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
cli.main()
"""


def test_nothing_is_printed_under_the_line_that_tells_of_an_interruption():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED_TWICE], capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (130, b"told\n")
