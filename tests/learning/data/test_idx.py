"""IDX files are read exactly or refused."""

import gzip
import struct

import numpy as np
import pytest

from learning.data.files.idx import read_images, read_labels
from learning.errors import DataError
from tests.checks import memory_below, refused

PIXELS = np.arange(3 * 4 * 5, dtype=np.uint8)
BODY = PIXELS.tobytes()


def images(count=3, rows=4, columns=5, magic=0x0803, body=BODY):
    return gzip.compress(struct.pack(">IIII", magic, count, rows, columns) + body, mtime=0)


def labels(values, magic=0x0801, count=None):
    return gzip.compress(struct.pack(">II", magic, len(values) if count is None else count) + bytes(values), mtime=0)


def test_good_files_give_their_numbers(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(images())
    np.testing.assert_array_equal(read_images(path, 4, 5), PIXELS.reshape(3, 1, 4, 5))
    path.write_bytes(labels([0, 9, 3]))
    np.testing.assert_array_equal(read_labels(path, 10), [0, 9, 3])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (images(magic=0x0801), "mark"), (images(magic=0xFFFFFFFF), "mark"), (images(rows=5), "declares"),
        (images(count=0, body=b""), "declares"), (images(count=2**32 - 1), "declares"),
        (images(rows=2**31, columns=2**31), "declares"), (images(body=BODY[:-1]), "ends early"),
        (images(body=BODY + b"\0"), "goes on"), (gzip.compress(b"\0\0\x08", mtime=0), "header"),
        (images()[:-20], "gzip"), (images()[:25] + b"\xff" * 30, "gzip"), (b"not a gzip file", "gzip"),
        (b"", "header"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # bytes are no names
)  # fmt: skip
def test_hostile_images_are_refused_in_one_line(tmp_path, data, message):
    path = tmp_path / "x.gz"
    path.write_bytes(data)
    with refused(DataError, message):
        read_images(path, 4, 5)


def test_labels_out_of_range_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "y.gz"
    path.write_bytes(labels([0, 10]))
    with pytest.raises(DataError, match="holds label 10"):
        read_labels(path, 10)
    path.write_bytes(labels([1], count=5))
    with pytest.raises(DataError, match="ends early"):
        read_labels(path, 10)
    with pytest.raises(DataError, match="cannot be read"):
        read_labels(tmp_path / "absent.gz", 10)


def test_an_archive_that_would_unpack_to_much_more_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb") as file:
        file.write(struct.pack(">IIII", 0x0803, 3, 4, 5))
        for _ in range(200):
            file.write(bytes(1 << 20))
    with memory_below(10 << 20), refused(DataError, "goes on"):
        read_images(path, 4, 5)
