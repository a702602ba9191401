"""``marketproof play``: what is wrong is told in a line before anything starts; a lesson is exported whole."""

from __future__ import annotations

import importlib.util
import socket

import pytest

from analysis.lessons import LESSONS
from marketproof.cli import execute
from marketproof.commands.play_server import HOST, PORT, app_file, app_files, free_port
from mechanism.errors import InputError
from tests.analysis.synthetic import write_run
from tests.analysis.watched import served


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["third_price"], "there is no lesson 'third_price'; expected one of second_price"),
        (["--export", "a.html"], "--export needs a lesson"),
        (["lessons", "--export", "a.html"], "--export needs a lesson"),
        (["vcg", "--run", "."], "--run is for the playground"),
        (["--run", "no/such/run"], "no such folder; expected a run folder"),
        (["vcg", "--export", "."], "is a folder; expected the name of a file to write, such as vcg.html"),
        (["--port", "70000"], "see: marketproof play --help"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(capsys, arguments, told):
    assert execute(["play", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["vcg"], ["vcg", "--export", "vcg.html"]])
def test_without_marimo_the_command_that_installs_it_is_told(monkeypatch, capsys, arguments):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "marimo" else find(name, *more)
    )
    assert execute(["play", *arguments]) == 2
    told = "marketproof: play needs marimo, which is not installed; run: pip install 'marketproof[play]'\n"
    assert capsys.readouterr().err == told


def test_a_lesson_is_written_as_one_page(tmp_path, capsys):
    page = tmp_path / "new" / "vcg.html"
    page.parent.mkdir()
    assert execute(["play", "vcg", "--export", str(page)]) == 0
    assert "Lesson: " in capsys.readouterr().out
    assert "pay the harm that you do" in page.read_text()


def test_a_taken_port_is_told_and_the_default_gives_way():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"--port {port} cannot be used"):
            free_port(port)
    assert free_port(None) > 0
    assert free_port(0) not in (0, PORT)


def test_ctrl_c_ends_it_after_a_run_was_read(tmp_path):
    """Reading a run loads polars, which puts a handler of Ctrl-C of its own in place of ours."""
    run = write_run(tmp_path / "run", clients=3, rounds=1, seeds=(0,), methods={"ipfl": "ipfl"})
    addresses = list(served("--run", str(run)))  # starts, interrupts and waits for the end
    assert len(addresses) == 1


def test_the_apps_are_found_without_being_run():
    assert app_file(None).name == "app.py"
    assert app_file("vcg").name == "vcg.py"
    assert [path.stem for path in app_files("lessons")] == list(LESSONS)
    assert app_files("vcg") == (app_file("vcg"),)
