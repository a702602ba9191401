"""How a kernel becomes machine code, and whether this process may make any."""

import ctypes
import logging
import mmap
from collections.abc import Callable
from functools import cache
from typing import Any

_log = logging.getLogger(__name__)


def executable() -> bool:
    """Say whether this process may make memory executable that it has written: hardened systems refuse that.

    Asked of a page of our own, because LLVM does not take no for an answer: the process would end without a word.
    """
    if not hasattr(mmap, "MAP_PRIVATE"):
        return True  # no Unix: nothing of the kind is known
    with mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as page:
        first = ctypes.c_char.from_buffer(page)
        address, size = ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(mmap.PAGESIZE)
        del first  # a page that is still referred to cannot be closed
        return bool(ctypes.CDLL(None).mprotect(address, size, mmap.PROT_READ | mmap.PROT_EXEC) == 0)


@cache
def _compiles() -> bool:
    """Say whether kernels can be compiled; a line of log, once, where they cannot."""
    if not executable():
        _log.warning(
            "no machine code for kernels (memory cannot be made executable here): Python computes them, slowly"
        )
    return executable()


def jit(function: Callable[..., Any]) -> Any:
    """Compile a kernel, cached if the cache can be written, without the interpreter's lock.

    Where no memory can be made executable the function is left as it is: the same answers, a hundred times later.
    """
    if not _compiles():
        return function
    import numba

    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # read-only installation and no home to write to: compile for this process only
        return numba.njit(**options)(function)
