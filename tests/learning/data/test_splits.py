"""Splits over clients and into training and test, against their definitions."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.data import GROUPED, SPLITS, load
from learning.data.dataset import Dataset
from learning.data.splits import LEAST, holdout, split, thinned
from learning.errors import DataError
from learning.streams import stream
from tests.checks import refused

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
        ("iid", 10, 0.1, "expected one of niid"), ("niid", 301, 0.1, "take fewer clients"),
        ("niid", 290, 0.001, "split_beta"), ("cluster", 2, 0.1, "at least 3"), ("skew", 1, 0.1, "at least 2"),
    ],
)  # fmt: skip
def test_splits_that_cannot_be_are_refused(name, clients, beta, message, monkeypatch):
    monkeypatch.setattr("learning.data.splits._DRAWS", 20)
    with pytest.raises(DataError, match=message):
        split(name, LABELS, clients, 10, stream(0, "split"), beta)


@pytest.mark.parametrize(
    ("name", "digest"), [("niid", "9827fad41e305687"), ("cluster", "1182057c19ecfb6a"), ("skew", "34586f05306fdb30")]
)
def test_splits_by_class_do_not_change(name, digest):
    """Recorded before splits by group existed: a run of the past can be made again."""
    h = hashlib.blake2b(digest_size=8)
    for clients in (9, 10):
        for part in split(name, LABELS, clients, 10, stream(3, "split"), 0.3):
            h.update(part.astype("<i8").tobytes() + b"|")
    assert h.hexdigest() == digest


owners = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.integers(0, 45), min_size=n, max_size=n).flatmap(
        lambda sizes: st.permutations(np.repeat(np.arange(n), sizes).tolist() + [-1] * 5).map(np.array)
    )
)


def by_group(name, groups, clients, seed=0, **more):
    return split(name, np.zeros(len(groups), int), clients, 1, stream(seed, "split"), groups=groups, **more)


def check_parts(groups, members, clients):
    """What every split keeps: so many clients, ascending, disjoint, at least LEAST each, nothing of nobody's."""
    assert len(members) == clients
    together = np.concatenate(members)
    assert len(set(together.tolist())) == len(together)
    for part in members:
        assert part.dtype == np.int64
        assert len(part) >= LEAST
        assert (np.diff(part) > 0).all()
        assert len(set(groups[part].tolist())) == 1
        assert groups[part[0]] >= 0


@given(groups=owners, clients=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=150)
def test_natural_clients_are_whole_groups_drawn_among_those_that_are_large_enough(groups, clients, seed):
    counts = np.bincount(groups[groups >= 0], minlength=6)
    if clients > (counts >= LEAST).sum():
        with pytest.raises(DataError, match="take"):
            by_group("natural", groups, clients, seed)
        return
    members = by_group("natural", groups, clients, seed)
    check_parts(groups, members, clients)
    taken = [int(groups[part[0]]) for part in members]
    assert taken == sorted(set(taken))
    for owner, part in zip(taken, members, strict=True):
        np.testing.assert_array_equal(part, np.flatnonzero(groups == owner))


def test_natural_draws_every_able_group_equally_often():
    groups = np.repeat(np.arange(5), [20, 20, 9, 20, 20])
    drawn = np.zeros(5)
    for seed in range(400):
        for part in by_group("natural", groups, 2, seed):
            drawn[groups[part[0]]] += 1
    assert drawn[2] == 0
    assert abs(drawn[[0, 1, 3, 4]] - 200).max() < 50  # five deviations of a binomial


