"""Files are whole or not there."""

from __future__ import annotations

import os

import pytest

from mechanism import writing
from mechanism.errors import InputError


def test_a_failure_at_the_last_file_leaves_none_of_them(tmp_path):
    (tmp_path / "folder").mkdir()
    files = {tmp_path / "new" / "a": b"1", tmp_path / "b": b"2", tmp_path / "folder": b"3"}
    with pytest.raises(InputError, match="is a folder"):
        writing.write_all(files)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_what_was_there_stays_when_writing_fails(tmp_path, monkeypatch):
    old = tmp_path / "a"
    old.write_bytes(b"old")

    def full(path, content):
        path.write_bytes(content[:1])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(writing, "_write_synced", full)
    with pytest.raises(InputError, match=r"cannot write '.*a': No space left on device"):
        writing.write_all({old: b"new"})
    assert old.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [old]


def test_a_link_keeps_pointing_to_the_file_that_is_written(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)
    writing.write_all({link: b"new"})
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        writing.write_all({pipe: b"through"})
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)


def test_leftovers_do_not_pile_up(tmp_path):
    path = tmp_path / "a"
    writing.partial(path).write_bytes(b"half")
    writing.write(path, b"whole")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path):
    """The new text is another file that takes the name: who holds the old one keeps it whole."""
    path, held = tmp_path / "page", tmp_path / "held"
    writing.write_all({path: b"old"})
    held.hardlink_to(path)
    writing.write_all({path: b"new"})
    assert (path.read_text(), held.read_text()) == ("new", "old")


def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        writing.write_all({tmp_path / "file" / "below": b"x"})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
