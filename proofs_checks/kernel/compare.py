"""Run the definitions that the theorems are about, and compare what `mechanism` answers on thousands of markets.

    python proofs_checks/kernel/compare.py                 600 markets of each mechanism, and 20 larger ones
    python proofs_checks/kernel/compare.py --markets 100   fewer
    python proofs_checks/kernel/compare.py --record        all of it; writes compared.json beside this file

The Coq definitions (`execute/Compare.v`) are extracted to OCaml and compiled in a temporary folder. Markets are written
in rational numbers: dyadic sizes, costs, gains and differences, some with penalties and some with effective sizes, the
gain law K/n - K/x or a concave table. Imports must be exactly those of the rule, ties in the documented order (and a
best set of all), prices and utilities agree to 1e-12 (the numbers of a market are at most 64),
thresholds of ``ipfl``, which are irrational, to 1e-12 of their size: the sign of their equation changes there. Markets
of 20 to 50 clients are held against the code's own certificates by the checker that is proved in ``market/Checker.v``.
Then answers are bent, and faults are planted in the source of the Python kernels: each must be seen.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.market.accounting import Outcome, account
from mechanism.market.allocation import selection
from mechanism.market.allocation.certifying import certify
from mechanism.market.allocation.purchases import Purchases
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.gains import PowerGain, TableGain
from mechanism.market.mechanisms import MarketMechanism, market_mechanism
from mechanism.market.rules.clock_price import ClockPrice
from mechanism.market.settling import settled
from proofs_checks.kernel import check
from proofs_checks.kernel.faults import KERNEL_FAULTS, faulty_kernels

RULES = {
    **{
        name: market_mechanism(name)
        for name in (
            "ipfl-exact", "exact-marginal", "posted-price", "pooled-price", "vcg-two-sided", "realised",
            "realised-bilateral", "no-payment", "ipfl", "shapley-split",
        )
    },
    "clock-price": ClockPrice(power=0.0),
    "threshold-skip": MarketMechanism("threshold-skip", "threshold-skip", "marginal"),
}  # fmt: skip
"""The mechanisms in the order of `v_rule` in ``Compare.v``; the clock at one price a model: rational."""

SEARCHES = ("ipfl", "threshold-skip")

BITS = 50  # prices and utilities are rounded to so many binary places, 4e-16

TOLERANCE = Fraction(1, 10**12)
"""By how much a price or a utility may differ, money, and a threshold, of its size."""

LARGE = (20, 20, 25, 25, 30, 30, 35, 40, 45, 50) * 2
"""How many clients the larger markets have."""

FIGURES = check.HERE / "compared.json"


@dataclass(frozen=True, eq=False)
class Case:
    """A market, and what the program answered: imports and prices ``[m, m]``, utilities ``[m]``, money."""

    rule: str
    reports: Reports
    market: Market
    imports: NDArray[np.bool_]
    prices: NDArray[np.float64]
    utility: NDArray[np.float64]


def draw(rule: str, rng: np.random.Generator, clients: int | None = None) -> Case:
    """Draw a market of 2 to 5 clients (``shapley-split``: 4), or so many, with dyadic numbers, and clear it."""
    m = clients or int(rng.integers(2, 5 if rule == "shapley-split" else 6))
    size = rng.integers(1, 17, m).astype(float)
    effective = rng.integers(0, 17, (m, m)) * rng.integers(0, 2, (m, m)) / 2 if rng.integers(2) else None
    # thresholds never take who brings nothing, the definition does where it is free: it is about sizes above 0
    cost = rng.integers(rule in SEARCHES, 33, m) / 16
    gain = rng.integers(0, 65, m).astype(float)
    differences = rng.integers(0, 17, (m, m)) / 8
    np.fill_diagonal(differences, 0.0)
    law: PowerGain | TableGain = PowerGain(1.0)
    if clients is None and rule != "clock-price" and rng.integers(2):
        knots = np.cumsum(rng.integers(1, 16, 4)).astype(float)
        slopes = np.sort(rng.integers(0, 33, 3))[::-1] / 64
        law = TableGain(tuple(knots), tuple(np.concatenate([[0.0], np.cumsum(slopes * np.diff(knots))])))
    market = Market(differences, max(0, int(rng.integers(-2, 7))) / 32, law, effective)
    reports, types = Reports(size, cost, gain), Types(size, cost, gain)
    mechanism = RULES[rule]
    outcome: Outcome = settled(mechanism, mechanism.clear(reports, market), types)
    utility = account(types, outcome, market).utility
    return Case(rule, reports, market, outcome.imports, outcome.prices, utility)


def _rational(number: float | Fraction, bits: int | None = None) -> str:
    exact = Fraction(number)
    if bits is not None:
        exact = Fraction(round(exact * 2**bits), 2**bits)
    return f"{exact.numerator} {exact.denominator}"


def written(case: Case) -> str:
    """Return a case as text for the extracted program."""
    reports, m = case.reports, case.reports.clients
    x = selection.thresholds(reports, case.market) if case.rule in SEARCHES else np.full((m, m), np.inf)
    differences, effective = case.market.differences, case.market.effective
    assert differences is not None
    parts: list[str] = [str(list(RULES).index(case.rule)), str(m)]
    for vector in (reports.size, reports.cost, reports.gain, differences.ravel(), [case.market.lam]):
        parts += [_rational(value) for value in vector]
    parts += ["0"] if effective is None else [str(m), *(_rational(value) for value in effective.ravel())]
    table = list(zip(*case.market.law.knots, strict=True)) if isinstance(case.market.law, TableGain) else []
    parts += [str(len(table)), *(_rational(value) for knot in table for value in knot)]
    for row in case.imports:
        parts += _several(np.flatnonzero(row).tolist())
    parts += [_rational(value, BITS) for value in (*case.prices.ravel(), *case.utility)]
    parts += ["0" if np.isinf(value) else "1 " + _rational(value) for value in x.ravel()]
    return " ".join([*parts, _rational(TOLERANCE)])


def _several(clients: Sequence[int]) -> list[str]:
    return [str(len(clients)), *map(str, clients)]


def certificate(case: Case) -> str:
    """Return the code's certificate of a clearing by ``ipfl-exact`` at the law K/n - K/x as text for the program.

    A leaf of slope μ becomes the tangent at z = √(K/μ), rounded: any z will do, and a near one costs the bound little.
    """
    purchases = Purchases.of(case.reports, case.market)
    given = certify(purchases, case.imports, critical=True)
    nodes, slopes, others = iter(given.nodes.tolist()), iter(given.slopes.tolist()), iter(given.others)

    def tree(gain: float) -> Iterator[str]:
        open_ends = 1
        while open_ends:
            node = next(nodes)
            open_ends += 1 if node >= 0 else -1
            if node >= 0:
                yield str(node)
                continue
            slope = next(slopes)
            yield "-2 " + _rational((gain / slope) ** 0.5, 20) if slope > 0.0 and gain > 0.0 else "-1"

    parts: list[str] = []
    for gain, row, tolerance in zip(case.reports.gain, case.imports, purchases.tolerance, strict=True):
        bought = np.flatnonzero(row).tolist()
        parts += [_rational(Fraction(round(float(tolerance) * 1e15), 10**15)), *tree(float(gain)), str(len(bought))]
        for j in bought:
            parts += [str(j), *_several(sorted((set(bought) - {j}) ^ set(next(others)))), *tree(float(gain))]
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


def disagreeing(agrees: Path, cases: Sequence[Case], certificates: Sequence[str] = ()) -> list[int]:
    """Return the numbers of the cases on which the kernel's definitions and the program disagree.

    ``certificates``: of all cases, where they are too large to be searched whole.
    """
    lines = [f"{written(case)} 0" for case in cases]
    if certificates:
        lines = [f"{written(case)} 1 {text}" for case, text in zip(cases, certificates, strict=True)]
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


def compared(agrees: Path, markets: int, seed: int, large: Sequence[int] = LARGE) -> dict[str, Any]:
    """Compare so many markets of each mechanism, then larger ones, then faults; return what was found.

    ``rules``: by mechanism, ``markets``, ``effective`` and ``penalties`` among them, ``imports``, and which ``differ``;
    ``certified`` the same of larger markets; ``bent`` and ``faulty``: in how many of how many each fault was seen.
    """
    rng = np.random.default_rng(seed)
    drawn = {rule: [draw(rule, rng) for _ in range(markets)] for rule in RULES}
    few = min(markets, 200)
    found: dict[str, Any] = {"rules": {}, "bent": {}, "faulty": {}}

    def counted(cases: Sequence[Case], differ: list[int]) -> dict[str, Any]:
        return {
            "markets": len(cases), "effective": sum(case.market.effective is not None for case in cases),
            "penalties": sum(case.market.lam > 0.0 for case in cases),
            "imports": sum(int(case.imports.sum()) for case in cases), "differ": differ,
        }  # fmt: skip

    for rule, cases in drawn.items():
        found["rules"][rule] = counted(cases, disagreeing(agrees, cases))
    larger = [draw("ipfl-exact", rng, m) for m in large]
    certificates = [certificate(case) for case in larger]
    found["certified"] = counted(larger, disagreeing(agrees, larger, certificates))
    found["certified"]["clients"] = [min(large), max(large)]
    for name, (rule, bend) in FAULTS.items():
        found["bent"][name] = [len(disagreeing(agrees, [bend(case) for case in drawn[rule][:few]])), few]
    bent = [replace(case, prices=case.prices * (1 + 1e-6)) for case in larger]
    found["bent"]["prices of larger markets a millionth too high"] = [
        len(disagreeing(agrees, bent, certificates)), len(bent)
    ]  # fmt: skip
    for name, (rule, right, wrong) in KERNEL_FAULTS.items():
        rng = np.random.default_rng(seed)
        with faulty_kernels(right, wrong):
            cases = [draw(rule, rng) for _ in range(few)]
            lines = [written(case) for case in cases]
        found["faulty"][name] = [len(disagreeing(agrees, cases)), len(lines)]
    return found


def amiss(found: dict[str, Any]) -> list[str]:
    """Return what a comparison should not have found, in words."""
    parts = {**found["rules"], "certificates": found["certified"]}
    told = [f"{name}: markets {part['differ'][:5]} differ" for name, part in parts.items() if part["differ"]]
    return told + [
        f"not seen: {name}" for kind in ("bent", "faulty") for name, seen in found[kind].items() if not seen[0]
    ]


def main() -> int:
    """Compare, plant the faults, and print what was found; status 1 where something is amiss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markets", type=int, default=600, help="of each mechanism (default 600)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", action="store_true", help="write what was found into compared.json")
    options = parser.parse_args()
    if not shutil.which("coqc"):
        sys.stderr.write("Coq is not installed here (Debian: apt-get install --no-install-recommends coq)\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        found = compared(program(Path(folder)), options.markets, options.seed)
    for name, part in {**found["rules"], "certificates": found["certified"]}.items():
        sys.stdout.write(
            f"{name:20} {part['markets']} markets, {part['effective']} of effective sizes, {part['penalties']} with "
            f"penalties, {part['imports']} imports, {len(part['differ'])} differ\n"
        )
    for kind in ("bent", "faulty"):
        for name, (seen, of) in found[kind].items():
            sys.stdout.write(f"{kind}: {name}: seen in {seen} of {of}\n")
    if wrong := amiss(found):
        sys.stderr.write("".join(f"amiss: {line}\n" for line in wrong))
        return 1
    if options.record:
        FIGURES.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
