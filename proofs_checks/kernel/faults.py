"""Faults in the source of the Python kernels, which a comparison with the definitions in Coq must see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from mechanism.market.allocation import kernels, selection

KERNEL_FAULTS: dict[str, tuple[str, str, str]] = {
    "penalty not divided by the own size": ("vcg-two-sided", "* (data[j] / own)", "* data[j]"),
    "penalty kept out of the choice": ("ipfl-exact", "= cost[b, j] + c_pen[count]", "= cost[b, j]"),
    "own data not counted by the threshold": ("ipfl", "if total + size[j] < -mark[j]", "if total < -mark[j]"),
    "search goes on after a failure": ("ipfl", "elif not skip:", "elif skip:"),
    "rising thresholds": ("ipfl", "mark[order[b - 1]] > mark[a]", "mark[order[b - 1]] < mark[a]"),
    "search that never goes on": ("threshold-skip", "elif not skip:", "else:"),
    "marginal price without the penalty": ("exact-marginal", "rest_size) - c_pen[a]", "rest_size)"),
    "marginal price of the whole set": ("exact-marginal", "top - level(law, k, rest_size)", "top - floor"),
    "critical value without the cost": ("ipfl-exact", "= cost[b, client[a]] + max(0.0", "= max(0.0"),
    "critical value that forgets what was spent": ("ipfl-exact", "- floor - spent", "- floor"),
    "the seller left in for its own pivot": ("ipfl-exact", "kept, p, math.inf", "kept, -1, math.inf"),
    "search that stops too early": ("realised", "if bound <= best + slack:", "if bound <= 1.1 * best + slack:"),
    "dominance by size or price": ("exact-marginal", "[depth] and price[a]", "[depth] or price[a]"),
    "everybody's effective sizes are those of client 0": ("vcg-two-sided", "i if counted.shape[1] > 1 else 0", "0"),
    "of equal sellers the later one first": ("posted-price", "size[c] < size[a]", "size[c] <= size[a]"),
    "half of the sellers not looked at": ("posted-price", "if c_price[a] < level(", "if 2.0 * c_price[a] < level("),
}
"""Faults in the source of ``mechanism.market.allocation.kernels``: the mechanism to ask, the text, what replaces it."""


@contextmanager
def faulty_kernels(right: str, wrong: str) -> Iterator[None]:
    """Let `mechanism` clear with kernels whose source has a fault (plain Python: markets here are small)."""
    source = Path(str(kernels.__file__)).read_text()
    if right not in source:
        raise SystemExit(f"the kernels do not say {right!r} any more: update KERNEL_FAULTS")
    module = ModuleType("faulty_kernels")
    exec(compile(source.replace(right, wrong), "faulty_kernels", "exec"), module.__dict__)
    kept = selection.compiled
    selection.kernels, selection.compiled = module, lambda: module
    try:
        yield
    finally:
        selection.kernels, selection.compiled = kernels, kept