@given(groups=owners, clients=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=150)
def test_domain_gives_all_samples_of_a_group_evenly_to_its_neighbouring_clients(groups, clients, seed):
    names, counts = np.unique(groups[groups >= 0], return_counts=True)
    having = [len(part) for part in np.array_split(np.arange(clients), len(names))] if len(names) else []
    possible = 0 < len(names) <= clients and all(c >= LEAST * h for c, h in zip(counts, having, strict=True))
    possible = possible and clients * LEAST <= len(groups)
    if not possible:
        with pytest.raises(DataError, match="take"):
            by_group("domain", groups, clients, seed)
        return
    members = by_group("domain", groups, clients, seed)
    check_parts(groups, members, clients)
    np.testing.assert_array_equal(np.sort(np.concatenate(members)), np.flatnonzero(groups >= 0))
    assert [int(groups[part[0]]) for part in members] == np.repeat(names, having).tolist()
    for name in names:
        sizes = [len(part) for part in members if groups[part[0]] == name]
        assert max(sizes) - min(sizes) <= 1


def test_twelve_clients_over_four_domains_are_three_each_in_order():
    groups = stream(1, "toy").permutation(np.repeat(np.arange(4), 100))
    members = by_group("domain", groups, 12)
    assert [int(groups[part[0]]) for part in members] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert sorted(len(part) for part in members[:3]) == [33, 33, 34]
    runs = [(np.diff(part) == 1).mean() for part in members]  # at random, not in blocks
    assert max(runs) < 0.4


@given(
    groups=owners,
    shares=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), st.integers(LEAST, 20)), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
@settings(max_examples=200)
def test_mixed_gives_exactly_the_numbers_asked_for(groups, shares, seed):
    clients = sum(having for _, having, _ in shares)
    needed = np.zeros(6, int)
    for owner, having, each in shares:
        needed[owner] += having * each
    if (needed > np.bincount(groups[groups >= 0], minlength=6)).any():
        with pytest.raises(DataError, match="take fewer clients"):
            by_group("mixed", groups, clients, seed, shares=shares)
        return
    members = by_group("mixed", groups, clients, seed, shares=shares)
    check_parts(groups, members, clients)
    wanted = [(owner, each) for owner, having, each in shares for _ in range(having)]
    assert [(int(groups[part[0]]), len(part)) for part in members] == wanted


@pytest.mark.parametrize("name", [name for name in SPLITS if name != "owners"])
def test_the_same_stream_gives_the_same_split_and_another_seed_another(name):
    groups = stream(1, "toy").permutation(np.repeat(np.arange(8), 50))
    shares = [(k, 1, 20) for k in range(4)] + [(4, 4, 10)] if name == "mixed" else []
    clients = {"natural": 4, "mixed": 8}.get(name, 9)
    one, same, other = (
        by_group(name, groups, clients, seed, shares=shares)
        if name in GROUPED
        else split(name, LABELS, clients, 10, stream(seed, "split"))
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("name", "clients", "shares", "message"),
    [
        ("natural", 4, (), "has 3 groups of 10 samples or more for 4 clients; take at most 3 clients"),
        ("domain", 3, (), "divides 3 clients over 4 groups; take at least one client for each"),
        ("domain", 4, (), "group 3 has 5 samples for 1 clients"),
        ("mixed", 2, (), "has no shares clients; expected 2"),
        ("mixed", 2, [(0, 1, 10), (1, 2, 10)], r"has 1 \+ 2 clients; expected 2"),
        ("mixed", 1, [(3, 1, 10)], "group 3 has 5 samples left; split 'mixed' needs 1 x 10"),
        ("mixed", 1, [(9, 1, 10)], "group 9 has 0 samples left"),
        ("mixed", 1, [(-1, 1, 10)], "group -1"),
        ("mixed", 1, [(0, 1, 9)], "expected at least 1 client and 10 samples each"),
        ("mixed", 1, [(0, 2, 10), (0, -1, 10)], "expected at least 1 client"),
    ],
)
def test_splits_by_group_that_cannot_be_are_refused(name, clients, shares, message):
    groups = np.repeat([0, 1, 2, 3, -1], [40, 40, 40, 5, 40])
    with refused(DataError, message):
        by_group(name, groups, clients, shares=shares)


