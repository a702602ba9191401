"""A server that asks a client for more than the run needs, or for less privacy than it began with, is refused."""

from dataclasses import replace

import numpy as np
import pytest

from learning.federation.appetite import PIECES, TRAININGS
from learning.federation.client import Client
from learning.federation.loading import Wishes, own_file
from learning.federation.messages import NOT_STARTED, SLACK, Bill, Done, Hello, Refused, Start, Work, decode, encode
from learning.plan import LearningPlan

PLAN = LearningPlan(
    dataset="own", split="owners", clients=2, model="mlp", steps=2, batch=8, rounds=5, dp_epsilon=4.0, dp_noise=1.0
)


class Asked:
    """One private client with samples and a memory of its own."""

    def __init__(self, folder, monkeypatch, budget=None):
        monkeypatch.setenv("MARKETPROOF_KEYS", str(folder / "keys"))
        self.folder, self.budget = folder, budget
        self.hold(0)
        self.width = self.start().parameters

    def hold(self, seed):
        """Take other samples, as many, and start the client anew."""
        draw, y = np.random.default_rng(seed), np.arange(300) % 3
        np.savez(self.folder / "mine.npz", x=draw.normal(size=(300, 5)) + y[:, None], y=y, classes=3)
        load = own_file(self.folder / "mine.npz", Wishes(self.budget))
        self.client = Client(load, keep=self.folder / "memory")

    def ask(self, message, **arrays):
        return decode(self.client.answer(encode(message, arrays)), SLACK + 2**20, Hello, Done, Refused)[0]

    def start(self, plan=PLAN, run="r", method="ipfl"):
        return self.ask(Start(run, 1, 2, "bob", method, 0, plan.to_dict()))

    def do(self, task, terms, run="r", **arrays):
        return self.ask(Work(run, 1, 1, 1, task, terms), **arrays)

    def train(self, run="r", delta=1e-5):
        return self.do("train", {"first": True, "delta": delta}, run, rows=np.zeros(self.width, dtype=np.float32))


@pytest.fixture
def asked(tmp_path, monkeypatch):
    return Asked(tmp_path, monkeypatch)


@pytest.mark.parametrize("change", [{"dp_noise": 1e-3}, {"dp_epsilon": 0.0}, {"dp_epsilon": 1e6}, {"lr": 1.0}])
def test_a_run_keeps_the_settings_with_which_it_began(asked, change):
    """Else the same round would be told again with next to no noise, at no cost."""
    assert asked.train().epsilon > 0
    assert "other settings or samples" in asked.start(replace(PLAN, **change)).reason
    assert "expected a start first" in asked.train().reason
    assert isinstance(asked.start(), Hello)


def test_a_run_keeps_the_samples_with_which_it_began(asked):
    """The difference of two releases with the same noise would be bare gradients."""
    assert asked.train().epsilon > 0
    asked.hold(1)
    assert "other settings or samples" in asked.start().reason


def test_a_run_that_is_refused_changes_nothing_of_the_one_before_it(asked):
    told = PLAN.to_dict() | {"dp_epsilon": 0.0, "model": "evil.py:NET"}
    assert "names a file" in asked.ask(Start("r", 1, 2, "bob", "ipfl", 0, told)).reason
    assert isinstance(asked.train(), Refused)


@pytest.mark.parametrize("task", ["line", "value", "mix"])
def test_what_a_method_does_not_measure_is_not_told(asked, task):
    """A gradient or loss on samples that training protects would go round the noise."""
    row = np.zeros(asked.width, dtype=np.float32)
    terms = {"sellers": [0], "known": [], "samples": 100, "rows": 1, "share": 0.5, "joint": False}
    assert "does not ask what models are worth" in asked.do(task, terms, probe=row, models=row[None]).reason


def test_a_plan_does_not_make_a_large_delta_right(asked):
    assert isinstance(asked.start(replace(PLAN, dp_delta=0.5), "d"), Hello)
    assert "asks for delta 0.5" in asked.train("d", 0.5).reason


def test_passes_over_all_samples_are_counted_as_the_steps_that_they_are(asked):
    assert isinstance(asked.start(replace(PLAN, epochs=2, steps=1), "e"), Hello)
    asked.train("e")
    (row,) = asked.client._guard.rows()
    assert row["steps"] == 2 * 240 // 8


def test_the_longest_names_of_runs_and_clients_have_noise_keys(asked):
    start = Start("r" * 80, 1, 2, "a" * 64, "ipfl", 0, PLAN.to_dict())
    assert isinstance(asked.ask(start), Hello)
    assert asked.train("r" * 80).epsilon > 0


@pytest.mark.parametrize(("client", "clients"), [(10**9, 10**9 + 1), (2, 2), (1, 3)])
def test_a_number_of_clients_is_one_that_a_plan_may_have(asked, client, clients):
    """A place is kept for each before one's own: a billion of them would take all memory."""
    assert "and the plan has 2" in asked.ask(Start("n", client, clients, "bob", "ipfl", 0, PLAN.to_dict())).reason


