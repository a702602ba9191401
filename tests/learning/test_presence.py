"""Rounds in which some are not there: they keep what they have, and the others play as if they were alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learning.adversaries import HONEST
from learning.algorithms import ALGORITHMS, Uploads
from learning.algorithms.algorithm import START, Trials
from learning.algorithms.fedfomo import tries
from learning.errors import CheckpointError, LearningError
from learning.plan import LearningPlan
from learning.streams import stream
from learning.trainer import HELD, Trainer
from tests.learning.algorithms.rendering import loss_of, plain_sgd

PLAN = LearningPlan(clients=5, steps=3, split_beta=0.5, lam=2.0)
EVERYBODY, GRAPH = np.ones(5, dtype=bool), ~np.eye(5, dtype=bool)
WITHOUT_2 = np.array([True, True, False, True, True])
HERE = np.flatnonzero(WITHOUT_2)
PERSONAL = [name for name, method in ALGORITHMS.items() if not method.shared]
MARKET = np.random.default_rng(3).random((5, 5)) < 0.6
"""Who imports whom where a market decides."""


def graph_of(trainer: Trainer) -> np.ndarray:
    implied = trainer.implied_imports()
    if implied is not None:
        return implied
    return MARKET & trainer.present[:, None] & trainer.present[None, :]


def play(trainer: Trainer, number: int, present: np.ndarray | None = None) -> list[np.ndarray]:
    losses = trainer.train(number, present)
    d, zero = trainer.differences()
    graph = graph_of(trainer)
    trainer.aggregate(graph)
    return [losses, d, zero, graph, *trainer.evaluate()]


def everything(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.state.tensors().items()}


@pytest.mark.parametrize("name", PERSONAL)
def test_who_is_away_keeps_its_models_to_the_bit_and_trains_on_after(name):
    with Trainer(PLAN, name, backend="rows") as trainer:
        play(trainer, 1)
        before, accuracy = everything(trainer), trainer.evaluate()[0]
        losses, _, _, graph, now, _ = play(trainer, 2, WITHOUT_2)
        after = everything(trainer)
        play(trainer, 3)
        later = everything(trainer)
    assert losses[2] == 0.0 < losses[HERE].min()
    assert now[2] == accuracy[2]
    assert not graph[2].any()
    assert not graph[:, 2].any()
    for key, tensor in after.items():
        if key in ("rows", f"slot/{HELD}") or (key.startswith("slot/") and key != f"slot/{START}"):
            assert torch.equal(tensor[2], before[key][2]), key
            assert not torch.equal(later[key][2], tensor[2]), key
    assert torch.equal(after["initial"], before["initial"])
    if "memory" in after:
        assert torch.equal(after["memory"][2], before["memory"][2])
        if not ALGORITHMS[name].own_memory:
            assert torch.equal(after["memory"][:, 2], before["memory"][:, 2])
    for client in HERE:
        assert not torch.equal(after["rows"][client], before["rows"][client])


@pytest.mark.parametrize("name", ["fedavg", "fedprox", "median", "multi-krum", "ditto"])
def test_who_is_away_finds_the_newest_common_model_but_keeps_its_own(name):
    with Trainer(PLAN, name, backend="rows") as trainer:
        play(trainer, 1)
        before = everything(trainer)
        trainer.train(2, WITHOUT_2)
        assert torch.equal(trainer.state.rows[2], before["rows"][2])
        trainer.aggregate(graph_of(trainer))
        after = everything(trainer)
    assert (after["rows"] == after["rows"][0]).all()
    assert not torch.equal(after["rows"], before["rows"])
    if name == "ditto":
        assert torch.equal(after["slot/personal"][2], before["slot/personal"][2])
        assert all(not torch.equal(after["slot/personal"][k], before["slot/personal"][k]) for k in HERE)


def cosines_and_norms(rows: torch.Tensor, origin: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    update = (rows.double() - origin.double()).numpy()
    norms = np.linalg.norm(update, axis=1)
    return np.clip(update @ update.T / np.outer(norms, norms), -1, 1), norms


def trials_among(trainer: Trainer, uploads: Uploads, rows: torch.Tensor, start: torch.Tensor) -> Trials:
    """The trials of FedFomo, with plain losses."""
    chosen, work = tries(uploads), trainer._backend.work
    losses = np.full(chosen.shape, np.nan)
    before = np.zeros(len(chosen))
    for i, client in enumerate(uploads.clients.tolist()):
        held = work.held_out(client)
        before[i] = loss_of(trainer, start[i], held)
        for j in np.flatnonzero(chosen[i]):
            losses[i, j] = loss_of(trainer, rows[j], held)
    distances = np.where(chosen, torch.cdist(start.double(), rows.double()).numpy(), np.nan)
    return Trials(before, losses, distances)


@pytest.mark.parametrize("name", [name for name, method in ALGORITHMS.items() if not method.measures])
def test_the_others_play_the_method_on_the_market_of_those_who_are_there(name):
    method = ALGORITHMS[name]
    with Trainer(replace(PLAN, steps=8, split_beta=5.0), name, backend="rows", seed=1) as trainer:
        play(trainer, 1)
        play(trainer, 2)
        memory = None if trainer.state.memory is None else trainer.state.memory.numpy().copy()
        trainer.train(3, WITHOUT_2)
        rows = trainer.state.rows[HERE].clone()
        start = trainer.state.slots[START][HERE].clone() if START in method.slots else rows
        initial = trainer.state.initial
        cosines, norms = cosines_and_norms(rows, start if method.origin else initial)
        seen = HERE if method.own_memory else np.ix_(HERE, HERE)
        graph, sizes = MARKET[np.ix_(HERE, HERE)], trainer.sizes[HERE].astype(float)
        known = np.zeros((4, 4)) if memory is None else memory[seen]
        names = trainer.state.layout.names
        uploads = Uploads(trainer.plan, graph, sizes, cosines, norms, known, 1, 3, clients=HERE, parameters=names)
        if method.tries is not None:
            uploads = replace(uploads, trials=trials_among(trainer, uploads, rows, start))
        expected = method.aggregate(uploads)
        graph = graph_of(trainer)
        before = everything(trainer)
        trainer.aggregate(graph)
        after = everything(trainer)
    if expected is None:
        assert name == "local"
        assert all(torch.equal(tensor, before[key]) for key, tensor in after.items())
        return
    if method.implied(5) is not None:
        np.testing.assert_array_equal(graph[np.ix_(HERE, HERE)], expected.graph)
    into = f"slot/{expected.into}" if expected.into else "rows"
    origin = initial.double().numpy()
    models = origin + expected.matrix @ (rows.double().numpy() - origin)
    if expected.trim is not None:
        models = (
            np.sort(rows.double().numpy(), 0)[expected.trim : 4 - expected.trim].mean(0, keepdims=True).repeat(4, 0)
        )
    if expected.only is not None:
        head = slice(trainer.state.layout.slices(expected.only)[-1].stop, None)
        models[:, head] = before[into][HERE, head]
    np.testing.assert_allclose(after[into][HERE].double().numpy(), models, atol=2e-6)
    assert not torch.equal(after[into][HERE], before[into][HERE])
    if expected.memory is not None:
        np.testing.assert_allclose(after["memory"].numpy()[seen], expected.memory, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_a_round_with_nobody_changes_nothing(name):
    nobody = np.zeros(5, dtype=bool)
    with Trainer(PLAN, name, backend="rows") as trainer:
        play(trainer, 1)
        before, shown = everything(trainer), trainer.evaluate()
        losses, _, _, graph, *after = play(trainer, 2, nobody)
        assert not losses.any()
        assert not graph.any()
        assert not trainer.present.any()
        for mine, theirs in zip(after, shown, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        for key, tensor in everything(trainer).items():
            if key != f"slot/{START}":
                assert torch.equal(tensor, before[key]), key
        assert (play(trainer, 3)[0] > 0).all()


def test_a_newcomer_of_ipfl_is_not_pulled_before_its_first_server_step():
    """Its target is still θ_0: a pull to that would hold it back. From its second round on it is pulled."""
    with Trainer(PLAN, "ipfl", backend="rows") as trainer:
        play(trainer, 1, WITHOUT_2)
        initial = trainer.state.initial.clone()
        assert torch.equal(trainer.state.slots["target"][2], initial)
        started = everything(trainer)
        trainer.train(2)
        free = plain_sgd(trainer, 2, 2, initial)
        assert float((trainer.state.rows[2] - free).abs().max()) <= 1e-6
        old, pull = started["rows"][0], PLAN.lam / PLAN.eta
        pulled = plain_sgd(trainer, 0, 2, old, pull, started["slot/target"][0])
        assert float((trainer.state.rows[0] - pulled).abs().max()) <= 1e-5
        trainer.aggregate(graph_of(trainer))
        second = everything(trainer)
        trainer.train(3)
        pulled = plain_sgd(trainer, 2, 3, second["rows"][2], pull, second["slot/target"][2])
        free = plain_sgd(trainer, 2, 3, second["rows"][2])
        assert float((trainer.state.rows[2] - pulled).abs().max()) <= 1e-5 < float((free - pulled).abs().max())


def test_a_return_after_an_absence_is_pulled_to_the_old_target():
    with Trainer(PLAN, "ipfl", backend="rows") as trainer:
        play(trainer, 1)
        kept = everything(trainer)
        play(trainer, 2, WITHOUT_2)
        trainer.train(3)
        pulled = plain_sgd(trainer, 2, 3, kept["rows"][2], PLAN.lam / PLAN.eta, kept["slot/target"][2])
        assert float((trainer.state.rows[2] - pulled).abs().max()) <= 1e-5


def test_local_work_does_not_depend_on_who_else_is_there():
    with Trainer(PLAN, "local", backend="rows") as one, Trainer(PLAN, "local", backend="rows") as two:
        one.train(1)
        two.train(1, WITHOUT_2)
        assert torch.equal(one.state.rows[HERE], two.state.rows[HERE])


def test_random_downloads_are_drawn_by_the_client_and_not_by_its_place():
    """Nine clients, six downloads: whether and what a client explores comes from a stream of its own number."""
    m, number, seed = 9, 1, 4
    here = np.array([0, 2, 3, 4, 5, 6, 7, 8])

    def chosen(clients: np.ndarray) -> np.ndarray:
        k = len(clients)
        kept = np.where(np.arange(k)[None, :] < 6, 5.0, 0.0) * np.ones((k, 1))
        uploads = Uploads(
            PLAN, ~np.eye(k, dtype=bool), np.ones(k), np.eye(k), np.ones(k), kept, seed, number, clients=clients
        )
        return tries(uploads)

    among = chosen(here)
    for place, client in enumerate(here.tolist()):
        rng = stream(seed, "fedfomo", number, client)
        explores = rng.random() < 0.3
        order = rng.permutation(np.delete(np.arange(len(here)), place))
        if not explores:
            order = sorted(order.tolist(), key=lambda other: other >= 6)
        assert set(np.flatnonzero(among[place])) == {place, *list(order)[:6]}
    relabelled = chosen(np.arange(m))
    # The number of a client decides, so the same place with another client in it draws something else.
    assert not np.array_equal(among[1:], relabelled[1:8, :8])


def test_a_client_alone_in_a_round_goes_on_from_its_own_model():
    alone = np.array([False, False, True, False, False])
    for name in PERSONAL:
        with Trainer(PLAN, name, backend="rows") as trainer:
            play(trainer, 1)
            trainer.train(2, alone)
            trained = trainer.state.rows[2].clone()
            trainer.aggregate(graph_of(trainer))
            assert torch.allclose(trainer.state.rows[2], trained, atol=1e-6), name


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_a_run_with_absences_is_saved_and_loaded_to_the_bit(name, tmp_path):
    """After a round, and between training and the server's step of a round in which somebody is away."""
    after, between = tmp_path / "after.safetensors", tmp_path / "between.safetensors"
    conduct = (HONEST, "flip", HONEST, HONEST, "noise")
    plan = replace(PLAN, conduct=conduct)
    late = np.array([True, True, True, False, True])
    with Trainer(plan, name, backend="rows", seed=2) as trainer:
        play(trainer, 1, late)
        play(trainer, 2, WITHOUT_2)
        trainer.save(after)
        trainer.train(3, WITHOUT_2)
        trainer.save(between)
        trainer.aggregate(graph_of(trainer))
        middle = everything(trainer)
        seen = play(trainer, 4)
        whole = everything(trainer)
    for path in (after, between):
        with Trainer(plan, name, backend="rows", seed=2) as trainer:
            trainer.load(path)
            if path == after:
                trainer.train(3, WITHOUT_2)
            np.testing.assert_array_equal(trainer.present, WITHOUT_2)
            trainer.aggregate(graph_of(trainer))
            for key, tensor in everything(trainer).items():
                assert torch.equal(tensor, middle[key]), (path.name, key)
            for mine, theirs in zip(play(trainer, 4), seen, strict=True):
                np.testing.assert_array_equal(mine, theirs)
            assert all(torch.equal(tensor, whole[key]) for key, tensor in everything(trainer).items())


