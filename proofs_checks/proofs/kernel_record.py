"""The record of what Coq's kernel has checked, and which cell of the catalogue each theorem is about.

The record (``proofs_checks/kernel/record.json``, written by ``make kernel``) is data of the package: statements, what
they rest on, Coq's version, the sources by hash. `CELLS` says which of them is about which property of which
mechanism, read by hand against ``docs/properties.md``; a theorem that says less than a property stands for no cell.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Law = Literal["any", "from zero", "concave", "square root"]

DELIVERED = "data that is there as reported"
"""Said in the scope of what compares a buyer's true gain: others that overstate their data make a buyer lose."""

LAWS: dict[Law, str] = {
    "any": "any gain law", "from zero": "any gain law that starts at zero",
    "concave": "gain laws that start at zero and rise with falling increments, as all concave and power laws do",
    "square root": "the paper's gain law sqrt(K/n) - sqrt(K/x)",
}  # fmt: skip
"""What is said of the gain laws that a theorem is about."""

_EXACT = (
    "selection solved exactly (gap 0), ties broken by nothing but what enters the importer's problem: a gap ε of an "
    "importer may cost up to 2ε"
)
_FIXED = "prices that read no cost and no gain; every importer takes a best set of the willing sellers (gap 0)"
_CLOCK = (
    "a clock that hears who has left, or brings nothing, and nobody else; every importer takes a best set of those who "
    "stay (gap 0)"
)
_POOL = "every importer takes a best set of its pool (gap 0)"
_ROOTS = "thresholds are exact roots; that they exist is proved for the paper's law"
_MEASURED = "what a model counts for an importer is measured: no report moves it"
_BEST = "the outcome is a best one of a finite set that no report changes"
_AUCTION = "ties to the first agent"
_GIVEN = "one clearing, its differences given: later rounds, and uploads that move them, are not covered"
_ANY_PRIOR = "truth is best whatever is true of the others, so on average over every prior"
_VALID = "sizes > 0; costs, gain parameters, differences and the penalty's weight >= 0"


@dataclass(frozen=True)
class Cell:
    """A theorem about one property of one mechanism, by name, and under which premises.

    ``law``: for which gain laws, "any", those that start "from zero" where nothing is bought, "concave" ones that rise
    from zero, or the paper's "square root". ``delivered``: others' data are as reported. ``premises``: in words.
    """

    theorem: str
    premises: tuple[str, ...]
    law: Law = "any"
    delivered: bool = False


@dataclass(frozen=True)
class KernelTheorem:
    """A theorem that Coq's kernel has checked, for every number of clients, in exact arithmetic.

    ``words``, ``coq``: the statement. ``assumptions``: axioms of Coq's standard library that it rests on. ``scope``:
    its premises in words; ``law``, ``delivered``: as in `Cell`. ``file``: the audit file that states it. ``sources``:
    the SHA-256 of each source. ``checked``: "recorded", or "here" where this machine has just checked the sources.
    """

    mechanism: str
    property: str
    name: str
    words: str
    coq: str
    assumptions: tuple[str, ...]
    scope: str
    law: Law
    delivered: bool
    file: str
    version: str
    sources: dict[str, str]
    checked: str = "recorded"

    def to_dict(self) -> dict[str, Any]:
        """Return what a verdict says of the theorem as JSON; the sources stay in the record."""
        told = asdict(self) | {"assumptions": list(self.assumptions)}
        del told["sources"]
        return told


def _market(mechanism: str, rule: str, **cells: tuple[str, Law, bool]) -> dict[tuple[str, str], Cell]:
    """Return a mechanism's cells; an underscore in a property's name stands for a hyphen."""
    return {
        (mechanism, prop.replace("_", "-")): Cell(theorem, (rule, _VALID, _GIVEN), law, delivered)
        for prop, (theorem, law, delivered) in cells.items()
    }


def _auction(mechanism: str, premise: str, **cells: str) -> dict[tuple[str, str], Cell]:
    return {(mechanism, prop.replace("_", "-")): Cell(theorem, (premise,)) for prop, theorem in cells.items()}


