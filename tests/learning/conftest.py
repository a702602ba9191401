"""What the tests of learning share."""

import os
import socket
from collections.abc import Iterator

import pytest

from learning.backends.backend import one_thread
from learning.data.dataset import Dataset
from learning.data.sets.fashion import fashion
from learning.errors import DataError


@pytest.fixture(scope="session")
def fashion_data() -> Dataset:
    """Fashion-MNIST; on a machine without it a failure where CI=true, so that CI cannot pass by not looking."""
    try:
        return fashion()
    except DataError as error:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def single_thread() -> Iterator[None]:
    """Compute with one thread, as backends train: on a busy machine two are many times slower."""
    with one_thread():
        yield


@pytest.fixture
def spawned() -> None:
    """Workers of a pool are started as users' are: each imports torch for itself, which takes seconds."""


@pytest.fixture(autouse=True)
def workers(request: pytest.FixtureRequest) -> None:
    """Where nothing else is said, they are forked."""
    if "spawned" not in request.fixturenames:
        request.getfixturevalue("forked_workers")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks the network for anything fails."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("a request was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
