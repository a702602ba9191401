"""The data sets themselves, and where they are looked for."""

import gzip
import struct

import numpy as np
import pytest
from sklearn.datasets import load_digits

from learning.data import DATASETS, load
from learning.data.dataset import Dataset
from learning.data.sets import fashion as module
from learning.errors import DataError
from tests.checks import refused


def write_fashion(folder):
    """Write a small set in Fashion-MNIST's format: ten images in each part, one of each class."""
    folder.mkdir(parents=True)
    for k, name in enumerate(module.FILES):
        if "images" in name:
            body = struct.pack(">IIII", 0x0803, 10, 28, 28) + bytes([k + 1]) * (10 * 784)
        else:
            body = struct.pack(">II", 0x0801, 10) + bytes(range(10))
        (folder / name).write_bytes(gzip.compress(body))


def test_digits_are_embedded_stratified_and_always_the_same():
    data = load("digits")
    assert (data.train_x.shape, data.test_x.shape) == ((1438, 64), (359, 64))
    assert data.train_x.max() == 16
    assert data.digest() == load("digits").digest()
    whole = np.bincount(data.train_y) + np.bincount(data.test_y)
    assert (abs(np.bincount(data.test_y) - 0.2 * whole) <= 1).all()
    assert (np.diff(data.test_y) >= 0).all()
    together = np.concatenate([data.train_x, data.test_x])
    assert sorted(map(bytes, together)) == sorted(map(bytes, load_digits().data.astype(np.uint8)))


def test_fashion_is_whole_and_normalised(fashion_data):
    assert fashion_data.train_x.shape == (60_000, 1, 28, 28)
    assert fashion_data.test_x.shape == (10_000, 1, 28, 28)
    assert np.bincount(fashion_data.train_y).tolist() == [6000] * 10
    assert np.bincount(fashion_data.test_y).tolist() == [1000] * 10
    seen = fashion_data.train_x[::20].astype(float) * fashion_data.scale + fashion_data.shift
    assert abs(seen.mean()) < 0.02
    assert abs(seen.std() - 1) < 0.02


@pytest.mark.parametrize("inside", ["", "fashion-mnist", "zalando-datasets/fashion_mnist"])
def test_a_folder_of_the_users_own_comes_first(tmp_path, inside):
    folder = tmp_path / "data" / inside
    write_fashion(folder)
    data = load("fashion", tmp_path / "data")
    assert len(data.train_y) == 10
    assert data.source == str(folder)
    assert data.train_x[0, 0, 0, 0] == 1
    assert data.test_x[0, 0, 0, 0] == 3


def test_the_environment_names_a_folder(tmp_path, monkeypatch):
    write_fashion(tmp_path / "fashion-mnist")
    monkeypatch.setenv("MARKETPROOF_DATA", str(tmp_path))
    assert load("fashion").source == str(tmp_path / "fashion-mnist")


def test_missing_data_name_the_command_that_fetches_them(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "DEBIAN", tmp_path / "nowhere")
    monkeypatch.delenv("MARKETPROOF_DATA", raising=False)
    with refused(DataError, "apt-get install dataset-fashion-mnist"):
        load("fashion")
    with pytest.raises(DataError, match="does not exist"):
        load("fashion", tmp_path / "absent")
    with pytest.raises(DataError, match="no data set"):
        load("cifar100")


def test_data_that_do_not_fit_together_are_refused():
    x, y = np.zeros((4, 2), np.uint8), np.array([0, 1, 0, 1])
    for changes, message in (
        ({"train_y": y[:3]}, "3 labels"),
        ({"train_y": y + 1}, "labels"),
        ({"test_y": y * 0}, "no sample of class 1"),
    ):
        parts = {"train_x": x, "train_y": y, "test_x": x, "test_y": y} | changes
        with pytest.raises(DataError, match=message):
            Dataset("toy", "here", **parts, classes=2, scale=1.0, shift=0.0)


def test_the_test_set_is_sorted_by_cell_and_the_digest_sees_cells_and_groups():
    x, y = np.arange(8, dtype=np.uint8)[:, None], np.array([0, 1, 0, 1, 0, 1, 0, 1])
    cells = np.array([2, 1, 0, 3, 2, 1, 0, 3])
    parts = {"train_x": x, "train_y": y, "test_x": x, "test_y": y, "classes": 2, "scale": 1.0, "shift": 0.0}

    def toy(**more):
        return Dataset("toy", "here", **(parts | more))

    celled = {"train_strata": cells, "test_strata": cells, "strata": 4}
    data = toy(**celled)
    assert data.test_strata.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert data.test_x[:, 0].tolist() == [2, 6, 1, 5, 0, 4, 3, 7]
    assert data.test_y.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert toy().test_strata.tolist() == [0] * 4 + [1] * 4  # the labels unless given
    marks = {toy().digest(), data.digest(), toy(groups=y).digest(), toy(groups=1 - y).digest()}
    assert len(marks) == 4
    for more, message in (
        ({"groups": y[:3]}, "3 owners of 8 samples"),
        (celled | {"strata": 3}, "cells in here are not all in 0..2"),
        (celled | {"train_strata": cells[:3]}, "8 training samples"),
        (celled | {"test_strata": cells % 3}, "no sample of cell 3"),
        ({"train_x": x[:0], "train_y": y[:0]}, "holds no training samples"),
    ):
        with pytest.raises(DataError, match=message):
            toy(**more)


def test_an_explicit_folder_without_fashion_is_not_replaced_by_the_systems(tmp_path):
    with refused(DataError, "does not hold Fashion-MNIST", "apt-get install dataset-fashion-mnist"):
        load("fashion", tmp_path)


def test_every_data_set_that_is_listed_can_be_asked_for(tmp_path):
    """Nothing but digits lies in an empty folder, and each says how it is fetched or named."""
    for name in DATASETS:
        if name == "digits":
            continue
        with pytest.raises(DataError, match=r"fetch|hf download|pip install|--data FILE"):
            load(name, tmp_path)