CELLS: dict[tuple[str, str], Cell] = {
    **_market(
        "ipfl-exact", _EXACT, dsic_cost=("ipfl_exact_cost", "any", False), ir=("ipfl_exact_rational", "concave", True),
        ir_buyer=("ipfl_exact_buyers", "concave", True), ir_seller=("ipfl_exact_sellers", "any", False),
        budget_balance=("ipfl_exact_budget", "any", False), efficiency=("ipfl_exact_best", "any", False),
        monotonicity=("ipfl_exact_monotone", "any", False),
    ),
    **_market(
        "exact-marginal", _EXACT, ir=("exact_marginal_rational", "concave", True),
        ir_buyer=("exact_marginal_buyers", "concave", True), ir_seller=("exact_marginal_sellers", "any", False),
        budget_balance=("exact_marginal_budget", "any", False), efficiency=("exact_marginal_best", "any", False),
        monotonicity=("exact_marginal_monotone", "any", False),
    ),
    **_market(
        "ipfl", _ROOTS, ir=("ipfl_rational", "concave", True), ir_buyer=("ipfl_buyers", "concave", True),
        ir_seller=("ipfl_sellers", "concave", False), budget_balance=("ipfl_budget", "any", False),
        monotonicity=("ipfl_sells_less_sqrt", "square root", False),
    ),
    **_market(
        "posted-price", _FIXED, dsic_cost=("posted_cost", "any", False), dsic_gain=("posted_gain", "any", True),
        ir=("posted_rational", "from zero", True), ir_buyer=("posted_buyers", "from zero", True),
        ir_seller=("posted_sellers", "any", False), budget_balance=("posted_budget", "any", False),
        monotonicity=("posted_monotone", "any", False),
    ),
    **_market(
        "pooled-price", _POOL, dsic_cost=("pooled_cost", "any", False), dsic_gain=("pooled_gain", "any", True),
        ir=("pooled_rational", "from zero", True), ir_buyer=("pooled_buyers", "from zero", True),
        ir_seller=("pooled_sellers", "any", False), budget_balance=("pooled_budget", "any", False),
        monotonicity=("pooled_monotone", "any", False),
    ),
    **_market(
        "clock-price", _CLOCK, dsic_cost=("clock_cost", "any", False), dsic_gain=("clock_gain", "any", True),
        ir=("clock_rational", "from zero", True), ir_buyer=("clock_buyers", "from zero", True),
        ir_seller=("clock_sellers", "any", False), budget_balance=("clock_budget", "any", False),
        monotonicity=("clock_monotone", "any", False),
    ),
    **_market(
        "vcg-two-sided", _EXACT, dsic_cost=("two_sided_cost", "any", False), dsic_gain=("two_sided_gain", "any", True),
        ir=("two_sided_rational", "from zero", True), ir_buyer=("two_sided_buyers", "from zero", True),
        ir_seller=("two_sided_sellers", "any", False), efficiency=("two_sided_best", "any", False),
        monotonicity=("two_sided_monotone", "any", False),
    ),
    **_market(
        "shapley-split", _EXACT, ir=("shapley_rational", "concave", True),
        ir_buyer=("shapley_buyers", "concave", True), ir_seller=("shapley_sellers", "concave", False),
        budget_balance=("shapley_budget", "any", False), efficiency=("shapley_best", "any", False),
        monotonicity=("shapley_sells_less", "any", False),
    ),
    **_market(
        "realised", _EXACT, expost_cost=("realised_truth", "any", False), expost_gain=("realised_truth", "any", False),
        expost_size=("realised_truth", "any", False), ir=("realised_rational", "from zero", True),
        efficiency=("realised_best", "any", False), monotonicity=("realised_monotone", "any", False),
    ),
    **_market("realised", f"{_EXACT}; {_ANY_PRIOR}", bic=("realised_expost_all", "any", False)),
    **_market(
        "realised-bilateral", _EXACT, expost_cost=("realised_bilateral_cost", "any", False),
        ir=("realised_bilateral_rational", "concave", True), budget_balance=("realised_bilateral_budget", "any", False),
        efficiency=("realised_bilateral_best", "any", False),
        monotonicity=("realised_bilateral_monotone", "any", False),
    ),
    **_market(
        "no-payment", "everyone imports from everyone", dsic=("no_payment_truth", "any", False),
        dsic_cost=("no_payment_truth", "any", False), dsic_gain=("no_payment_truth", "any", False),
        dsic_size=("no_payment_truth", "any", False), ir_buyer=("no_payment_buyers", "concave", True),
        budget_balance=("no_payment_budget", "any", False), monotonicity=("no_payment_sells_same", "any", False),
    ),
    **_market(
        "ipfl-exact-effective", f"{_EXACT}; {_MEASURED}", dsic_cost=("ipfl_exact_cost", "any", False),
        ir=("ipfl_exact_rational", "concave", False), ir_buyer=("ipfl_exact_buyers", "concave", False),
        ir_seller=("ipfl_exact_sellers", "any", False), budget_balance=("ipfl_exact_budget", "any", False),
        efficiency=("ipfl_exact_best", "any", False), monotonicity=("ipfl_exact_monotone", "any", False),
    ),
    **_market(
        "pooled-price-effective", f"{_POOL}; {_MEASURED}", dsic=("pooled_all", "any", False),
        dsic_cost=("pooled_cost", "any", False), dsic_gain=("pooled_gain", "any", False),
        dsic_size=("pooled_size", "any", False), ir=("pooled_rational", "from zero", False),
        ir_buyer=("pooled_buyers", "from zero", False), ir_seller=("pooled_sellers", "any", False),
        budget_balance=("pooled_budget", "any", False), monotonicity=("pooled_monotone", "any", False),
    ),
    **_market(
        "clock-price-effective", f"{_CLOCK}; {_MEASURED}", dsic=("clock_all", "any", False),
        dsic_cost=("clock_cost", "any", False), dsic_gain=("clock_gain", "any", False),
        dsic_size=("clock_size", "any", False), ir=("clock_rational", "from zero", False),
        ir_buyer=("clock_buyers", "from zero", False), ir_seller=("clock_sellers", "any", False),
        budget_balance=("clock_budget", "any", False), monotonicity=("clock_monotone", "any", False),
    ),
    **_auction("second-price", f"{_AUCTION}; reserve 0, values >= 0", dsic="second_price_truth",
               ir="second_price_truth"),
    **_auction("second-price-reserve", _AUCTION, dsic="second_price_truth", ir="second_price_truth"),
    **_auction("posted-price-single", _AUCTION, dsic="in_turn_truth", ir="in_turn_truth"),
    **_auction("myerson", f"{_AUCTION}; inverses of virtual values rise", dsic="optimal_truth", ir="optimal_truth"),
    **_auction(
        "greedy-knapsack", f"{_AUCTION}; values >= 0, sizes > 0", dsic="knapsack_truth", ir="knapsack_rational"
    ),
    **_auction("median-vote", "single-peaked preferences on a line", dsic="median_truth"),
    **_auction("mcafee", f"{_AUCTION}; bids and asks within bounds", dsic="mcafee_truth", ir="mcafee_rational",
               ir_buyer="mcafee_rational", ir_seller="mcafee_rational"),
    **_auction("clarke-public-good", _BEST, dsic="vcg_truth", efficiency="vcg_best",
               weak_budget_balance="vcg_weak_balance"),
    **{
        key: cell
        for name in ("vcg-positions", "vcg-combinatorial")
        for key, cell in _auction(name, f"{_BEST}; values >= 0", dsic="vcg_truth", ir="vcg_rational",
                                  efficiency="vcg_best", weak_budget_balance="vcg_weak_balance").items()
    },
}  # fmt: skip
"""(mechanism, property) to its theorem: each says the whole property, as docs/properties.md defines it, or more."""


