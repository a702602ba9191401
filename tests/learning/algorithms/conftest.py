"""What the tests of methods share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from learning.backends.backend import one_thread


@pytest.fixture(autouse=True)
def single_thread() -> Iterator[None]:
    """Render rounds with one thread, as backends train: on a busy machine two are many times slower."""
    with one_thread():
        yield
