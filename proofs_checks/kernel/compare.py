"""Run the definitions that the theorems are about, and compare what `mechanism` answers on thousands of markets.

    python proofs_checks/kernel/compare.py                 5,400 markets, 600 of each mechanism
    python proofs_checks/kernel/compare.py --markets 100   fewer

The Coq definitions (`execute/Compare.v`) are extracted to OCaml and compiled in a temporary folder. Markets are written
in rational numbers: dyadic sizes, costs, gains and differences, the gain law K/n - K/x or a concave table, plain data.
Imports must be a best set (its objective exactly the best one, in rationals: ties are the program's to break), prices
and utilities agree to 1e-12 of the market's scale (``ipfl``, whose thresholds are roots: 1e-7). Then the answers are
bent, and faults are planted in the source of the Python kernels: each must be seen.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from mechanism.market.accounting import Outcome, account
from mechanism.market.allocation import kernels, selection
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.gains import PowerGain, TableGain
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.settling import settled
from proofs_checks.kernel import check

RULES = (
    "ipfl-exact",
    "exact-marginal",
    "posted-price",
    "pooled-price",
    "vcg-two-sided",
    "realised",
    "realised-bilateral",
    "no-payment",
    "ipfl",
)
"""The mechanisms in the order of `v_rule` in ``Compare.v``."""

BITS = 44  # prices and utilities are rounded to so many binary places: 6e-14, well within the tolerance


@dataclass(frozen=True, eq=False)
class Case:
    """A market, and what the program answered: imports and prices ``[m, m]``, utilities ``[m]``, money."""

    rule: str
    reports: Reports
    market: Market
    table: tuple[tuple[float, float], ...]
    imports: NDArray[np.bool_]
    prices: NDArray[np.float64]
    utility: NDArray[np.float64]


def draw(rule: str, rng: np.random.Generator) -> Case:
    """Draw a market of 2 to 5 clients with dyadic numbers and clear it."""
    m = int(rng.integers(2, 6))
    size = rng.integers(1, 17, m).astype(float)
    cost = rng.integers(0, 33, m) / 16
    gain = rng.integers(0, 65, m).astype(float)
    differences = rng.integers(0, 17, (m, m)) / 8
    np.fill_diagonal(differences, 0.0)
    law: PowerGain | TableGain = PowerGain(1.0)
    if rng.integers(2):
        knots = np.cumsum(rng.integers(1, 16, 4)).astype(float)
        slopes = np.sort(rng.integers(0, 33, 3))[::-1] / 64
        law = TableGain(tuple(knots), tuple(np.concatenate([[0.0], np.cumsum(slopes * np.diff(knots))])))
    market = Market(differences, float(rng.integers(0, 9)) / 32, law)
    reports = Reports(size, cost, gain)
    types = Types(size, cost, gain)
    mechanism = market_mechanism(rule)
    outcome: Outcome = settled(mechanism, mechanism.clear(reports, market), types)
    table = tuple((float(x), float(y)) for x, y in zip(*law.knots, strict=True)) if isinstance(law, TableGain) else ()
    utility = account(types, outcome, market).utility
    return Case(rule, reports, market, table, outcome.imports, outcome.prices, utility)


def _rational(number: float, bits: int | None = None) -> str:
    exact = Fraction(float(number))
    if bits is not None:
        exact = Fraction(round(exact * 2**bits), 2**bits)
    return f"{exact.numerator} {exact.denominator}"


def written(case: Case) -> str:
    """Return a case as one line for the extracted program."""
    reports, m = case.reports, case.reports.clients
    scale = max(1.0, float(np.abs(case.utility).max()), float(reports.gain.max()))
    x = selection.thresholds(reports, case.market) if case.rule == "ipfl" else np.full((m, m), np.inf)
    tolerance = Fraction(int(scale), 10**7 if case.rule == "ipfl" else 10**12)
    differences = case.market.differences
    assert differences is not None
    parts: list[str] = [str(RULES.index(case.rule)), str(m)]
    for vector in (reports.size, reports.cost, reports.gain, differences.ravel(), [case.market.lam]):
        parts += [_rational(value) for value in vector]
    parts.append(str(len(case.table)))
    parts += [_rational(value) for knot in case.table for value in knot]
    for row in case.imports:
        parts += [str(int(row.sum())), *(str(j) for j in np.flatnonzero(row))]
    parts += [_rational(value, BITS) for value in (*case.prices.ravel(), *case.utility)]
    parts += ["0" if np.isinf(value) else "1 " + _rational(value, BITS) for value in x.ravel()]
    parts.append(f"{tolerance.numerator} {tolerance.denominator}")
    return " ".join(parts)


def program(folder: Path) -> Path:
    """Build the extracted program in an empty folder and return it."""
    check.copy(folder)
    check.build(folder, ["execute/Extract.vo"])
    shutil.copy(check.HERE / "execute" / "main.ml", folder)
    check.run(
        "ocamlfind", "ocamlopt", "-w", "-a", "-O3", "agrees.mli", "agrees.ml", "main.ml", "-o", "agrees", cwd=folder
    )
    return folder / "agrees"


def disagreeing(agrees: Path, cases: Iterable[Case]) -> list[int]:
    """Return the numbers of the cases on which the kernel's definitions and the program disagree."""
    lines = [written(case) for case in cases]
    text = f"{len(lines)}\n" + "\n".join(lines) + "\n"
    done = subprocess.run([str(agrees)], input=text, capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


FAULTS: dict[str, tuple[str, Callable[[Case], Case]]] = {
    "prices a billionth too high": ("ipfl-exact", lambda c: replace(c, prices=c.prices * (1 + 1e-9))),
    "utilities a billionth too high": ("realised", lambda c: replace(c, utility=c.utility * (1 + 1e-9))),
    "prices of importer and seller exchanged": ("pooled-price", lambda c: replace(c, prices=c.prices.T.copy())),
    "nobody exports": ("no-payment", lambda c: replace(c, imports=np.zeros_like(c.imports))),
}
"""Answers that are bent: of which mechanism, and how."""

KERNEL_FAULTS: dict[str, tuple[str, str, str]] = {
    "penalty not divided by the own size": ("vcg-two-sided", "* (data[j] / own)", "* data[j]"),
    "penalty kept out of the choice": ("ipfl-exact", "= cost[b, j] + c_pen[count]", "= cost[b, j]"),
    "own data not counted by the threshold": ("ipfl", "if total + size[j] < -mark[j]", "if total < -mark[j]"),
    "search goes on after a failure": ("ipfl", "elif not skip:", "elif skip:"),
    "rising thresholds": ("ipfl", "mark[order[b - 1]] > mark[a]", "mark[order[b - 1]] < mark[a]"),
    "marginal price without the penalty": ("exact-marginal", "rest_size) - c_pen[a]", "rest_size)"),
    "marginal price of the whole set": ("exact-marginal", "top - level(law, k, rest_size)", "top - floor"),
    "critical value without the cost": ("ipfl-exact", "= cost[b, client[a]] + max(0.0", "= max(0.0"),
    "critical value that forgets what was spent": ("ipfl-exact", "- floor - spent", "- floor"),
    "the seller left in for its own pivot": ("ipfl-exact", "if q != p:", "if q >= 0:"),
    "search that stops too early": ("realised", "if bound <= best + slack:", "if bound <= 1.1 * best + slack:"),
    "dominance by size or price": ("exact-marginal", "[depth] and price[a]", "[depth] or price[a]"),
    "half of the sellers not looked at": ("posted-price", "if c_price[a] < level(", "if 2.0 * c_price[a] < level("),
}
"""Faults in the source of ``mechanism.market.allocation.kernels``: the mechanism to ask, the text, what replaces it."""


@contextmanager
def faulty_kernels(right: str, wrong: str) -> Iterator[None]:
    """Let `mechanism` clear with kernels whose source has a fault (plain Python: markets here are small)."""
    source = Path(str(kernels.__file__)).read_text()
    if source.count(right) < 1:
        raise SystemExit(f"the kernels do not say {right!r} any more: update KERNEL_FAULTS")
    module = ModuleType("faulty_kernels")
    exec(compile(source.replace(right, wrong), "faulty_kernels", "exec"), module.__dict__)
    selection.kernels = module
    try:
        yield
    finally:
        selection.kernels = kernels


def main() -> int:
    """Compare, plant the faults, and print what was found; status 1 where something is amiss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markets", type=int, default=600, help="of each mechanism (default 600)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not shutil.which("coqc"):
        sys.stderr.write("Coq is not installed here (Debian: apt-get install --no-install-recommends coq)\n")
        return 2
    amiss = 0
    with tempfile.TemporaryDirectory() as folder:
        agrees = program(Path(folder))
        rng = np.random.default_rng(options.seed)
        drawn = {rule: [draw(rule, rng) for _ in range(options.markets)] for rule in RULES}
        for rule, cases in drawn.items():
            differ = disagreeing(agrees, cases)
            traded = sum(int(case.imports.sum()) for case in cases)
            sys.stdout.write(
                f"{rule:20} {len(cases)} markets, {traded} imports, {len(differ)} differ {differ[:5] or ''}\n"
            )
            amiss += len(differ)
        for name, (rule, bend) in FAULTS.items():
            seen = len(disagreeing(agrees, [bend(case) for case in drawn[rule][:200]]))
            sys.stdout.write(f"bent answers: {name}: seen in {seen} of 200\n")
            amiss += not seen
        for name, (rule, right, wrong) in KERNEL_FAULTS.items():
            rng = np.random.default_rng(options.seed)
            with faulty_kernels(right, wrong):
                cases = [draw(rule, rng) for _ in range(200)]
            seen = len(disagreeing(agrees, cases))
            sys.stdout.write(f"faulty kernels: {name}: seen in {seen} of 200\n")
            amiss += not seen
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main())