@pytest.mark.parametrize("rows", [10**9, 0, -1])
def test_a_mixture_is_of_no_more_models_than_there_are_clients(asked, rows):
    asked.start(replace(PLAN, dp_epsilon=0.0), "m", "ipfl-effective")
    row = np.zeros(asked.width, dtype=np.float32)
    told = asked.do("mix", {"rows": rows, "share": 0.5, "joint": True}, "m", probe=row, models=np.stack([row] * 6))
    assert f"a mixture is of {rows} models" in told.reason


@pytest.mark.parametrize("name", ["/etc", "~/models", r"\\host\share", "models@8"])
def test_a_server_names_no_folder_of_a_language_model(asked, name):
    plan = replace(PLAN, model="lora", dataset="finance", base_model=name)
    assert "names a file of this machine" in asked.start(plan, "b").reason


def test_a_client_says_how_much_privacy_it_wants(tmp_path, monkeypatch):
    asked = Asked(tmp_path, monkeypatch, budget=4.0)
    assert "with epsilon 5; this client takes part up to epsilon 4" in asked.start(replace(PLAN, dp_epsilon=5.0)).reason
    assert "without privacy" in asked.start(replace(PLAN, dp_epsilon=0.0), "other").reason


OWN = replace(PLAN, dp_epsilon=0.0)


def test_a_client_reads_no_more_than_its_own_model_allows(asked):
    """Before a run has begun no more than a message without arrays; then as many models as measuring takes."""
    asked.hold(0)
    assert asked.client.most == SLACK
    assert "expected at most" in decode(asked.client.answer(bytes(SLACK + 1)), SLACK, Refused)[0].reason
    assert isinstance(asked.start(OWN, "own"), Hello)
    assert asked.client.most == SLACK + max(2**20, 4 * 24 * asked.width)
    assert "expected at most" in decode(asked.client.answer(bytes(asked.client.most + 1)), SLACK, Refused)[0].reason


def test_who_could_not_read_what_it_was_sent_says_what_its_sender_does_not_know(asked):
    asked.hold(0)  # started anew
    assert decode(asked.client.answer(b""), SLACK, Refused)[0].reason == NOT_STARTED


@pytest.mark.parametrize("number", [0, 6, 10**6])
def test_a_run_has_no_more_rounds_than_it_began_with(asked, number):
    asked.start(OWN, "own")
    row = np.zeros(asked.width, dtype=np.float32)
    told = asked.ask(Work("own", number, 1, 1, "train", {"first": True, "delta": 0.0}), rows=row)
    assert f"round {number} is none of the run's; expected 1 to 5" in told.reason


def test_a_round_is_not_trained_or_tested_without_end(asked):
    assert isinstance(asked.start(OWN, "own"), Hello)
    row, terms = np.zeros(asked.width, dtype=np.float32), {"first": True, "delta": 0.0}
    told = [asked.do("train", terms, "own", rows=row) for _ in range(TRAININGS + 1)]
    assert [isinstance(one, Done) for one in told] == [True] * TRAININGS + [False]
    assert "more than 20 trainings" in told[-1].reason
    assert isinstance(asked.start(replace(OWN, held_out=True), "valued"), Hello)
    models, terms = np.zeros((24, asked.width), dtype=np.float32), {"samples": 4}
    told = [asked.do("value", terms, "valued", models=models) for _ in range(PIECES // 25 + 1)]
    assert [isinstance(one, Done) for one in told] == [True] * (PIECES // 25) + [False]
    bill = Bill("valued", 1, 1, 1, "bob")
    assert "more than 20 trainings or 5000 models" in asked.ask(bill).reason
    assert "round 6 is none of the run's" in asked.ask(replace(bill, round=6)).reason


@pytest.mark.parametrize(
    ("name", "shape", "kind"),
    [
        ("models", (25, 0), "f4"),
        ("models", (3, 1), "f4"),
        ("rows", (1,), "f4"),
        ("rows", (2, 0), "f4"),
        ("rows", (0,), "f8"),
    ],
)
def test_arrays_that_are_no_models_of_its_own_shape_are_refused(asked, name, shape, kind):
    assert isinstance(asked.start(replace(OWN, held_out=True), "own"), Hello)
    shape = tuple(n or asked.width for n in shape)
    task, terms = ("value", {"samples": 4}) if name == "models" else ("train", {"first": True, "delta": 0.0})
    told = asked.do(task, terms, "own", **{name: np.zeros(shape, dtype=kind)})
    assert f"'{name}' is float" in told.reason


def test_a_client_takes_part_in_no_run_longer_than_it_wants(tmp_path):
    np.savez(tmp_path / "mine.npz", x=np.eye(6), y=np.arange(6) % 2, classes=2)
    client = Client(own_file(tmp_path / "mine.npz", Wishes(rounds=4)))
    start = Start("r", 1, 2, "bob", "ipfl", 0, OWN.to_dict())
    refused = decode(client.answer(encode(start)), SLACK, Refused)[0]
    assert "the server plans 5 rounds; this client takes part in up to 4 only" in refused.reason
    assert client.refused == refused.reason