@cache
def record() -> dict[str, Any]:
    """Return the packaged record: Coq's version (``coq``), ``sources`` by hash, ``theorems``."""
    found: dict[str, Any] = json.loads((files("proofs_checks") / "kernel" / "record.json").read_text("utf-8"))
    return found


def stated(name: str) -> dict[str, Any]:
    """Return what the record holds of a theorem: words, statement, assumptions (axioms), file.

    `KeyError` if the record holds no theorem of the name.
    """
    return {str(theorem["name"]): theorem for theorem in record()["theorems"]}[name]


@dataclass(frozen=True)
class KernelProof:
    """A reference to a theorem of the record: its name, Coq's version, and the digest of the sources checked."""

    theorem: str
    coq: str
    sources: str


def reference(theorem: KernelTheorem) -> KernelProof:
    """Return the reference that a certificate holds to a theorem."""
    lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(theorem.sources.items()))
    return KernelProof(theorem.name, theorem.version, hashlib.sha256(lines.encode()).hexdigest())


def kernel_theorem(mechanism_id: str, property_name: str) -> KernelTheorem | None:
    """Return the theorem that says the property of the catalogue's mechanism, or None where the kernel has none."""
    cell = CELLS.get((mechanism_id, property_name))
    if cell is None:
        return None
    kept = record()
    told = stated(cell.theorem)
    market = cell.premises[-1] == _GIVEN
    parts = ["every number of clients" if market else "every number of agents", "exact arithmetic", *cell.premises]
    parts += [LAWS[cell.law]] * market + [DELIVERED] * cell.delivered
    return KernelTheorem(
        mechanism_id, property_name, told["name"], told["words"], told["statement"], tuple(told["assumptions"]),
        "; ".join(parts), cell.law, cell.delivered, told["file"], kept["coq"], kept["sources"],
    )  # fmt: skip


def kernel_refutations() -> dict[tuple[str, str], str]:
    """Return the theorems that refute a property of a mechanism, for every way of breaking ties: by both, the name."""
    return {
        (theorem["mechanism"], theorem["property"].removeprefix("not ")): str(theorem["name"])
        for theorem in record()["theorems"]
        if theorem["property"].startswith("not ")
    }