def test_data_without_groups_and_texts_without_classes_are_told_what_to_take():
    for name in ("natural", "domain", "mixed"):
        with pytest.raises(DataError, match=f"split '{name}' needs samples that belong to groups; take data set femn"):
            split(name, LABELS, 3, 10, stream(0, "split"))
    with pytest.raises(DataError, match="has none; take split natural, domain, mixed"):
        split("niid", np.zeros((100, 8), int), 3, 10, stream(0, "split"))


def test_every_split_is_described():
    assert set(SPLITS) == {*GROUPED, "niid", "cluster", "skew"}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=80), st.floats(0.05, 0.95))
def test_each_cell_is_divided_by_the_share_and_has_a_sample_in_both_parts(cells, share):
    cells = np.array(cells)
    train, test = holdout(cells, "toy", share)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(cells)))
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    for cell in set(cells.tolist()):
        n, kept, set_aside = ((cells[part] == cell).sum() for part in (np.arange(len(cells)), train, test))
        assert kept >= 1
        assert set_aside >= 1 or n == 1
        assert abs(kept - share * n) <= 1


def test_it_is_the_same_each_time_and_another_for_another_purpose():
    cells = np.repeat(np.arange(4), 50)
    one, again, other = (holdout(cells, purpose, 0.8)[0] for purpose in ("a", "a", "b"))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def made(counts, classes=None):
    """Test samples whose only number says which they are, ``counts`` of each class; one training sample of each."""
    y = np.repeat(np.arange(len(counts)), counts)
    x = np.arange(len(y), dtype=np.int64)[:, None]
    some = np.flatnonzero(np.array(counts))
    return Dataset("made", "a test", some[:, None], some, x, y, classes or len(counts), 1.0, 0.0)


def test_every_stratum_keeps_the_same_share():
    few = thinned(made([1000, 600, 400]), 200)
    assert np.bincount(few.test_y).tolist() == [100, 60, 40]
    np.testing.assert_array_equal(few.test_y, few.test_strata)
    assert len(np.unique(few.test_x)) == 200


@pytest.mark.parametrize("most", [1, 3, 10])
def test_every_stratum_keeps_one_at_least(most):
    few = thinned(made([1, 5000, 2, 0, 700]), most)
    kept = np.bincount(few.test_y, minlength=5)
    assert kept[3] == 0
    assert (kept[[0, 1, 2, 4]] >= 1).all()
    assert kept.sum() <= most + 4


def test_the_number_kept_is_about_what_was_asked_for():
    for most in (17, 100, 777):
        few = thinned(made([37, 981, 512, 3, 444]), most)
        assert abs(len(few.test_y) - most) <= 5


def test_samples_and_labels_stay_together_and_training_is_not_touched():
    data = made([50, 80, 70])
    few = thinned(data, 40)
    for x, y, cell in zip(few.test_x[:, 0], few.test_y, few.test_strata, strict=True):
        assert data.test_y[x] == y == cell
    assert few.train_x is data.train_x
    assert few.train_y is data.train_y


def test_nothing_is_thinned_that_is_small_enough():
    data = made([5, 5])
    for most in (0, 10, 11, 10_000_000):
        assert thinned(data, most) is data


def test_it_is_a_choice_at_random_and_always_the_same():
    data = made([400, 300])
    one, two = thinned(data, 70), thinned(made([400, 300]), 70)
    np.testing.assert_array_equal(one.test_x, two.test_x)
    first = one.test_x[one.test_y == 0, 0]
    assert len(np.unique(np.diff(np.sort(first)))) > 3  # not the first ones, nor every tenth
    assert first.max() > 300 > 100 > first.min()
    other = thinned(load("digits"), 100)
    assert other.digest() == thinned(load("digits"), 100).digest() != load("digits").digest()


def test_cells_decide_and_not_labels():
    y = np.arange(60) % 3
    cells = np.repeat([0, 1], [40, 20])
    x = np.arange(60, dtype=np.int64)[:, None]
    data = Dataset("cells", "a test", x, y, x, y, 3, 1.0, 0.0, cells, cells, None, 2)
    few = thinned(data, 15)
    assert np.bincount(few.test_strata).tolist() == [10, 5]
    assert few.strata == 2
