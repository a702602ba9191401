"""What tests of the HTTPS link share."""

import contextlib

import pytest

from marketproof.federation import https_server
from tests.marketproof.federation.party import PATIENT, Party


@pytest.fixture
def party(tmp_path, monkeypatch):
    monkeypatch.setattr(https_server, "POLL", 0.2)
    with contextlib.ExitStack() as stack:
        made = Party(tmp_path)
        stack.callback(lambda: [thread.join(PATIENT) for thread in made.threads])
        stack.callback(lambda: made.transport.close())
        stack.callback(lambda: [raw.close() for raw in made.raws])
        yield made
