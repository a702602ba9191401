"""What the tests of learning share."""

from __future__ import annotations

import os

import pytest

from learning.data.dataset import Dataset
from learning.data.fashion import DEBIAN, FILES, candidates, fashion


@pytest.fixture(scope="session")
def fashion_data() -> Dataset:
    """Fashion-MNIST; on a machine without it a failure where CI=true, so that CI cannot pass by not looking."""
    if not any(all((folder / name).is_file() for name in FILES) for folder in candidates()):
        message = f"Fashion-MNIST is not in {DEBIAN}: apt-get install dataset-fashion-mnist"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    return fashion()