def test_a_saved_state_that_does_not_say_who_was_there_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "state.safetensors"
    with Trainer(PLAN, "local", backend="rows") as trainer:
        for damage in ("everybody", [True] * 4, [1] * 5):
            with monkeypatch.context() as patch:
                patch.setattr(trainer, "_present", type("Odd", (), {"tolist": lambda self, d=damage: d})())
                trainer.save(path)
            with pytest.raises(CheckpointError, match="how far it got"):
                trainer.load(path)


@pytest.mark.parametrize("name", ["ipfl", "fedfomo"])
def test_worker_processes_give_the_same_bits_with_absences(name):
    def run(backend: str) -> list[np.ndarray]:
        with Trainer(PLAN, name, backend=backend, seed=2, processes=1) as trainer:
            seen = [*play(trainer, 1, WITHOUT_2), *play(trainer, 2, np.zeros(5, dtype=bool)), *play(trainer, 3)]
            return [*seen, *(tensor.numpy().copy() for tensor in trainer.state.tensors().values())]

    for mine, theirs in zip(run("pool"), run("rows"), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_server_takes_the_sizes_that_clients_say_they_have():
    """Who says that it has more samples weighs more, whether or not its graph was asked for before."""
    said = np.array([1.0, 1.0, 1.0, 1.0, 96.0])
    for asked in (True, False):
        with Trainer(PLAN, "fedavg", backend="rows") as trainer:
            trainer.train(1)
            rows = trainer.state.rows.double().numpy().copy()
            if asked:
                trainer.implied_imports(said)
            trainer.aggregate(GRAPH, said)
            np.testing.assert_allclose(trainer.state.rows[0].double().numpy(), said / 100 @ rows, atol=1e-6)
            trainer.aggregate(GRAPH, said)


def test_the_graph_is_that_of_the_step_with_the_sizes_said():
    """PFedGraph weighs by shares of samples: who says that it has nearly all of them weighs most for everybody."""
    said = np.array([1.0, 1.0, 1.0, 1.0, 1e6])
    with Trainer(PLAN, "pfedgraph", backend="rows") as trainer:
        trainer.train(1)
        true, told = trainer.implied_imports(), trainer.implied_imports(said)
        assert not np.array_equal(true, told)
        initial = trainer.state.initial.double().numpy()
        rows = trainer.state.rows.double().numpy().copy()
        cosines, norms = cosines_and_norms(trainer.state.rows, trainer.state.initial)
        step = ALGORITHMS["pfedgraph"].aggregate(Uploads(PLAN, GRAPH, said, cosines, norms, np.zeros((5, 5))))
        np.testing.assert_array_equal(told, step.graph)
        trainer.aggregate(told, said)
        expected = initial + step.matrix @ (rows - initial)
        np.testing.assert_allclose(trainer.state.rows.double().numpy(), expected, atol=1e-6)


def test_presence_of_another_shape_is_refused():
    with Trainer(PLAN, "local", backend="rows") as trainer, pytest.raises(LearningError, match=r"shape \[4\]"):
        trainer.train(1, np.ones(4, dtype=bool))
