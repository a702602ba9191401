"""Flower behind our fence: two clients answer, and whoever holds only the server's certificate gets nowhere."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("flwr")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    command = [
        sys.executable,
        "-m",
        "tests.marketproof.federation.flower_scene",
        str(tmp_path_factory.mktemp("flower")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_clients_answer_their_own_requests_in_order_and_not_at_any_length(found):
    assert found["answers"] == ["bob1", "alice2", "away: its answer was longer than 3 bytes"]
    assert found["alice"] == "over\n"  # told at the end


def test_who_is_late_is_absent_and_its_late_answer_is_dropped(found):
    late, other = found["late"]
    assert late == "away: no answer within 2 s"
    assert other in ("alice4", late)  # a busy machine is late, too
    assert found["after"] == ["bob5"]


def test_a_stranger_who_holds_only_the_certificate_gets_nowhere(found):
    """With stock Flower he registers a key, submits code and takes the server's task: it is one port, and open.

    Plain HTTP is refused, too.
    """
    assert found["rogue"] == ["404", "404", "404", "refused"]


def test_a_key_that_is_not_registered_does_not_join(found):
    assert found["stranger"].startswith("Refused the server does not know this key")


def test_a_revoked_key_is_asked_nothing_more(found):
    assert found["revoked"] == ["away: its key was revoked", "alicex"]
    assert found["online"] == ["alice"]
