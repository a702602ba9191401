"""Effective data in real training: measured on lines, mixed only where that helps, the same on every backend."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.algorithms import ALGORITHMS, Uploads
from learning.algorithms.algorithm import PROBE
from learning.errors import LearningError
from learning.mixing import CAUTION, best_share
from learning.plan import LearningPlan
from learning.trainer import Trainer
from learning.valuation.effective import (
    SEEN,
    TRIED,
    Line,
    LineTask,
    MixtureTask,
    certainty,
    judge_mixture,
    measure_lines,
    minimiser,
    slopes,
)
from learning.valuation.measuring import spread

PLAN = LearningPlan(clients=4, split="skew", steps=30, lr=0.05)
EVERYBODY = ~np.eye(4, dtype=bool)


def play(trainer, number, present=None):
    """Play a round in which everybody imports whatever has a worth; return e and the models that are used."""
    trainer.train(number, present)
    e = trainer.effective()
    trainer.aggregate(e > 0)
    return e


def mixing_matrix(e, sizes):
    """Return by what e mixes: n_i for the own model, e_ij for others."""
    weights = e + np.diag(sizes)
    return weights / weights.sum(1, keepdims=True)


def everything(trainer):
    return {name: tensor.clone() for name, tensor in trainer.state.tensors().items()}


@pytest.fixture(scope="module")
def third():
    with Trainer(PLAN, "ipfl-effective", "rows", seed=1) as trainer:
        measured = [play(trainer, number) for number in (1, 2, 3)]
        yield measured, everything(trainer)


def test_clients_of_one_group_are_worth_something_to_each_other_and_others_nothing(third):
    (first, *later), _ = third
    assert not first.any()  # probes are raw
    group = np.array([0, 0, 1, 1])
    same = (group[:, None] == group) & EVERYBODY
    for e in later:
        assert (e[same] > 0).sum() >= 3
        assert not e[~same].any()


def test_a_pool_and_a_stopped_run_are_bitwise_the_plain_loop(third, tmp_path):
    measured, expected = third
    with Trainer(PLAN, "ipfl-effective", "pool", seed=1, processes=2) as trainer:
        play(trainer, 1)
        play(trainer, 2)
        trainer.save(tmp_path / "state")
    with Trainer(PLAN, "ipfl-effective", "rows", seed=1) as trainer:
        trainer.load(tmp_path / "state")
        np.testing.assert_array_equal(play(trainer, 3), measured[2])
        assert all(torch.equal(tensor, expected[name]) for name, tensor in everything(trainer).items())


@pytest.mark.parametrize("conduct", ["shuffle", "flip", "ones", "noise"])
def test_junk_is_worth_nothing_and_a_free_rider_measures_nothing(conduct):
    plan = replace(PLAN, clients=6, conduct=(conduct, *["honest"] * 5))
    with Trainer(plan, "ipfl-effective", "rows", seed=2) as trainer:
        for number in (1, 2, 3):
            e = play(trainer, number)
            assert not e[:, 0].any()
            assert conduct in ("shuffle", "flip") or not e[0].any()
        assert (e[1:, 1:] > 0).sum() >= 6


def test_noise_that_is_far_away_takes_no_place_among_those_that_are_tried():
    with Trainer(replace(PLAN, clients=20, steps=1), "ipfl-effective", "rows", seed=2) as trainer:
        trainer.train(1)
        work, rows, probe = trainer._backend.work, trainer.state.rows, trainer.state.slots[PROBE][0]
        gradient = Line(work, 0, TRIED).gradient().clone()
        rows[1:8] = probe - 0.01 * gradient
        rows[8:] = probe + 10.0 * torch.randn(rows[8:].shape, generator=torch.Generator().manual_seed(0))
        raw = (rows[1:] - probe) @ gradient
        assert raw[7:].min() < raw[:7].min()
        towards = slopes(work, LineTask(0, tuple(range(1, 20)), frozenset(), 1), gradient)
        assert max(towards[:7]) < min(towards[7:])
        assert towards[0] == pytest.approx(-float(gradient.norm()), rel=1e-3)


def test_mixtures_are_the_average_and_kept_where_the_loss_does_not_rise():
    with Trainer(PLAN, "ipfl-effective", "rows", seed=1) as trainer:
        play(trainer, 1)
        trainer.train(2)
        e, rows = trainer.effective(), trainer.state.rows.double().numpy().copy()
        probes = trainer.state.slots[PROBE].double().numpy().copy()
        graph = e > 0
        joint = trainer.joint(graph)
        mixing = trainer._server.mixing
        judged = mixing.judged(trainer._backend, mixing_matrix(e, trainer.sizes), np.arange(4))
        trainer.aggregate(graph)
        n, kept = trainer.sizes.astype(float), 0
        for i in range(4):
            total = n[i] + e[i].sum()
            for made, own in ((trainer.state.rows[i], rows[i]), (trainer.state.slots[PROBE][i], probes[i])):
                mixed = (n[i] * own + e[i] @ rows) / total
                moved = not np.allclose(made, own, atol=1e-7)
                np.testing.assert_allclose(made.numpy(), mixed if moved else own, atol=1e-6)
            kept += moved
            assert joint[i] > 0 or not moved
        assert kept >= 2
        for i in range(4):  # used: own model, alone or mixed with these at the share best for it
            used, alpha = trainer.state.slots["deployed"][i].double().numpy(), judged.use[i]
            assert 0 <= alpha <= 1 - n[i] / (n[i] + e[i].sum()) + 1e-9
            best = (1.0 - alpha) * rows[i] + alpha * (e[i] @ rows) / max(e[i].sum(), 1e-9)
            assert np.allclose(used, best, atol=1e-6) or np.allclose(used, rows[i])


def test_use_is_judged_on_seen_samples_less_the_optimism_of_all():
    with Trainer(PLAN, "ipfl-effective", "rows", seed=1) as trainer:
        play(trainer, 1)
        trainer.train(2)
        work, state, share = trainer._backend.work, trainer.state, 0.6

        def loss(model, index):
            work.bench.row.copy_(model)
            x, y = work.inputs(work.tensors["train_x"][index]), work.tensors["train_y"][index]
            with torch.inference_mode():
                return float(work.bench.judge(x, y)[1].mean())

        index = spread(work.members(1, whole=True), SEEN)
        expected = [loss(torch.lerp(state.rows[1], state.rows[0], a), index) for a in (0.0, share / 2.0, share)]
        assert judge_mixture(work, MixtureTask(1, (0,), (1.0,), share))[-3:] == pytest.approx(expected, rel=1e-5)
        gaps = [measure_lines(work, LineTask(i, (), frozenset(), 2))[-1] for i in range(4)]
        assert gaps[1] == pytest.approx(
            loss(state.slots[PROBE][1], spread(work.held_out(1), TRIED))
            - loss(state.slots[PROBE][1], spread(work.members(1), SEEN)),
            rel=1e-4,
        )
        e = trainer.effective()
        c = max(0.0, sum(gaps) / sum(1.0 / n for n in trainer.sizes))
        np.testing.assert_allclose(np.diag(state.memory), c)
        weights = np.array([[1.0 - share, share], [0.0, 1.0]])
        judged = trainer._server.mixing.judged(trainer._backend, weights, np.array([1, 0]))
        use, fall = best_share(expected, share, CAUTION * c / trainer.sizes[1])
        assert judged.use[1] == pytest.approx(use, abs=1e-4)
        assert judged.use_fall[1] == pytest.approx(fall, abs=1e-4)
        trainer.aggregate(e > 0)
        trainer.train(3)
        trainer.effective()
        assert np.diag(state.memory).min() >= 0.75 * c  # remembered for the most part


def test_losses_on_lines_are_those_of_the_mixture_on_held_out_samples():
    with Trainer(PLAN, "ipfl-effective", "rows", seed=1) as trainer:
        trainer.train(1)
        work, state = trainer._backend.work, trainer.state
        held = work.held_out(1)
        assert len(held) == trainer.sizes[1] // 2
        assert len(work.members(1)) + len(held) == len(work.members(1, whole=True)) == trainer.sizes[1]
        mixture = MixtureTask(1, (0, 2), (0.25, 0.75), 0.4)
        fall, t, *_ = judge_mixture(work, mixture)
        row = 0.6 * state.slots[PROBE][1] + 0.4 * (0.25 * state.rows[0] + 0.75 * state.rows[2])
        x, y = work.inputs(work.tensors["train_x"][held]), work.tensors["train_y"][held]
        views = work.network.layout.views
        losses = [
            torch.nn.functional.cross_entropy(work.network.forward(views(r), x).double(), y, reduction="none").numpy()
            for r in (state.slots[PROBE][1], row)
        ]
        difference = losses[0] - losses[1]
        assert fall == pytest.approx(difference.mean(), abs=1e-6)
        assert t == pytest.approx(difference.mean() / (difference.std(ddof=1) / len(held) ** 0.5), rel=1e-4)
        # its own probe is worth nothing to a client that has it already: nothing falls towards it
        state.rows[0] = state.slots[PROBE][1]
        assert measure_lines(work, LineTask(1, (0,), frozenset(), 1))[:2] == (0.0, -1.0)


def test_the_minimiser_is_that_of_a_parabola():
    for best, scale in ((0.1, 2.0), (0.4, 1.0), (0.7, 3.0)):
        losses = [scale * (a - best) ** 2 + 1.0 for a in (0.0, 0.25, 0.5)]
        assert minimiser(losses) == pytest.approx(best)
        # the same parabola seen at half of 0.8 and all of it, and no further than it may be
        seen = [4.0 * (a - best) ** 2 for a in (0.0, 0.4, 0.8)]
        assert minimiser(seen, (0.4, 0.8), 0.9) == pytest.approx(best)
        assert minimiser(seen, (0.4, 0.8), 0.1) == pytest.approx(min(best, 0.1))
    assert minimiser([1.0, 0.9, 0.8]) == 0.5
    assert minimiser([1.0, 1.2, 1.3]) == 0.0
    assert minimiser([1.0, 0.9, float("nan")]) == 0.25
    assert certainty(np.array([np.inf, 1.0])) == certainty(np.array([1.0])) == certainty(np.zeros(3)) == 0.0


def test_the_server_mixes_by_what_was_measured():
    e = np.array([[0.0, 50.0, 25.0], [10.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    imports = np.array([[True, True, False], [True, False, True], [True, True, False]])
    step = ALGORITHMS["ipfl-effective"].aggregate(
        Uploads(PLAN, imports, np.array([50.0, 30.0, 20.0]), np.eye(3), np.ones(3), np.zeros((3, 3)), effective=e)
    )
    np.testing.assert_allclose(step.matrix, [[0.5, 0.5, 0.0], [0.25, 0.75, 0.0], [0.0, 0.0, 1.0]])


def test_absent_clients_keep_everything_and_measure_nothing():
    present = np.array([True, False, True, True])
    with Trainer(PLAN, "ipfl-effective", "rows", seed=1) as trainer:
        play(trainer, 1)
        play(trainer, 2)
        before = everything(trainer)
        e = play(trainer, 3, present)
        assert not e[1].any()
        assert not e[:, 1].any()
        for name in ("rows", "slot/probe", "slot/deployed"):
            assert torch.equal(everything(trainer)[name][1], before[name][1])
        assert play(trainer, 4)[0, 1] > 0  # what was known of each other is known when the client is back


def test_effective_data_and_a_measured_law_do_not_go_together():
    with pytest.raises(LearningError, match="leave the valuation at size"):
        Trainer(replace(PLAN, held_out=True), "ipfl-effective", "rows")


def test_with_privacy_all_steps_of_both_models_are_counted():
    plan = replace(PLAN, steps=4, dp_epsilon=8.0, rounds=2)
    keys = [bytes([k]) * 32 for k in range(4)]
    with Trainer(plan, "ipfl-effective", "rows", seed=1, keys=keys) as trainer:
        play(trainer, 1)
        play(trainer, 2)
        assert all(row["steps"] == 2 * (4 + 4) for row in trainer._guard.rows())
        assert 0 < trainer.epsilon.max() <= 8.0
