"""The page of a federation's rounds: who is in and what moved, no report, and only for who asks by its own address."""

import http.client
import json
import re
import socket

import numpy as np
import pytest

pytest.importorskip("uvicorn")

from analysis.run.market import MarketRecord
from marketproof.federation.page import Page
from mechanism.errors import InputError
from mechanism.market.accounting import fixed_outcome
from mechanism.market.clients import Market, Types

NAMES = ("alice", "<b>bob</b>", "carol")
SECRET = 0.123456789


def record(present=(True, True, True)):
    there = np.array(present)
    imports = np.zeros((3, 3), dtype=bool)
    imports[0, 1] = there[0] and there[1]
    types = Types(np.array([10.0, 20.0, 30.0]), np.array([SECRET, 0.5, 0.5]), np.array([SECRET, 5.0, 5.0]))
    told = {"objective": 1.0, "optimal_objective": 1.0, "accuracy": np.array([0.5, 0.7, 0.9]), "loss": np.ones(3)}
    market = Market(np.zeros((3, 3)), 1.0)
    return MarketRecord.of(types, types.truthful(), market, fixed_outcome(imports), present=there, **told)


@pytest.fixture
def page():
    made = Page("127.0.0.1", 0, "digits", NAMES, 10)
    yield made
    made.close()


def ask(page, path="/state.json", host=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=600)
    connection.request(method, path, headers={"Host": host or f"127.0.0.1:{page.port}"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


def test_it_tells_of_rounds_and_of_who_is_away_and_why(page):
    page.round("ipfl", 1, record(), {})
    page.round("ipfl", 2, record((True, False, True)), {1: "client 1 is away in round 2: late"})
    page.round("ipfl", 3, record((True, False, True)), {1: ""})  # said before
    told = json.loads(ask(page)[1])
    assert [one["there"] for one in told["rounds"]] == [3, 2, 2]
    assert [one["trades"] for one in told["rounds"]] == [1, 0, 0]
    assert [one["now"] for one in told["clients"]] == ["in", "away", "in"]
    assert told["clients"][1] | {"name": ""} == {
        "name": "", "now": "away", "why": "away in round 2: late", "bought": 0, "sold": 1, "rounds": 1,
    }  # fmt: skip
    assert told["rounds"][0]["welfare"] == pytest.approx(float(record().accounts.welfare))
    assert told["rounds"][1]["accuracy"] == pytest.approx(0.7)
    page.round("ipfl", 4, record(), {})
    assert json.loads(ask(page)[1])["clients"][1]["why"] == ""


def test_no_report_is_in_it(page):
    page.round("ipfl", 1, record(), {})
    told = json.loads(ask(page)[1])
    assert set(told["clients"][0]) == {"name", "now", "why", "bought", "sold", "rounds"}
    assert set(told["rounds"][0]) == {"training", "round", "there", "trades", "moved", "welfare", "accuracy"}
    assert str(SECRET) not in json.dumps(told)


def test_it_keeps_the_last_rounds_only(page):
    for number in range(1, 501):
        page.round("ipfl", number, record(), {})
    rounds = json.loads(ask(page)[1])["rounds"]
    assert (len(rounds), rounds[-1]["round"]) == (400, 500)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80", "", "a b", "[::1"])
def test_who_asks_by_another_name_is_refused(page, host):
    if host:
        assert ask(page, host=host)[0].status == 421
    with socket.create_connection(("127.0.0.1", page.port), timeout=600) as raw:
        raw.sendall(b"GET /state.json HTTP/1.1\r\nhost: 127.0.0.1\r\nhost: evil.example\r\n\r\n")
        assert raw.recv(100).split()[1] in (b"400", b"421")


@pytest.mark.parametrize("host", ["localhost", "localhost:9", "127.0.0.1", "[::1]:80"])
def test_who_asks_by_its_address_is_answered(page, host):
    assert ask(page, host=host)[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_it_can_be_read_only(page, method):
    assert ask(page, method=method)[0].status == 405


def test_there_is_nothing_else(page):
    for path in ("/x", "/../page.py", "/state.json/", "/%2e%2e/keys"):
        assert ask(page, path)[0].status == 404


def test_the_page_runs_its_own_script_only_and_asks_nobody_else(page):
    answer, text = ask(page, "/")
    policy = dict(part.split(" ", 1) for part in answer.getheader("content-security-policy").split("; "))
    assert policy["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]{44}'", policy["script-src"])
    assert "unsafe" not in answer.getheader("content-security-policy")
    assert policy["frame-ancestors"] == "'none'"
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert "innerHTML" not in text  # names are text, whatever is in them
    assert not re.search(r" (style|on[a-z]+)=", text)


def test_a_port_in_use_is_told_in_a_line(page):
    with pytest.raises(InputError, match="cannot be listened on"):
        Page("127.0.0.1", page.port, "digits", NAMES, 1)
