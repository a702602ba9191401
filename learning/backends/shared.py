"""Tensors in memory that worker processes share, without a name that could be left behind.

All tensors lie in one anonymous memory file. It exists as long as somebody holds it open, so nothing leaks however the
processes end, and it is not limited by the size of /dev/shm, which is small in containers.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from dataclasses import dataclass
from math import prod
from multiprocessing import reduction
from typing import Any

import torch

SHARES = hasattr(reduction, "DupFd")
"""Whether this system hands a descriptor on to a process that it starts; Windows does not."""

_ALIGN = 64  # bytes, as torch's own allocator aligns: kernels then take the same path as on ordinary tensors


@dataclass(frozen=True)
class _Place:
    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    offset: int


def _anonymous_file(size: int) -> int:
    """Return the descriptor of a nameless file of ``size`` bytes, in memory where the system offers that."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("marketproof", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, size)
    return fd


class SharedTensors:
    """Named tensors in one anonymous file. Send it to a spawned process as an argument: both then see one memory."""

    def __init__(self, places: tuple[_Place, ...], fd: int, size: int) -> None:
        self._places, self._fd, self._size = places, fd, size
        buffer = mmap.mmap(fd, size)
        self.tensors = {
            p.name: torch.frombuffer(buffer, dtype=p.dtype, count=prod(p.shape), offset=p.offset).view(p.shape)
            for p in places
        }

    @classmethod
    def moved_from(cls, tensors: dict[str, torch.Tensor]) -> SharedTensors:
        """Return shared copies of CPU tensors, none of them empty, and take each out of ``tensors`` once copied.

        Where nobody else holds them, no more than one is there twice at any moment.
        """
        places, end = [], 0
        for name, tensor in tensors.items():
            places.append(_Place(name, tensor.dtype, tuple(tensor.shape), end))
            end += -(-tensor.numel() * tensor.element_size() // _ALIGN) * _ALIGN
        shared = cls(tuple(places), _anonymous_file(end), end)
        for place in places:
            shared.tensors[place.name].copy_(tensors.pop(place.name))
        return shared

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._places, reduction.DupFd(self._fd), self._size)

    def close(self) -> None:
        """Close the file; the memory itself goes when the last tensor that views it does."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _rebuild(places: tuple[_Place, ...], duplicate: Any, size: int) -> SharedTensors:
    return SharedTensors(places, duplicate.detach(), size)
