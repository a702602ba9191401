"""Small data sets in the formats of the large ones, and a cache of the tests' own."""

import io
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image


def encoded(value, size=32, mode="RGB", kind="PNG"):
    """An image of one shade, as a file's bytes."""
    shade = value if mode == "L" else (value, value // 2, 255 - value)
    file = io.BytesIO()
    Image.new(mode, (size, size), shade).save(file, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return file.getvalue()


def jpeg_npz(path, blobs, **columns):
    """An .npz of one stream of images and their offsets, as in the research copies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    off = np.cumsum([0, *map(len, blobs)]).astype(np.int64)
    arrays = {"jpeg": np.frombuffer(b"".join(blobs), np.uint8), "off": off} | columns
    np.savez_compressed(path, **arrays)


def parquet(path, column, blobs, **columns):
    """A parquet file of the hub's kind: images as a struct of bytes and path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"bytes": blob, "path": None} for blob in blobs]
    kind = pl.Struct({"bytes": pl.Binary, "path": pl.String})
    pl.DataFrame([pl.Series(column, rows, dtype=kind), *(pl.Series(n, v) for n, v in columns.items())]).write_parquet(
        path
    )


class Maker:
    encoded = staticmethod(encoded)
    jpeg_npz = staticmethod(jpeg_npz)
    parquet = staticmethod(parquet)

    @staticmethod
    def cifar10(root, count=20, **changes):
        """Two parts, image k of shade 10 k and class k modulo 10; returns the training file."""
        y = np.arange(count, dtype=np.uint8) % 10
        for part in ("train", "test"):
            blobs = [encoded(10 * k, kind="JPEG") for k in range(count)]
            jpeg_npz(root / f"cifar10_{part}_jpeg.npz", blobs, **({"y": y} | changes))
        return root / "cifar10_train_jpeg.npz"

    @staticmethod
    def femnist(root, **changes):
        """Writers 0 and 1 with a training and a test sample of each class, writer 2 with test samples only."""
        y = np.tile(np.arange(62, dtype=np.uint8), 5)
        writer = np.repeat(np.array([0, 0, 1, 1, 2], np.int16), 62)
        split = np.repeat(np.array([0, 1, 0, 1, 1], np.uint8), 62)
        x = np.full((310, 28, 28), 255, np.uint8)
        x[:, 10:18, 10:18] = np.arange(310)[:, None, None] % 200
        root.mkdir(parents=True, exist_ok=True)
        names = np.array(["f0", "f1", "f2"])
        arrays = {"x": x, "y": y, "writer": writer, "split": split, "names": names} | changes
        np.savez_compressed(root / "femnist_leaf.npz", **{n: a for n, a in arrays.items() if a is not None})
        return root / "femnist_leaf.npz"

    @staticmethod
    def pacs(root, each=5, size=64, **changes):
        """``each`` images of each class in each domain, of shade 50 domain + class."""
        cells = np.repeat(np.arange(28), each)
        blobs = [encoded(int(50 * (c // 7) + c % 7), size, kind="JPEG") for c in cells]
        columns = {"y": (cells % 7).astype(np.uint8), "domain": (cells // 7).astype(np.uint8)} | changes
        jpeg_npz(root / "pacs64_jpeg.npz", blobs, **columns)
        return root / "pacs64_jpeg.npz"


@pytest.fixture(scope="session")
def make() -> type[Maker]:
    return Maker


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> Path:
    """Decoded images of a test go to a folder of its own."""
    monkeypatch.setenv("MARKETPROOF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def real_data() -> Path:
    """The folder of real data that MARKETPROOF_DATA names; without it the test is skipped."""
    folder = os.environ.get("MARKETPROOF_DATA")
    if not folder:
        pytest.skip("MARKETPROOF_DATA names no data folder")
    return Path(folder)
