"""Encoded images: what is decoded, what is refused, and what is kept between runs."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from learning.data.files.images import cached, decode, folder, pieces
from learning.errors import DataError
from tests.checks import refused


def picture(size=32, seed=0):
    """A smooth image with a direction, so that no axes can be exchanged unnoticed."""
    rows, columns = np.mgrid[:size, :size] * (200 // size)
    return np.stack([rows, columns, 40 + 0 * rows + seed], -1).astype(np.uint8)


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def huge(width, height):
    """A PNG of a few bytes that declares so many pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def read(blobs, path, channels=3, size=32, sizes=()):
    return decode(blobs.__getitem__, len(blobs), size, channels, path, sizes)


def test_channels_come_first_and_rows_before_columns(tmp_path):
    arrays = [picture(seed=k) for k in range(7)]
    found = read([png(a) for a in arrays], tmp_path)
    np.testing.assert_array_equal(found, np.array(arrays).transpose(0, 3, 1, 2))
    grey = read([png(a[..., 0]) for a in arrays], tmp_path, channels=1)
    np.testing.assert_array_equal(grey[:, 0], np.array(arrays)[..., 0])


def test_grey_becomes_colour_where_colour_is_asked_for_and_the_reverse(tmp_path):
    grey = picture()[..., 0]
    np.testing.assert_array_equal(read([png(grey)], tmp_path)[0], np.stack([grey] * 3))
    same = np.repeat(grey[..., None], 3, -1)
    np.testing.assert_array_equal(read([png(same)], tmp_path, channels=1)[0, 0], grey)


def test_jpeg_is_decoded_close_to_what_was_encoded(tmp_path, make):
    found = read([make.encoded(k, kind="JPEG") for k in range(0, 250, 10)], tmp_path)
    assert abs(found[:, 0].mean((1, 2)) - np.arange(0, 250, 10)).max() < 3


def test_other_sizes_are_scaled_only_where_that_is_asked_for(tmp_path):
    large = png(picture(64))
    with pytest.raises(DataError, match="image 0 is 64x64 pixels; expected 32x32"):
        read([large], tmp_path)
    found = read([large], tmp_path, sizes=[64])[0].astype(int)
    assert abs(found[0] - (np.arange(32) * 6 + 1)[:, None]).max() <= 3
    assert abs(found[1] - (np.arange(32) * 6 + 1)[None, :]).max() <= 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (b"", "0 bytes"),
        (b"no image", "cannot be decoded .not an image"),
        (bytes(2 << 20), "2097152 bytes"),
        (png(picture())[:-40], "cannot be decoded"),
        (png(picture())[:60], "cannot be decoded"),
        (png(picture(31)), "31x31 pixels; expected 32x32"),
        (huge(32, 31), "32x31 pixels"),
        (huge(32, 32), "cannot be decoded"),
        (huge(20_000, 20_000), "cannot be decoded"),
        (huge(10_000, 10_000), "cannot be decoded"),
        (huge(2**31 - 1, 2**31 - 1), "cannot be decoded"),
        (b"GIF89a" + bytes(50), "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n", "not an image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_first_wrong_image_is_named_with_its_file(tmp_path, wrong, message):
    good = png(picture())
    blobs = [good] * 40
    blobs[23], blobs[38] = wrong, b""
    with refused(DataError, message, "a.npz: image 23 "):
        read(blobs, tmp_path / "a.npz")


def test_formats_other_than_jpeg_and_png_are_refused(tmp_path):
    for kind in ("BMP", "TIFF", "GIF"):
        file = io.BytesIO()
        Image.fromarray(picture()).save(file, kind)
        with pytest.raises(DataError, match="not an image"):
            read([file.getvalue()], tmp_path)


def test_sixteen_bits_are_refused(tmp_path):
    file = io.BytesIO()
    Image.fromarray(np.zeros((32, 32), np.uint16)).save(file, "PNG")
    with pytest.raises(DataError, match="expected 8 bits"):
        read([file.getvalue()], tmp_path)


def test_no_images_and_too_many_are_refused(tmp_path):
    with pytest.raises(DataError, match="holds 0 images"):
        read([], tmp_path)
    with pytest.raises(DataError, match="expected 1 to 1000000"):
        decode(lambda k: b"", 10**12, 32, 3, tmp_path)


def test_a_stream_is_cut_at_its_offsets(tmp_path):
    piece = pieces(np.frombuffer(b"aabbbc", np.uint8), np.array([0, 2, 5, 6]), 3, tmp_path)
    assert [piece(k) for k in range(3)] == [b"aa", b"bbb", b"c"]


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([0, 2, 6], "3 offsets for 3 images"), ([0, 2, 5, 6, 6], "5 offsets for 3 images"),
        ([0, 5, 2, 6], "offset 2 does not lie behind offset 1"),
        ([0, 2, 2, 6], "offset 2 does not lie behind offset 1"),
        ([1, 2, 5, 6], "run from 1 to 6; expected 0 to 6"), ([-1, 2, 5, 6], "run from -1 to 6"),
        ([0, 2, 5, 7], "expected 0 to 6"), ([0, 2, 5, 5], "does not lie behind"),
        ([0, 2, 5, 2**63 - 1], "expected 0 to 6"), ([0, 2**63 - 1, -(2**63), 6], "does not lie behind"),
    ],
)  # fmt: skip
def test_offsets_that_fall_or_leave_the_stream_are_refused(tmp_path, offsets, message):
    with pytest.raises(DataError, match=message):
        pieces(np.frombuffer(b"aabbbc", np.uint8), np.array(offsets), 3, tmp_path / "a.npz")


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
