"""The real data of the paper's tasks, on machines where MARKETPROOF_DATA names a folder that holds them."""

import numpy as np
import pytest

from learning.data import load
from learning.data.splits import LEAST, split
from learning.errors import DataError
from learning.streams import stream


def of(name, folder):
    try:
        data = load(name, folder)
    except DataError as error:
        if "does not hold" in str(error):
            pytest.skip(f"{folder} holds no {name}")
        raise
    seen = data.train_x[::9].astype(np.float32) * data.scale + data.shift
    assert abs(seen.mean()) < 0.03
    assert abs(seen.std() - 1) < 0.03
    return data


def test_pacs_is_whole_and_divides_into_twelve_clients(real_data):
    data = of("pacs", real_data)
    assert len(data.train_y) + len(data.test_y) == 9991
    whole = np.bincount(data.train_strata) + np.bincount(data.test_strata)
    assert whole.reshape(4, 7).sum(1).tolist() == [1670, 2048, 2344, 3929]  # photo, art, cartoon, sketch
    assert (abs(np.bincount(data.test_strata) - 0.2 * whole) <= 1).all()
    members = split("domain", data.train_y, 12, data.classes, stream(0, "split"), groups=data.groups)
    assert [int(data.groups[part[0]]) for part in members] == np.repeat(np.arange(4), 3).tolist()


def test_femnist_has_writers_enough_for_the_papers_twenty_clients(real_data):
    data = of("femnist", real_data)
    assert data.train_x.shape[1:] == (1, 28, 28)
    assert np.unique(data.test_y).tolist() == list(range(62))
    corner = data.train_x[:, 0, 0, 0].astype(float) * data.scale + data.shift
    assert np.median(corner) < 0  # paper is dark to the network
    members = split("natural", data.train_y, 20, data.classes, stream(0, "split"), groups=data.groups)
    assert min(len(part) for part in members) >= LEAST
    if data.source.endswith("femnist"):
        return  # the hub's copy
    assert (len(data.train_y), len(data.test_y), len(np.unique(data.groups))) == (14_708, 1_685, 105)


@pytest.mark.slow
def test_cifar10_is_whole(real_data):
    data = of("cifar10", real_data)
    assert np.bincount(data.train_y).tolist() == [5000] * 10
    assert np.bincount(data.test_y).tolist() == [1000] * 10
    assert data.train_x.shape[1:] == (3, 32, 32)
