"""How a kernel becomes machine code."""

from collections.abc import Callable
from typing import Any


def jit(function: Callable[..., Any]) -> Any:
    """Compile a kernel, cached if the cache can be written, without the interpreter's lock."""
    import numba

    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # read-only installation and no home to write to: compile for this process only
        return numba.njit(**options)(function)
