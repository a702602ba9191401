"""Pieces of work on the workers of a Dask cluster (extra ``cluster``), their results in order."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mechanism.errors import InputError, shown

_AHEAD = 3  # pieces for each worker that are sent before the first is fetched
_LOCAL = re.compile(r"local:([1-9]\d{0,2})")
HELP = "Dask scheduler tcp://HOST:PORT whose workers have marketproof and see the same folders, or local:N."
"""What an option says of an address."""


def spread(
    function: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], address: str, shared: object
) -> Iterator[Any]:
    """Call ``function(shared, *piece)`` for each of ``pieces`` on a Dask cluster; yield the results in their order.

    ``address``: of a scheduler, tcp://HOST:PORT, whose workers have marketproof installed; or "local:N", N workers on
    this machine. ``shared`` is sent to every worker once; a worker that is lost has its pieces done by others.
    `InputError` if Dask is not installed or the cluster cannot be reached; what a piece raises is raised here.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError("--cluster needs Dask; install it with: pip install 'marketproof[cluster]'") from None
    local = _LOCAL.fullmatch(address)
    cluster: Any = None
    try:
        if local:
            cluster = LocalCluster(n_workers=int(local[1]), threads_per_worker=1, dashboard_address=None)
        client = Client(address if cluster is None else cluster, timeout=10)
    except (OSError, ValueError, TypeError) as failed:
        raise InputError(
            f"--cluster {shown(address)} cannot be reached ({shown(str(failed))}); give tcp://HOST:PORT, or local:N"
        ) from None
    with client:
        try:
            placed = client.scatter(shared, broadcast=True, hash=False)
            waiting: deque[Any] = deque()
            ahead = _AHEAD * max(1, len(client.scheduler_info()["workers"]))
            for piece in pieces:
                waiting.append(client.submit(function, placed, *piece, pure=False))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            if cluster is not None:
                cluster.close()
