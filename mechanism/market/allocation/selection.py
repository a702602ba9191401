"""From reports of any batch shape to the flat arrays that the kernels take, and back.

The kernels run as plain Python for small work, compiled and on several threads above it. Compiled code is cached beside
the source where that can be written, else it lives as long as the process. The number of threads changes no bit of a
result: importers are independent of each other.
"""

import importlib.util
import math
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import InvalidMarketError
from mechanism.market.accounting import SEARCH, TIE, Outcome, objective, values
from mechanism.market.allocation import kernels
from mechanism.market.clients import Market, Reports
from mechanism.market.gains import CONCAVE

Result = TypeVar("Result")

PLAIN_WORK = 2_000
"""Below this many (importer, exporter) pairs plain Python answers sooner than the compiler loads."""

_MOST_LISTED = 12  # clients of whose sellers all sets are listed

_NAME = "mechanism.market.allocation.kernels_compiled"
_lock = threading.Lock()

BYTES: int = 1 << 28
"""Memory for one batch of clearings, bytes."""

NODE_LIMIT: int = 100_000
"""Nodes of one selection search before it stops and tells its gap."""


def rows_at_once(clients: int) -> int:
    """Return how many clearings of this many clients fit into `BYTES` (outputs and intermediates, eight matrices)."""
    return max(1, BYTES // (64 * clients * clients))


def run_kernels(
    reports: Reports,
    market: Market,
    *,
    allocation: int,
    payment: int,
    imports: NDArray[np.bool_] | None = None,
    node_limit: int = NODE_LIMIT,
    mode: str = "auto",
) -> Outcome:
    """Clear every market of the batch with one allocation and one payment code of the kernels.

    `InvalidMarketError` if the parts are for different numbers of clients or their batch axes do not broadcast.

    ``reports`` ``[..., m]``; leading axes of ``market.differences`` and ``imports`` broadcast against its batch axes.
    ``imports``: needed with `kernels.GIVEN`, the allocation to be priced, bool ``[..., m, m]``. ``node_limit``: see
    `NODE_LIMIT`. ``mode``: "auto", "plain" or "compiled", where the kernels run; no effect beyond the last bit.
    """
    m = reports.clients
    d = market.differences if market.differences is not None and market.lam > 0.0 else np.zeros((m, m))
    e = market.effective
    for name, array in (("differences", d), ("effective sizes", e), ("imports", imports)):
        if array is not None and array.shape[-2:] != (m, m):
            raise InvalidMarketError(
                f"{name} are for {array.shape[-1]} clients, the reports for {m}; give one row and column per client"
            )
    try:
        own = () if imports is None else imports.shape[:-2]
        batch = np.broadcast_shapes(reports.batch, d.shape[:-2], () if e is None else e.shape[:-2], own)
    except ValueError:
        raise InvalidMarketError(
            f"batch axes do not broadcast: reports {reports.batch}, differences and effective sizes {market.batch}"
        ) from None
    count = math.prod(batch)
    # not `Reports.flat`, nor a broadcast to what it already is: either costs as much as clearing a small market
    spread = (lambda part: part) if batch == reports.batch else (lambda part: np.broadcast_to(part, (*batch, m)))
    parts = (reports.size, reports.cost, reports.gain)
    flat = [np.ascontiguousarray(spread(part)).reshape(count, m) for part in parts]
    if imports is None:
        taken = np.zeros((count, m, m), dtype=np.bool_)
    else:
        taken = np.array(np.broadcast_to(imports, (*batch, m, m)), dtype=np.bool_).reshape(count, m, m)
    prices = np.zeros((count, m, m))
    gap = np.zeros((count, m))
    clear_importers(
        count * m, count * m * m, *flat, *matrices_of(market.counted(reports.size), batch), *matrices_of(d, batch),
        float(market.lam), market.law.kernel_form(),
        allocation, payment, node_limit, TIE, SEARCH, taken, prices, gap, mode=mode,
    )  # fmt: skip
    shape = (*batch, m, m)
    return Outcome(taken.reshape(shape), prices.reshape(shape), np.zeros((*batch, m)), gap.reshape(*batch, m))


def matrices_of(matrices: NDArray[np.float64], batch: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return matrices ``[..., r, c]`` as a row ``[R, r, c]``, and the number of that of each clearing ``[count]``."""
    own = matrices.shape[:-2]
    if own == (1,) * len(own):  # one for all
        which = np.zeros(math.prod(batch), dtype=np.intp)
    else:
        which = np.ascontiguousarray(np.broadcast_to(np.arange(math.prod(own)).reshape(own), batch).reshape(-1))
    return np.ascontiguousarray(matrices.reshape(-1, *matrices.shape[-2:])), which


def thresholds(reports: Reports, market: Market) -> NDArray[np.float64]:
    """Return the reference rule's thresholds x_ij ``[..., m, m]`` in samples (paper, graph step).

    Row i importer, column j exporter: the root x > n_j of level(x) - level(x - n_j) = c_j + pen_ij; +inf where the
    right side is 0, n_j where there is no root (importer without gain: never taken), 0 on the diagonal. n_j is what j's
    model counts for i (`Market.counted`).
    """
    size, gain = reports.size, reports.gain
    price = reports.cost[..., None, :] + market.penalties(size)
    shape = price.shape
    n = np.broadcast_to(market.counted(size), shape).ravel()
    k = np.broadcast_to(gain[..., :, None], shape).ravel()
    x = np.empty(shape)
    fill = compiled().fill_thresholds if n.size > PLAIN_WORK else kernels.fill_thresholds
    fill(market.law.kernel_form(), k, n, price.ravel(), x.reshape(-1))
    diagonal = np.arange(reports.clients)
    x[..., diagonal, diagonal] = 0.0
    return x


def optimal_objective(reports: Reports, market: Market) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (value, gap), each ``[...]`` in money: the largest V_lambda on these reports and how sure that is.

    No allocation has an objective above value + gap; gap is 0 unless a search met its node limit. The search rests on a
    concave law: under one that is not known to be (`gains.CONCAVE`) all sets of sellers are listed, by the law's own
    values, and `InvalidMarketError` is raised where there are too many.
    """
    if type(market.law) not in CONCAVE:
        return _listed(reports, market)
    best = run_kernels(reports, market, allocation=kernels.EXACT, payment=kernels.NOTHING)
    return objective(reports, best.imports, market), np.asarray(best.gap.sum(axis=-1))


def _listed(reports: Reports, market: Market) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    m = reports.clients
    if m > _MOST_LISTED:
        raise InvalidMarketError(
            f"the gain law {market.law.name!r} is not known to be concave: all sets of sellers are listed to find the "
            f"best, for {_MOST_LISTED} clients at most, here are {m}"
        )
    best = np.full((*np.broadcast_shapes(reports.batch, market.batch), m), -np.inf)
    for bits in range(1 << (m - 1)):
        chosen = (bits >> np.arange(m - 1) & 1).astype(np.bool_)
        imports = np.array([np.insert(chosen, i, False) for i in range(m)])
        best = np.maximum(best, values(reports, imports, market))
    return best.sum(axis=-1), np.zeros(best.shape[:-1])


def compiled() -> ModuleType:
    """Return the kernels as machine code, loading (or compiling) them at the first call."""
    with _lock:
        module = sys.modules.get(_NAME)
        if module is None:
            spec = importlib.util.spec_from_file_location(_NAME, kernels.__file__)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[_NAME] = module
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[_NAME]
                raise
        return module


def clear_importers(tasks: int, pairs: int, *arguments: Any, mode: str = "auto") -> None:
    """Run `kernels.clear_importers` over tasks 0..tasks-1 (``pairs`` importer-exporter pairs in all).

    ``mode``: "plain", "compiled", or "auto" (compiled above `PLAIN_WORK` pairs, or once it is loaded anyway).
    """
    run = kernel("clear_importers", pairs, mode)
    in_pieces(lambda start, stop: run(start, stop, *arguments), tasks, pairs, mode)


def in_pieces(run: Callable[[int, int], Result], tasks: int, pairs: int, mode: str) -> list[Result]:
    """Return what ``run`` gives of tasks start..stop, in order: in one piece, or on several threads where it pays."""
    workers = 1 if pairs < 100 * PLAIN_WORK or mode == "plain" else min(os.cpu_count() or 1, 8, tasks)
    if workers < 2:
        return [run(0, tasks)]
    pieces = min(tasks, 4 * workers)  # a few each, so that uneven ones even out
    edges = [tasks * p // pieces for p in range(pieces + 1)]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, edges[:-1], edges[1:]))


def kernel(name: str, pairs: int, mode: str = "auto") -> Callable[..., Any]:
    """Return a kernel for this many importer-exporter pairs, as `clear_importers` says of ``mode``."""
    plain = mode == "plain" or (mode == "auto" and pairs < PLAIN_WORK and _NAME not in sys.modules)
    function: Callable[..., Any] = getattr(kernels if plain else compiled(), name)
    return function
