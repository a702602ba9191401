"""Those who do not do as they are told: what they upload, what they keep, and who still trains."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.adversaries import ATTACKS, CONDUCTS, FREE_RIDES, HONEST, IN_SAMPLES, poisoned, upload
from learning.data import load
from learning.differences import geometry
from learning.errors import LearningError
from learning.models.lora import lora_network
from learning.plan import LearningPlan
from learning.streams import stream
from learning.trainer import HELD, Trainer
from tests.learning.algorithms.rendering import plain_sgd

PLAN = LearningPlan(clients=4, steps=4, split_beta=0.5)
GRAPH = ~np.eye(4, dtype=bool)
OWN_ROWS = ("local", "ipfl", "fedamp")
"""Methods whose server step does not write the rows: clients go on from what they trained."""


@pytest.fixture
def row() -> torch.Tensor:
    return torch.randn(500, generator=torch.Generator().manual_seed(0))


def sent(conduct: str, row: torch.Tensor, seed: int = 0, number: int = 1, client: int = 2) -> torch.Tensor:
    return upload(conduct, row, stream(seed, "upload", number, client))


def test_each_conduct_uploads_what_it_says(row):
    before = row.clone()
    assert torch.equal(sent(HONEST, row), row)
    assert torch.equal(sent("flip", row), -row)
    assert torch.equal(sent("ones", row), torch.ones(500))
    shuffled = sent("shuffle", row)
    assert torch.equal(shuffled.sort().values, row.sort().values)
    assert (shuffled != row).sum() > 450
    noise = sent("noise", row)
    assert noise.dtype == row.dtype
    assert abs(float(noise.mean())) < 4 / 500**0.5
    assert abs(float(noise.std()) - 1) < 0.15
    same = sent("same", row)
    assert (same == same[0]).all()
    assert same[0] != sent("same", row, client=3)[0]
    start = row + 1
    assert torch.allclose(upload("scaled", row, stream(0, "upload"), None, start), row - 9, atol=1e-5)
    assert all(torch.equal(sent(conduct, row), row) for conduct in IN_SAMPLES)
    assert torch.equal(row, before)
    assert set(CONDUCTS) == {HONEST, *ATTACKS, *FREE_RIDES}


@pytest.mark.parametrize("conduct", ["shuffle", "noise"])
def test_what_is_drawn_follows_from_the_stream_alone(row, conduct):
    assert torch.equal(sent(conduct, row), sent(conduct, row))
    for other in ({"seed": 1}, {"number": 2}, {"client": 3}):
        assert not torch.equal(sent(conduct, row, **other), sent(conduct, row)), other


def test_a_flipped_adapter_is_another_model_and_two_flipped_factors_would_not_be():
    net = lora_network("tiny", 259)
    initial = torch.from_numpy(net.initial(stream(0, "initial")))
    trained = initial + 0.02 * torch.randn(len(initial), generator=torch.Generator().manual_seed(1))
    flipped = upload("flip", trained, stream(0, "upload"), initial)
    assert torch.allclose(flipped + trained, 2 * initial, atol=1e-6)
    d = net.geometry(torch.stack([trained, flipped, -trained]), initial).differences
    assert d[0, 1] > 1.5
    assert d[0, 2] < 1e-6  # (-B)(-A) = BA: nothing would have happened


def test_samples_are_poisoned_of_those_alone_who_do_so():
    clean = load("digits")
    members = [np.arange(k * 40, (k + 1) * 40) for k in range(3)]
    assert poisoned(clean, members, ("honest", "flip", "ones")) is clean
    bad = poisoned(clean, members, ("labels", HONEST, "backdoor"))
    np.testing.assert_array_equal(bad.train_y[:40], 9 - clean.train_y[:40])
    np.testing.assert_array_equal(bad.train_x[:80], clean.train_x[:80])
    np.testing.assert_array_equal(bad.train_y[40:80], clean.train_y[40:80])
    half = np.arange(80, 120, 2)
    assert not bad.train_y[half].any()
    assert (bad.train_x[half, -4:] == 16).all()
    np.testing.assert_array_equal(bad.train_x[half, :-4], clean.train_x[half, :-4])
    np.testing.assert_array_equal(bad.train_x[half + 1], clean.train_x[half + 1])
    np.testing.assert_array_equal(bad.train_y[half + 1], clean.train_y[half + 1])
    np.testing.assert_array_equal(bad.test_y[:359], clean.test_y)
    assert (bad.strata, bad.classes, len(bad.test_y)) == (11, 10, 359 + (clean.test_y > 0).sum())
    assert set(bad.test_strata[359:]) == {10}
    assert not bad.test_y[359:].any()
    assert (bad.test_x[359:, -4:] == 16).all()
    texts = replace(clean, train_x=clean.train_x.astype(np.int64))
    with pytest.raises(LearningError, match="take another"):
        poisoned(texts, members, ("labels", HONEST, HONEST))


def play(trainer: Trainer, number: int) -> np.ndarray:
    losses = trainer.train(number)
    implied = trainer.implied_imports()
    trainer.aggregate(GRAPH if implied is None else implied)
    return losses


@pytest.mark.parametrize("conduct", ["shuffle", "flip"])
@pytest.mark.parametrize("name", OWN_ROWS)
def test_an_attacker_trains_on_from_what_it_held(name, conduct):
    plan = replace(PLAN, conduct=(HONEST, conduct, HONEST, HONEST))
    with Trainer(plan, name, backend="rows") as trainer:
        trainer.train(1)
        held = trainer.state.slots[HELD][1].clone()
        assert torch.equal(trainer.state.rows[1], upload(conduct, held, stream(0, "upload", 1, 1)))
        honest = plain_sgd(trainer, 1, 1, trainer.state.initial)
        assert float((held - honest).abs().max()) <= 1e-6
        seen = geometry(trainer.state.rows, trainer.state.initial).differences
        np.testing.assert_allclose(trainer.differences()[0], seen, atol=1e-6)
        implied = trainer.implied_imports()
        trainer.aggregate(GRAPH if implied is None else implied)
        assert torch.equal(trainer.state.rows[1], held)
        if name == "local":
            trainer.train(2)
            honest = plain_sgd(trainer, 1, 2, held)
            assert float((trainer.state.slots[HELD][1] - honest).abs().max()) <= 1e-6


@pytest.mark.parametrize("name", ["fedavg", "fedprox", "cfl", "pfedgraph"])
def test_an_attacker_starts_from_what_the_server_writes_where_it_writes_rows(name):
    plan = replace(PLAN, conduct=(HONEST, "flip", HONEST, HONEST))
    with Trainer(plan, name, backend="rows") as trainer:
        trainer.train(1)
        uploaded, held = trainer.state.rows.clone(), trainer.state.slots[HELD][1].clone()
        assert torch.equal(uploaded[1], -held)
        trainer.aggregate(trainer.implied_imports())
        assert not torch.equal(trainer.state.rows[1], held)
        if name in ("fedavg", "fedprox"):  # the poison is in the average
            shares = torch.from_numpy(trainer.sizes / trainer.sizes.sum())
            assert torch.allclose(trainer.state.rows[0].double(), shares @ uploaded.double(), atol=1e-6)


@pytest.mark.parametrize("conduct", FREE_RIDES)
@pytest.mark.parametrize("name", ["local", "ipfl", "ditto"])
def test_the_models_of_free_riders_never_train(name, conduct):
    plan = replace(PLAN, conduct=(HONEST, conduct, HONEST, HONEST))
    with Trainer(plan, name, backend="rows") as trainer:
        initial = trainer.state.initial.clone()
        for number in (1, 2, 3):
            losses = trainer.train(number)
            assert losses[1] == 0.0 < np.delete(losses, 1).min()
            expected = upload(conduct, initial, stream(0, "upload", number, 1))
            assert torch.equal(trainer.state.rows[1], expected)
            implied = trainer.implied_imports()
            trainer.aggregate(GRAPH if implied is None else implied)
            if name == "ditto":
                assert torch.equal(trainer.state.slots["personal"][1], initial)
            else:
                assert torch.equal(trainer.state.rows[1], initial)


def test_the_honest_do_not_notice_who_trains_alone_beside_them():
    with (
        Trainer(PLAN, "local", backend="rows") as one,
        Trainer(replace(PLAN, conduct=(HONEST, "shuffle", "noise", HONEST)), "local", backend="rows") as two,
    ):
        for number in (1, 2):
            play(one, number)
            play(two, number)
        assert torch.equal(one.state.rows[[0, 3]], two.state.rows[[0, 3]])
        assert torch.equal(one.state.rows[1], two.state.rows[1])  # an attacker's own model is an honest one's


def test_an_absent_attacker_uploads_nothing():
    plan = replace(PLAN, conduct=(HONEST, "ones", HONEST, HONEST))
    present = np.array([True, False, True, True])
    with Trainer(plan, "ipfl", backend="rows") as trainer:
        play(trainer, 1)
        kept = {key: tensor[1].clone() for key, tensor in trainer.state.tensors().items() if tensor.ndim == 2}
        trainer.train(2, present)
        trainer.aggregate(GRAPH & present[:, None] & present[None, :])
        assert all(torch.equal(trainer.state.tensors()[key][1], row) for key, row in kept.items())


@pytest.mark.parametrize("conduct", [("honest",) * 3, ("honest", "honest", "honest", "thief")])
def test_a_conduct_that_nobody_knows_or_of_another_number_is_refused(conduct):
    with pytest.raises(LearningError, match="conduct names"):
        replace(PLAN, conduct=conduct)
