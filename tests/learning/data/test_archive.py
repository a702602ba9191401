"""Archives of arrays are read exactly or refused in one line, before anything large is unpacked."""

import io
import struct
import zipfile

import numpy as np
import pytest

from learning.data.files.archive import WHOLE, Member, fingerprint, labels, read_npz
from learning.errors import DataError
from tests.checks import memory_below, refused

X = np.arange(24, dtype=np.uint8).reshape(6, 4)
Y = np.arange(6)
MEMBERS = {"x": Member(("uint8",), (None, 4)), "y": Member(WHOLE, (None,))}


def npy(header, body=b"", version=1):
    """A .npy whose header is any text, or describes bytes of a shape."""
    header = header if isinstance(header, str) else f"{{'descr': '|u1', 'fortran_order': False, 'shape': {header}}}"
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(text)) + text + body


def archive(path, **entries):
    """A zip with entries of any bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(f"{name}.npy", data)
    return path


def good(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def unread(path, message, members=MEMBERS):
    with refused(DataError, message, path.name):
        read_npz(path, members)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_good_arrays_come_back(tmp_path, save):
    save(tmp_path / "a.npz", x=np.asfortranarray(X), y=Y.astype(">i4"), other=np.array([{}], dtype=object))
    found = read_npz(tmp_path / "a.npz", MEMBERS)
    assert set(found) == {"x", "y"}  # the pickle is not touched
    np.testing.assert_array_equal(found["x"], X)
    np.testing.assert_array_equal(labels(found["y"], 6, "label", tmp_path), Y)


def test_pickled_objects_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=np.array([1, "a"], dtype=object))
    unread(tmp_path / "a.npz", "'y' is not a plain array")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"x": good(X)}, "holds no array 'y' but x"),
        ({}, "holds no array 'x' but nothing"),
        ({"x": good(X.astype(float)), "y": good(Y)}, "6 x 4 of float64; expected N x 4 of uint8"),
        ({"x": good(X.astype(np.uint16)), "y": good(Y)}, "of uint16"),
        ({"x": good(X[:, :3]), "y": good(Y)}, "6 x 3 of uint8; expected N x 4"),
        ({"x": good(X[0]), "y": good(Y)}, "expected N x 4"),
        ({"x": good(X), "y": good(Y / 2)}, "expected N of whole numbers"),
        ({"x": good(X)[:-1], "y": good(Y)}, "declares 24 bytes but 23 follow"),
        ({"x": good(X) + b"!", "y": good(Y)}, "declares 24 bytes but 25 follow"),
        ({"x": b"no array"}, "not a plain array"),
        ({"x": b""}, "not a plain array"),
        ({"x": npy((99999999999999, 4))}, "at most"),
        ({"x": npy((-6, 4))}, "not a plain array"),
        ({"x": npy("{'descr': '|O', 'fortran_order': False, 'shape': (6, 4)}")}, "not a plain array"),
        ({"x": npy("{'descr': 'zzz', 'fortran_order': False, 'shape': (6, 4)}")}, "not a plain array"),
        ({"x": npy("__import__('os')")}, "not a plain array"),
        ({"x": npy("(" * 110)}, "not a plain array"),
        ({"x": npy((6, 4), X.tobytes(), 3)}, "not a plain array"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_arrays_are_refused_in_one_line(tmp_path, entries, message):
    unread(archive(tmp_path / "a.npz", **entries), message)


def test_what_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    unread(path, "cannot be read")
    np.savez_compressed(path, x=X, y=Y)
    whole = path.read_bytes()
    for data in (b"", b"text", whole[: len(whole) // 2], whole[:-10], whole[30:]):
        path.write_bytes(data)
        unread(path, "cannot be read|holds no array|not a plain")
    damaged = bytearray(whole)
    damaged[60:70] = bytes(10)  # inside the first packed array
    path.write_bytes(damaged)
    unread(path, "cannot be read|not a plain array")


def test_an_archive_that_would_unpack_to_much_more_is_not_unpacked(tmp_path):
    path = archive(tmp_path / "bomb.npz", x=npy((8 << 20, 4), bytes(32 << 20)))
    assert path.stat().st_size < 1 << 20
    lying = archive(tmp_path / "lying.npz", x=npy((6, 4), bytes(32 << 20)))
    members = {"x": Member(("uint8",), (None, 4), 1 << 20)}
    with memory_below(4 << 20):
        unread(path, "expected at most 1048576", members)
        unread(lying, "declares 24 bytes but", members)


@pytest.mark.parametrize("values", [[0, 62], [-1, 3]])
def test_labels_outside_their_range_are_named(tmp_path, values):
    with pytest.raises(DataError, match=r"a\.npz holds label (62|-1); expected labels from 0 to 61"):
        labels(np.array(values), 62, "label", tmp_path / "a.npz")


def test_a_fingerprint_tells_files_apart_also_by_where_one_ends(tmp_path):
    paths = tuple(tmp_path / name for name in "ab")

    def mark(*contents):
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        return fingerprint(paths)

    assert mark(b"one", b"two") == mark(b"one", b"two")
    assert len({mark(b"one", b"two"), mark(b"onet", b"wo"), mark(b"one", b"twp")}) == 3
