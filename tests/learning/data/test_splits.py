"""Splits against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from learning.data.splits import LEAST, split
from learning.errors import DataError
from learning.streams import stream

LABELS = np.random.default_rng(7).permutation(np.repeat(np.arange(10), 300))


def table(members):
    return np.array([np.bincount(LABELS[i], minlength=10) for i in members])


@pytest.mark.parametrize("name", ["niid", "cluster", "skew"])
@pytest.mark.parametrize("clients", [3, 9, 10, 20])
def test_every_sample_goes_to_exactly_one_client_and_nobody_is_left_short(name, clients):
    members = split(name, LABELS, clients, 10, stream(0, "split"))
    assert len(members) == clients
    np.testing.assert_array_equal(np.sort(np.concatenate(members)), np.arange(len(LABELS)))
    assert min(len(i) for i in members) >= LEAST
    assert all((np.diff(i) > 0).all() for i in members)


@pytest.mark.parametrize("name", ["niid", "cluster", "skew"])
def test_the_same_stream_gives_the_same_split_and_another_seed_another(name):
    one, same, other = (split(name, LABELS, 9, 10, stream(s, "split")) for s in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_niid_gives_no_more_of_a_class_to_a_client_that_holds_its_share(seed):
    counts = table(split("niid", LABELS, 10, 10, stream(seed, "split"), 0.1))
    held_before = np.cumsum(counts, axis=1) - counts
    assert (counts[held_before >= len(LABELS) / 10] == 0).all()


def test_niid_follows_beta():
    """Small beta: few classes hold most of a client's data. Large beta: every client has about the same of each."""
    few = table(split("niid", LABELS, 10, 10, stream(0, "split"), 0.1))
    even = table(split("niid", LABELS, 10, 10, stream(0, "split"), 1000.0))
    assert ((few / few.sum(1, keepdims=True)).max(1) > 0.4).mean() > 0.5
    assert abs(even[:, :5] - 30).max() <= 8  # before anybody is full, Dirichlet(1000) is nearly even


@pytest.mark.parametrize("seed", range(5))
def test_cluster_divides_classes_unevenly_over_groups_and_evenly_inside(seed):
    counts = table(split("cluster", LABELS, 9, 10, stream(seed, "split")))
    groups = counts.reshape(3, 3, 10).sum(1)
    assert (groups.max(0) / 300 > 0.6).mean() >= 0.5  # Dirichlet(0.1): most classes live in one group
    inside = counts.reshape(3, 3, 10)
    heavy = groups > 150
    shares = inside.transpose(0, 2, 1)[heavy] / groups[heavy][:, None]
    assert shares.min() > 0.03  # Dirichlet(10): nobody in the group goes without
    assert shares.max() < 0.8


@pytest.mark.parametrize("clients", [2, 9, 10])
def test_skew_gives_each_client_half_of_the_classes_in_two_groups(clients):
    has = table(split("skew", LABELS, clients, 10, stream(4, "split"))) > 0
    assert (has.sum(1) == 5).all()
    first = -(-clients // 2)
    assert (has[:first] == has[0]).all()
    assert (has[first:] == ~has[0]).all()


@pytest.mark.parametrize(
    ("name", "clients", "beta", "message"),
    [
        ("iid", 10, 0.1, "expected one of niid"),
        ("niid", 301, 0.1, "take fewer clients"),
        ("niid", 290, 0.001, "split_beta"),
        ("cluster", 2, 0.1, "at least 3"),
        ("skew", 1, 0.1, "at least 2"),
    ],
)
def test_splits_that_cannot_be_are_refused(name, clients, beta, message, monkeypatch):
    monkeypatch.setattr("learning.data.splits._DRAWS", 20)
    with pytest.raises(DataError, match=message):
        split(name, LABELS, clients, 10, stream(0, "split"), beta)
