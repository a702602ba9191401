"""A recorded clearing as the playground shows it: the record's own trades, without those who were absent."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from analysis.playground import recorded, view
from analysis.playground.recorded import Place
from analysis.playground.state import PlayError
from analysis.run.files import RecordError
from analysis.run.records import market_file
from tests.analysis.synthetic import edit_market, write_run


@pytest.mark.parametrize("method", ["ipfl/ipfl", "ipfl/ipfl-exact"])
def test_the_playground_repeats_the_recorded_clearing(folder, method):
    run = recorded.open_run(folder)
    for place in (Place(method, 0, 1), Place(method, 1, 3)):
        state, record = recorded.state_of(run, place), run.market_round(method, place.seed, place.round)
        seen = view.look(state)
        bought = {(f"c{i}", f"c{j}") for i, j in np.argwhere(record.imports)}
        assert {(i, j) for i, j, _ in seen.trades} == bought
        for i, j, price in seen.trades:
            assert price == pytest.approx(record.prices[int(i[1:]), int(j[1:])], rel=1e-6)
        assert state.mechanism == run.mechanisms[method]
        assert state.report == state.truth


def test_it_begins_at_the_lie_that_wins_most(folder):
    run = recorded.open_run(folder)
    lie = run.audit.methods["ipfl/ipfl"].lies["cost"]
    place = recorded.first_place(run)
    assert place == Place("ipfl/ipfl", lie.seed, lie.round)
    assert recorded.state_of(run, place).client == lie.client


def test_a_method_without_a_market_is_shown_under_the_repaired_one(folder):
    run = recorded.open_run(folder)
    assert recorded.state_of(run, Place("fedavg", 0, 1)).mechanism == "ipfl-exact"
    assert "fedavg has no market" in recorded.words(run, Place("fedavg", 0, 1))


def test_absent_clients_are_left_out_and_lies_of_the_run_are_told(copy):
    reported = load_file(market_file(copy, "ipfl/ipfl", 0))["cost"].copy()
    reported[0, 2] *= 2
    present = np.ones((3, 6), np.uint8)
    present[0, 4] = 0
    present[1, 1:] = 0
    edit_market(copy, "ipfl/ipfl", 0, present=present, reported_cost=reported)
    run = recorded.open_run(copy)
    state = recorded.state_of(run, Place("ipfl/ipfl", 0, 1))
    assert state.names == ("c0", "c1", "c2", "c3", "c5")
    assert np.array(state.differences).shape == (5, 5)
    said = recorded.words(run, Place("ipfl/ipfl", 0, 1))
    assert "1 of 6 clients did not take part" in said
    assert "lies were told by c2 of its cost" in said
    with pytest.raises(PlayError, match="1 clients took part in round 2"):
        recorded.state_of(run, Place("ipfl/ipfl", 0, 2))
    assert recorded.state_of(run, Place("ipfl/ipfl", 0, 3)).names[-1] == "c5"


def test_presence_of_another_shape_is_a_damaged_record(copy):
    edit_market(copy, "ipfl/ipfl", 0, present=np.ones((3, 5), np.uint8))
    with pytest.raises(RecordError, match=r"tensor 'present' has shape \[3, 5\]"):
        recorded.open_run(copy)


def test_runs_that_the_playground_cannot_show_are_refused_in_a_line(tmp_path):
    with pytest.raises(RecordError, match="no such folder"):
        recorded.open_run(f" {tmp_path / 'none'} ")
    with pytest.raises(PlayError, match="no such user"):
        recorded.open_run("~nobody-of-that-name/x")
    write_run(tmp_path / "many", clients=21, rounds=1, seeds=(0,), methods={"local": None})
    with pytest.raises(PlayError, match="the run has 21 clients; the playground shows 2 to 20"):
        recorded.open_run(tmp_path / "many")
