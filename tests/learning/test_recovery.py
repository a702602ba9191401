"""Training that diverges: on what others poisoned a client starts again, on its own it is an error."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.adversaries import HONEST
from learning.errors import LearningError
from learning.plan import LearningPlan
from learning.trainer import Trainer

PLAN = LearningPlan(clients=4, steps=4, split_beta=0.5)
POISONED = replace(PLAN, conduct=(HONEST, "ones", HONEST, HONEST))
GRAPH = ~np.eye(4, dtype=bool)


def poisoned(method, plan=POISONED):
    """A trainer before round 2, in which what client 2 was given is far off."""
    trainer = Trainer(plan, method, backend="rows")
    trainer.train(1)
    trainer.aggregate(GRAPH)
    given = {"ipfl": trainer.state.slots.get("target"), "fedamp": trainer.state.slots.get("cloud")}
    matrix = given.get(method)
    (trainer.state.rows if matrix is None else matrix)[2] = 1e30
    return trainer


@pytest.mark.parametrize("method", ["fedavg", "fedfomo", "pfedgraph", "ditto", "ipfl", "fedamp"])
def test_beside_attackers_a_client_whose_training_diverges_goes_back(method):
    with poisoned(method) as trainer:
        state, own = trainer.state, method in ("ipfl", "fedamp")
        former = (state.rows[2] if own else state.initial).clone()
        losses = trainer.train(2)
        assert np.isfinite(losses).all()
        assert losses[2] == 0.0
        assert (losses[[0, 3]] > 0).all()
        assert torch.equal(state.rows[2], former)
        assert trainer.notices == ["client 2 diverged in round 2 on what others uploaded, and goes back"]
        differences, unmoved = trainer.differences()
        assert unmoved.tolist() == [False, False, not own, False]
        assert np.isfinite(differences).all()
        trainer.aggregate(GRAPH)
        accuracy, loss = trainer.evaluate()
        assert np.isfinite([accuracy, loss]).all()
        assert all(bool(matrix.isfinite().all()) for matrix in state.slots.values())
        assert trainer.train(3)[2] > 0  # and trains on
        assert len(trainer.notices) == 1


@pytest.mark.parametrize(("method", "own"), [("local", False), ("ipfl", True), ("fedavg", True)])
def test_an_attacker_that_is_pulled_to_its_own_poison_is_no_wrong_setting(method, own):
    with Trainer(POISONED, method, backend="rows") as trainer:
        trainer.train(1)
        trainer.aggregate(~GRAPH & GRAPH)
        assert bool(trainer._poisoned[1]) is own


def test_ditto_keeps_the_personal_model_that_it_had():
    with poisoned("ditto") as trainer:
        personal = trainer.state.slots["personal"]
        had = personal[2].clone()
        assert not torch.equal(had, trainer.state.initial)
        trainer.train(2)
        assert torch.equal(personal[2], had)


def test_among_honest_clients_it_is_an_error_of_the_settings():
    with poisoned("local", PLAN) as trainer, pytest.raises(LearningError, match="client 2 diverged in round 2"):
        trainer.train(2)


@pytest.mark.parametrize("method", ["local", "fedavg"])
def test_beside_attackers_a_wrong_learning_rate_is_no_attackers_doing(method):
    """In round 1 nobody has received anything, and with `local` nobody ever does."""
    plan = replace(POISONED, lr=1e20)
    with Trainer(plan, method, backend="rows") as trainer, pytest.raises(LearningError, match="take a smaller lr"):
        trainer.train(1)


@pytest.mark.parametrize("conduct", [(), ("honest", "shuffle", "honest", "honest"), POISONED.conduct])
@pytest.mark.parametrize("lr", [1e2, 1e3, 1e6])
@pytest.mark.parametrize("method", ["local", "fedavg", "scaffold", "cfl", "fedper", "fedfomo", "ipfl-effective"])
def test_steps_too_large_stop_a_run_with_whomever(method, lr, conduct):
    """The loss of round 1 is 1e4 and more: no run goes on from it, and nobody else is blamed in a later one."""
    plan = replace(PLAN, lr=lr, conduct=conduct)
    with Trainer(plan, method, backend="rows") as trainer, pytest.raises(LearningError, match="diverged in round 1"):
        trainer.train(1)


@pytest.mark.parametrize(("method", "graph"), [("local", ~GRAPH & GRAPH), ("ipfl", ~GRAPH & GRAPH)])
def test_who_received_nothing_of_an_attacker_is_no_victim(method, graph):
    with Trainer(POISONED, method, backend="rows") as trainer:
        trainer.train(1)
        trainer.aggregate(graph)
        trainer.state.rows[2] = 1e30
        if "target" in trainer.state.slots:
            trainer.state.slots["target"][2] = 1e30
        with pytest.raises(LearningError, match="client 2 diverged in round 2"):
            trainer.train(2)


def test_who_was_poisoned_is_known_after_a_restart(tmp_path):
    path = tmp_path / "state.safetensors"
    with poisoned("fedavg") as trainer:
        trainer.save(path)
    with Trainer(POISONED, "fedavg", backend="rows") as again:
        again.load(path)
        again.train(2)
        assert again.notices == ["client 2 diverged in round 2 on what others uploaded, and goes back"]
