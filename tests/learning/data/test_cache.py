"""The cache saves time and never changes what is read."""

import numpy as np
import pytest

from learning.data.files.images import cached, folder

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2)


class Made:
    """Counts how often an array is made."""

    def __init__(self, array=ARRAY):
        self.array, self.times = array, 0

    def __call__(self):
        self.times += 1
        return self.array


def ask(made, source="abc"):
    found = cached("toy", source, ARRAY.shape, made)
    np.testing.assert_array_equal(found, ARRAY)
    assert found.dtype == np.uint8
    return made.times


def test_what_was_made_once_is_read(own_cache):
    made = Made()
    assert [ask(made), ask(made)] == [1, 1]
    (file,) = own_cache.iterdir()
    assert np.array_equal(np.load(file, allow_pickle=False), ARRAY)  # a .npy that others can read too
    assert ask(made, "other source") == 2
    assert not list(own_cache.glob("*.part"))


def change(k, value):
    def damaged(data):
        data = bytearray(data)
        data[k] ^= value
        return bytes(data)

    return damaged


def foreign(array, **more):
    def damaged(data):
        import io

        file = io.BytesIO()
        np.save(file, array, **more)
        return file.getvalue() + bytes(16)

    return damaged


@pytest.mark.parametrize(
    "damaged",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:-16],
        lambda data: data + b"!",
        lambda data: data[:60],
        change(-20, 1),
        change(-1, 1),
        change(130, 255),
        foreign(ARRAY[:1]),
        foreign(ARRAY.astype(np.int8)),
        foreign(ARRAY.T),
        foreign(np.array([{}], dtype=object), allow_pickle=True),
    ],
)
def test_a_damaged_file_is_made_anew(own_cache, damaged):
    made = Made()
    ask(made)
    (file,) = own_cache.iterdir()
    file.write_bytes(damaged(file.read_bytes()))
    assert ask(made) == 2
    assert ask(made) == 2  # and mended


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    monkeypatch.setenv("MARKETPROOF_CACHE", str(blocked / "inside"))
    made = Made()
    assert [ask(made), ask(made)] == [1, 2]


def test_a_disk_that_refuses_or_is_full_leaves_nothing_behind(own_cache, monkeypatch):
    def refuse(*args, **more):
        raise OSError("no space left on device")

    monkeypatch.setattr("learning.data.files.images.os.replace", refuse)
    made = Made()
    assert [ask(made), ask(made)] == [1, 2]
    assert not list(own_cache.iterdir())


def test_errors_of_what_makes_the_array_are_not_hidden():
    def broken():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        cached("toy", "abc", ARRAY.shape, broken)


def test_the_folder_is_named_by_the_environment_in_order(tmp_path, monkeypatch):
    assert folder() == tmp_path / "cache"
    monkeypatch.setenv("MARKETPROOF_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert folder() == tmp_path / "xdg" / "marketproof"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder() == tmp_path / ".cache" / "marketproof"
