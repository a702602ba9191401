"""Every property of `mechanism.PROPERTIES` as an object, with its formula."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from mechanism.entry import PROPERTIES as STATEMENTS
from mechanism.errors import unknown
from proofs_checks.properties.core import Core
from proofs_checks.properties.expectation import BayesTruthful, InterimRational
from proofs_checks.properties.monotone import CyclicallyMonotone, Monotone
from proofs_checks.properties.property import Property
from proofs_checks.properties.rational import Balanced, Efficient, Rational
from proofs_checks.properties.split_merge import MergeProof, SplitProof
from proofs_checks.properties.symmetry import Anonymous, NonBossy
from proofs_checks.properties.truthful import GroupTruthful, Truthful

_TRUTHFUL = "U_i(θ_i, r_-i) >= U_i(r_i, r_-i) for all θ_i, r_i, r_-i"
_EX_POST = "U_i(θ_i, θ_-i) >= U_i(r_i, θ_-i) for all θ, r_i"
_RATIONAL = "U_i(θ) >= 0 for all θ, i"


def _make(build: type[Property], name: str, formula: str, **parameters: object) -> Property:
    return build(name, STATEMENTS[name], formula, **parameters)


PROPERTY: Mapping[str, Property] = MappingProxyType(
    {
        prop.id: prop
        for prop in (
            _make(Rational, "ir", _RATIONAL),
            _make(Rational, "ir-buyer", "the buyer's part of U_i(θ) >= 0", part="buyer"),
            _make(Rational, "ir-seller", "the seller's part of U_i(θ) >= 0", part="seller"),
            _make(InterimRational, "interim-ir", "E[U_i(θ_i, θ_-i)] >= 0 for all θ_i"),
            _make(Truthful, "dsic", _TRUTHFUL),
            *(
                _make(Truthful, f"dsic-{x}", f"{_TRUTHFUL}, r_i false in the {x} only", coordinate=x)
                for x in ("cost", "gain", "size")
            ),
            *(
                _make(Truthful, f"expost-{x}", f"{_EX_POST} false in the {x} only", coordinate=x, others="truthful")
                for x in ("cost", "gain", "size")
            ),
            _make(BayesTruthful, "bic", "E[U_i(θ_i, θ_-i)] >= E[U_i(r_i, θ_-i)] for all θ_i, r_i"),
            _make(Balanced, "budget-balance", "sum_i t_i = 0"),
            _make(Balanced, "weak-budget-balance", "sum_i t_i >= 0", weak=True),
            _make(Efficient, "efficiency", "W(f(θ), θ) = max_x W(x, θ)"),
            _make(Monotone, "monotonicity", "x_i(r_i', r_-i) >= x_i(r_i, r_-i) for r_i' > r_i (a seller's: <=)"),
            _make(
                CyclicallyMonotone,
                "cyclic-monotonicity",
                "sum_k U_i(t_k, f(t_k)) >= sum_k U_i(t_k, f(t_k+1)) for every cycle of types",
            ),
            _make(Anonymous, "anonymity", "f(π(θ)) = π(f(θ)) for every relabelling π, exact ties aside"),
            _make(NonBossy, "non-bossiness", "f_i(r_i', r_-i) = f_i(r) implies f(r_i', r_-i) = f(r)"),
            _make(
                GroupTruthful,
                "group-dsic",
                "no T, r_T: U_i(r_T, θ_-T) >= U_i(θ) for all i in T, one strictly",
            ),
            _make(SplitProof, "split-proof", "U_j + U_j' as two <= U_j as one"),
            _make(MergeProof, "merge-proof", "U_jk as one <= U_j + U_k as two"),
            _make(Core, "core", "sum_{i in T} U_i >= v(T) for every coalition T"),
        )
    }
)
"""Property objects by id."""

VARIANTS: Mapping[str, Property] = MappingProxyType(
    {
        prop.name: prop
        for prop in (
            GroupTruthful(
                "group-dsic",
                "no coalition can report so that all of it gain, without side payments",
                "no T, r_T: U_i(r_T, θ_-T) > U_i(θ) for all i in T",
                strong=False,
            ),
            SplitProof(
                "split-proof",
                "no client gains by selling as two, each of them at half its cost",
                "U_j + U_j' as two at c_j/2 each <= U_j as one at c_j",
                cost_rule="half",
            ),
            MergeProof(
                "merge-proof",
                "no two clients gain by selling as one at the lower of their costs",
                "U_jk as one at min(c_j, c_k) <= U_j + U_k as two",
                cost_rule="min",
            ),
        )
    }
)
"""Variants of properties, by name: ``group-dsic=weak``, ``split-proof=half``, ``merge-proof=min``; asked for only."""

FOLLOWS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "interim-ir": ("ir",),
        "bic": ("dsic",),
        "weak-budget-balance": ("budget-balance",),
        "dsic-cost": ("dsic",),
        "dsic-gain": ("dsic",),
        "dsic-size": ("dsic",),
        "expost-cost": ("dsic-cost", "dsic"),
        "expost-gain": ("dsic-gain", "dsic"),
        "expost-size": ("dsic-size", "dsic"),
        "monotonicity": ("dsic",),
        "cyclic-monotonicity": ("dsic",),
    }
)
"""What each property follows from: a proof of one of these is a proof of it (single-parameter for monotonicity)."""


def properties(ids: Iterable[str] | None = None) -> list[Property]:
    """Return property objects by their ids or names of `VARIANTS`, in the order given; by default all but variants.

    Raises
    ------
    UnknownNameError
        If an id is none of `mechanism.PROPERTIES` nor a variant of one.
    """
    known = {**PROPERTY, **VARIANTS}
    chosen = list(PROPERTY) if ids is None else list(dict.fromkeys(ids))
    if missing := [name for name in chosen if name not in known]:
        raise unknown("property", missing[0], known)
    return [known[name] for name in chosen]
