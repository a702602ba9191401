"""Noise keys are secret, whole or absent, and give each step its own numbers, the same again when a run is resumed."""

import os
import stat

import numpy as np
import pytest
from scipy import stats

from learning.errors import LearningError
from learning.privacy import keys as module
from learning.privacy.keys import (
    KEY_BYTES,
    create_keys,
    destroy_keys,
    keys_folder,
    load_keys,
    new_run,
    normals,
    poisson_sample,
    seeded_keys,
    subkey,
)
from tests.checks import refused

KEY = bytes(range(32))
PLACE = {
    "key": KEY, "purpose": "noise/", "client": 1, "round_index": 2, "step": 3, "setting": (0.1, 1.0, 1.0),
    "model": b"theta",
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MARKETPROOF_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


def test_keys_are_written_for_their_owner_only_and_read_back(folder):
    before = os.umask(0)  # modes must not depend on the mask
    try:
        keys = create_keys("run-1", 3)
    finally:
        os.umask(before)
    assert [len(key) for key in keys] == [KEY_BYTES] * 3
    assert len(set(keys)) == 3
    assert load_keys("run-1", 3) == keys
    assert stat.S_IMODE((folder / "run-1").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / "run-1").iterdir()} == {0o600}
    assert os.listdir(folder) == ["run-1"]


def test_keys_are_drawn_anew_for_every_run_and_never_replaced():
    first = create_keys("a", 1)
    assert create_keys("b", 1) != first
    with pytest.raises(LearningError, match="already"):
        create_keys("a", 1)
    assert load_keys("a", 1) == first


def test_the_folder_is_the_one_asked_for_then_the_state_folder_then_the_home_folder(tmp_path, monkeypatch):
    assert keys_folder("r") == tmp_path / "keys" / "r"
    monkeypatch.delenv("MARKETPROOF_KEYS")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert keys_folder("r") == tmp_path / "state" / "marketproof" / "keys" / "r"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert keys_folder("r") == tmp_path / "home" / ".local" / "state" / "marketproof" / "keys" / "r"


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a\n", "x" * 101, "/etc"])
def test_a_name_that_would_lead_elsewhere_is_refused(name):
    with pytest.raises(LearningError, match="expected up to 100"):
        keys_folder(name)
    assert len(keys_folder(new_run()).name) == 32


def test_a_missing_key_is_told_with_what_is_lost_and_what_to_do(folder):
    create_keys("r", 2)
    (folder / "r" / "client-00001.key").unlink()
    with pytest.raises(LearningError, match=r"client 1 is not at .*cannot go on .*put the key back"):
        load_keys("r", 2)
    with pytest.raises(LearningError, match="MARKETPROOF_KEYS"):
        load_keys("other", 1)


def test_a_damaged_linked_or_open_key_is_refused(folder, tmp_path):
    create_keys("r", 1)
    path = folder / "r" / "client-00000.key"

    def refuses(words):
        with pytest.raises(LearningError, match=words):
            load_keys("r", 1)

    path.chmod(0o640)
    refuses("chmod 600")
    path.chmod(0o600)
    for damaged in (b"short", bytes(10**6)):
        path.write_bytes(damaged)
        refuses("damaged")
    path.unlink()
    (tmp_path / "elsewhere").write_bytes(KEY)
    path.symlink_to(tmp_path / "elsewhere")
    refuses("is not at")
    path.unlink()
    os.mkfifo(path)
    refuses("not a plain file")


def test_a_failed_write_leaves_nothing_behind(folder, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(LearningError, match="No space left on device"):
        create_keys("r", 2)
    assert os.listdir(folder) == []


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MARKETPROOF_KEYS", str(tmp_path / "file"))
    with refused(LearningError, "MARKETPROOF_KEYS"):
        create_keys("r", 1)


def test_destroyed_keys_are_gone_and_destroying_none_does_nothing(folder):
    create_keys("r", 2)
    destroy_keys("r")
    assert os.listdir(folder) == []
    destroy_keys("r")
    with pytest.raises(LearningError):
        load_keys("r", 2)


def test_seeded_keys_follow_from_the_seed_and_differ_by_client():
    assert seeded_keys(1, 3) == seeded_keys(1, 3)
    assert len({*seeded_keys(1, 3), *seeded_keys(2, 3)}) == 6
    assert "no privacy" in module.SEEDED


@pytest.mark.parametrize(
    "other",
    [
        {"key": bytes(32)}, {"purpose": "sample/"}, {"purpose": "noise/personal"}, {"client": 2},
        {"round_index": 3}, {"step": 2}, {"setting": (0.1, 1.0, 2.0)}, {"setting": (0.1, 1.0)},
        {"model": b"other"},
    ],
)  # fmt: skip
def test_every_part_of_what_a_step_is_decides_its_numbers(other):
    assert subkey(**PLACE) == subkey(**PLACE)
    assert subkey(**PLACE) != subkey(**(PLACE | other))


def test_a_key_of_another_length_is_refused():
    with pytest.raises(LearningError, match="32"):
        subkey(**(PLACE | {"key": b"short"}))


def test_noise_is_standard_normal_and_its_places_are_independent():
    drawn = normals(subkey(**PLACE), 100_001)
    assert len(drawn) == 100_001
    assert stats.kstest(drawn, "norm").pvalue > 0.001
    assert drawn.std() == pytest.approx(1.0, abs=0.01)
    half = 50_001  # both halves come from the same pairs of words
    for a, b in ((drawn[:-1], drawn[1:]), (drawn[: half - 1], drawn[half:])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.015
        assert abs(np.corrcoef(a**2, b**2)[0, 1]) < 0.015
    assert np.abs(drawn).max() > 4.0
    assert len(normals(KEY, 0)) == 0


def test_poisson_samples_draw_everybody_alike_and_by_themselves():
    samples, rate, rounds = 50, 0.2, 4000
    drawn = np.zeros((rounds, samples))
    for step in range(rounds):
        drawn[step, poisson_sample(subkey(**(PLACE | {"step": step})), samples, rate)] = 1
    sizes = drawn.sum(1)
    assert sizes.mean() == pytest.approx(samples * rate, abs=4 * np.sqrt(samples * rate * (1 - rate) / rounds))
    assert sizes.var() == pytest.approx(samples * rate * (1 - rate), rel=0.1)  # a batch of fixed size has none
    assert np.abs(drawn.mean(0) - rate).max() < 5 * np.sqrt(rate * (1 - rate) / rounds)
    assert poisson_sample(KEY, 7, 1.0).tolist() == list(range(7))
