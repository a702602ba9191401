"""The check of the proofs, as a module: it is a script beside them."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "proofs_checks" / "kernel" / "check.py"


@pytest.fixture(scope="session")
def kernel() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kernel_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
