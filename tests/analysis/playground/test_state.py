"""What is set up in the playground survives a table, a link and a file; what is wrong in them is told in a line."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.playground.state import (
    EXAMPLE,
    MARKET_ENTRIES,
    Client,
    PlayError,
    PlayState,
    clients_text,
    from_json,
    from_query,
    read_clients,
    to_json,
    to_query,
)

NUMBERS = st.integers(1, 10**6).map(lambda k: k / 100)
NAMES = st.text("abcé ,\"'<&=;", min_size=1, max_size=8).map(str.strip).filter(bool)
CLIENT = st.builds(Client, NAMES, NUMBERS, NUMBERS, NUMBERS, st.integers(-360, 360).map(float))
CLIENTS = st.lists(CLIENT, min_size=2, max_size=6, unique_by=lambda c: c.name).map(tuple)
WEIGHTS = st.integers(0, 100).map(lambda k: k / 100)
STATES = st.builds(PlayState, CLIENTS, st.sampled_from(sorted(MARKET_ENTRIES)), WEIGHTS, st.integers(0, 1), NUMBERS)


@given(STATES)
def test_a_state_comes_back_from_its_link_and_its_file(state):
    assert from_query(to_query(state)) == state
    assert from_json(to_json(state)) == state


@given(CLIENTS)
def test_clients_come_back_from_their_table(clients):
    assert read_clients(clients_text(PlayState(clients))) == clients


MATRIX = ((0.0, 0.25, 2.0), (0.25, 0.0, 1.125), (2.0, 1.125, 0.0))


def test_recorded_differences_take_the_place_of_angles_and_travel():
    state = PlayState(lam=7.5, differences=MATRIX)
    assert np.array_equal(state.market().differences, np.array(MATRIX))
    assert state.market().lam == 7.5
    assert from_query(to_query(state)) == state
    assert from_json(to_json(state)) == state
    assert clients_text(state).splitlines()[0] == "client,size,cost,gain"
    assert "differences" not in to_query(PlayState())


@pytest.mark.parametrize("wrong", ["3", "[[0,1],[1,0]]", "[[0,1,1],[1,0,1],[1,1]]", "[[0,1,1],[1,0,3],[1,1,0]]",
                                   "[[1,1,1],[1,0,1],[1,1,0]]", '[[0,"x",1],[1,0,1],[1,1,0]]'])  # fmt: skip
def test_wrong_differences_are_refused(wrong):
    with pytest.raises(PlayError, match="differences"):
        from_query({"differences": wrong})


def test_an_empty_link_is_the_worked_example():
    assert from_query({}) == PlayState()
    assert [(c.size, c.cost, c.gain) for c in EXAMPLE[1:]] == [(300, 1.1, 0), (300, 1.0, 0)]
    assert (EXAMPLE[0].size, EXAMPLE[0].gain) == (100, 3600)


def test_a_table_without_angles_will_do_in_any_order():
    clients = read_clients("gain,client,cost,size\n3600,a,1,100\n0,b,2,300\n")
    assert clients == (Client("a", 100, 1, 3600), Client("b", 300, 2, 0))


def test_angles_are_cosine_distances():
    state = PlayState((Client("a", 1, 1, 1, 0), Client("b", 1, 1, 1, 60), Client("c", 1, 1, 1, 180)), lam=0.5)
    market = state.market()
    assert np.allclose(market.differences, [[0, 0.5, 2], [0.5, 0, 1.5], [2, 1.5, 0]])
    assert market.lam == 0.5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "header client,size,cost,gain"),
        ("client,size\na,1\nb,2\n", "header client,size,cost,gain"),
        ("client,size,cost,gain\na,1,1,1\n", "1 clients; expected 2 to 20"),
        ("client,size,cost,gain\na,1,1,1\nb,1,1\n", "line 3 has 3 entries; expected 4"),
        ("client,size,cost,gain\na,1,1,1\nb,x,1,1\n", "line 3, size: 'x' is no number"),
        ("client,size,cost,gain\na,1,1,1\nb,1,nan,1\n", "line 3, cost: 'nan' is no number"),
        ("client,size,cost,gain\na,1,1,1\nb,1,-1,1\n", "line 3, cost: '-1' is no number from 0"),
        ("client,size,cost,gain\na,1,1,1\na,1,1,1\n", "'a' stands twice"),
        ("client,size,cost,gain\n,1,1,1\na,1,1,1\n", "line 2: '' is no name"),
        ("x" * 30_000, "more than 20000 characters"),
    ],
)
def test_a_wrong_table_is_told_in_one_line(text, told):
    with pytest.raises(PlayError) as error:
        read_clients(text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


TWICE = '[["a",1,1,1,0],["a",1,1,1,0]]'


@pytest.mark.parametrize(
    "query",
    [
        {"clients": "[["}, {"clients": '[["a",1,1]]'}, {"clients": '[["a",1,1,1,0]]'}, {"rule": "nothing"},
        {"lambda": "inf"}, {"lambda": "x"}, {"who": "nobody"}, {"says": "-1"}, {"clients": TWICE},
        {"clients": '[["a",true,1,1,0],["b",1,1,1,0]]'},
    ],
)  # fmt: skip
def test_a_wrong_link_is_refused(query):
    with pytest.raises(PlayError):
        from_query(query)


@pytest.mark.parametrize(
    "change", [{"format": "x"}, {"client": 9}, {"client": True}, {"mechanism": []}, {"clients": 3}]
)
def test_a_wrong_file_is_refused(change):
    import json

    with pytest.raises(PlayError):
        from_json(json.dumps(json.loads(to_json(PlayState())) | change))
    with pytest.raises(PlayError):
        from_json("[" * 5000)


def test_who_reports_moves_without_the_rest():
    state = PlayState().reporting(2, 0.5)
    assert state == replace(PlayState(), client=2, report=0.5)
    assert (state.truth, state.names[state.client]) == (1.0, "cheap")
