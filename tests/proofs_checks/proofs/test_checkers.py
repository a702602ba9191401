"""Each small checker against proofs that look right and are not."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mechanism import PowerGain, SqrtGain, TableGain
from proofs_checks.proofs import CertificateError, prove
from proofs_checks.proofs.derivation import Axiom, Derivation, Problem, Step, check_derivation, form
from proofs_checks.proofs.lemmas import TangentGap, check_falling_returns, check_tangent_gap, check_telescoping
from proofs_checks.proofs.prover import SCRIPTS, derive, falling_returns, tangent_gap, telescoping

TOY = Problem(
    {
        "a": Axiom("x[j] - y[j] >= 0", ""),
        "b": Axiom("y[j] >= 0", ""),
        "c": Axiom("z - y[j] = 0", ""),
        "yes": Axiom("w - 1 v = 0", "", case="q:yes"),
        "no": Axiom("w - 1 v = 0", "", case="q:no"),
        "after": Axiom("u >= 0", "", requires=("x[j] >= 0",)),
    },
    "Σx >= 0",
)
GOOD = (
    Step("x[j] - y[j] >= 0", "axiom", "a", ()), Step("y[j] >= 0", "axiom", "b", ()),
    Step("x[j] >= 0", "combine", "", ((0, 1), (1, 1))), Step("Σx >= 0", "sum", "j", ((2, 1),)),
)  # fmt: skip


def refused(*steps, problem=TOY):
    return check_derivation(Derivation("toy", steps), problem)


def test_the_toy_proof_is_accepted():
    assert refused(*GOOD) == []


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        (2, Step("x[j] >= 0", "combine", "", ((0, 1), (1, -1)))),
        (2, Step("x[j] >= 0", "combine", "", ((0, 1),))),
        (2, Step("x[j] = 0", "combine", "", ((0, 1), (1, 1)))),
        (2, Step("x[j] >= 0", "combine", "", ((0, 1), (3, 1)))),
        (2, Step("x[j] >= 0", "combine", "", ((0, 1), (-3, 1)))),
        (2, Step("x[j] >= 0", "axiom", "a", ())),
        (2, Step("x[j] >= 0", "guess", "", ())),
        (1, Step("y[j] >= 0", "axiom", "a", ())),
        (1, Step("y[j] >= 0", "axiom", "b", ((0, 1),))),
        (3, Step("Σx >= 0", "sum", "i", ((2, 1),))),
        (3, Step("Σx >= 0", "sum", "", ((2, 1),))),
        (3, Step("Σx - Σy >= 0", "sum", "j", ((0, 1),))),
    ],
)
def test_a_line_that_does_not_follow_is_refused(line, bad):
    assert refused(*GOOD[:line], bad, *GOOD[line + 1 :])


def test_a_sum_takes_indexed_lines_only():
    """Summing z - y[j] = 0 over j would need |S| times z."""
    steps = (Step("z - y[j] = 0", "axiom", "c", ()), Step("Σz - Σy = 0", "sum", "j", ((0, 1),)))
    assert "does not follow" in refused(*steps)[0]


def test_a_goal_under_one_case_only_is_no_proof():
    problem = Problem(TOY.axioms, "w - v = 0")
    yes, no = (Step("w - v = 0", "axiom", name, ()) for name in ("yes", "no"))
    assert refused(yes, problem=problem) == ["the goal is shown only in the case q:yes"]
    both = Step("w - v = 0", "cases", "q", ((0, 1), (1, 1)))
    assert refused(yes, no, both, problem=problem) == []
    assert refused(yes, yes, both, problem=problem) == ["the goal is shown only in the case q:yes"]


def test_a_conditional_axiom_needs_its_condition():
    problem = Problem(TOY.axioms, "u >= 0")
    assert refused(Step("u >= 0", "axiom", "after", ()), problem=problem)
    assert refused(*GOOD[:3], Step("u >= 0", "axiom", "after", ((2, 1),)), problem=problem) == []
    assert refused(*GOOD[:3], Step("u >= 0", "axiom", "after", ((1, 1),)), problem=problem)


@pytest.mark.parametrize("problem", SCRIPTS)
def test_no_proof_has_a_line_too_many(problem):
    """Without any one of its lines a proof no longer stands: every assumption is used."""
    from proofs_checks.proofs.problems import PROBLEMS

    proof = derive(problem)
    assert check_derivation(proof, PROBLEMS[problem]) == []
    for k in range(len(proof.steps)):
        assert check_derivation(replace(proof, steps=proof.steps[:k] + proof.steps[k + 1 :]), PROBLEMS[problem])
    used = {step.name for step in proof.steps if step.rule == "axiom"}
    assert used == set(PROBLEMS[problem].axioms)


@pytest.mark.parametrize("text", ["", "x", "x >= 1", "x + >= 0", "+ + x = 0", "x y = 0", "2 = 0", "x > 0", "1e3 x = 0"])
def test_what_is_no_linear_statement_is_refused(text):
    with pytest.raises(CertificateError):
        form(text)


def test_forms_are_read_as_they_are_written():
    assert str(form("2 x - x + 3 y - 3 y - z >= 0")) == "x - z >= 0"
    assert form(str(form("- 12 b[j] + Σa = 0"))) == form("Σa - 12 b[j] = 0")


@pytest.mark.parametrize(("p", "q"), [(1, 1), (1, 2), (2, 3), (3, 7), (9, 10), (1, 64)])
def test_tangent_gaps_hold_in_numbers(p, q):
    proof = tangent_gap(p, q)
    assert check_tangent_gap(proof) == []
    for x, y in itertools.product([0.3, 1.0, 7.0], repeat=2):
        s, t = x ** (-1 / q), y ** (-1 / q)
        gap = (s - t) ** 2 * sum(c * s**i * t**j for c, i, j in proof.quotient) / (q * s**q)
        law, slope = -(y ** (-p / q)), p / q * y ** (-p / q - 1)
        assert gap == pytest.approx(law + slope * (x - y) + x ** (-p / q), abs=1e-9)


def test_the_square_root_has_the_known_factor():
    """(s-t)²(2s+t), the tangent inequality of the design."""
    assert tangent_gap(1, 2).quotient == ((1, 0, 1), (2, 1, 0))
    assert check_tangent_gap(TangentGap(1, 2, ((2, 0, 1), (2, 1, 0))))
    assert check_tangent_gap(TangentGap(3, 2, ()))


def test_falling_returns_need_every_row():
    proof = falling_returns()
    assert check_falling_returns(proof) == []
    for k, row in enumerate(proof.rows):
        assert check_falling_returns(replace(proof, rows=proof.rows[:k] + proof.rows[k + 1 :]))
        heavier = replace(row, a_weight=row.a_weight + 1)
        assert check_falling_returns(replace(proof, rows=(*proof.rows[:k], heavier, *proof.rows[k + 1 :])))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_the_telescoping_identity_holds_for_arbitrary_functions(n):
    """Rows and goal agree on random set functions, not on submodular ones only: it is an identity."""
    proof = telescoping(n)
    assert check_telescoping(proof) == []
    assert len(proof.rows) == n * (n - 1) // 2
    g = np.random.default_rng(n).integers(-50, 50, 2**n)
    whole = 2**n - 1
    goal = g[whole] - g[0] - sum(g[whole] - g[whole & ~(1 << j)] for j in range(n))
    assert goal == sum(
        g[r.held | 1 << r.j] + g[r.held | 1 << r.k] - g[r.held | 1 << r.j | 1 << r.k] - g[r.held] for r in proof.rows
    )


@pytest.mark.parametrize("n", [2, 3, 6])
def test_telescoping_needs_every_row_as_it_stands(n):
    proof = telescoping(n)
    for k, row in enumerate(proof.rows):
        rest = proof.rows[:k] + proof.rows[k + 1 :]
        assert check_telescoping(replace(proof, rows=rest))
        for bad in (replace(row, times=2), replace(row, times=-1), replace(row, held=row.held | 1 << row.j),
                    replace(row, k=row.j), replace(row, j=n)):  # fmt: skip
            assert check_telescoping(replace(proof, rows=(*rest, bad)))
        assert check_telescoping(replace(proof, rows=(*rest, row))) == []
    assert check_telescoping(replace(proof, n=n + 1))
    assert check_telescoping(replace(proof, induction=proof.induction[:-1]))


def test_the_induction_step_is_the_difference_for_small_numbers():
    """D(n) - D(n-1) by enumeration equals the stated coefficients times their sums."""
    for n in range(1, 7):
        g = np.random.default_rng(n).integers(-50, 50, 2**n)

        def total(members, g=g):
            everything = sum(1 << j for j in members)
            return g[everything] - g[0] - sum(g[everything] - g[everything & ~(1 << j)] for j in members)

        whole, last = 2**n - 1, n - 1
        smaller = whole & ~(1 << last)
        sums = {
            "N": g[whole], "N'": g[smaller],
            "ΣN-j": sum(g[whole & ~(1 << j)] for j in range(last)),
            "ΣN'-j": sum(g[smaller & ~(1 << j)] for j in range(last)),
        }  # fmt: skip
        stated = sum((c0 + c1 * n) * sums[name] for name, c0, c1 in telescoping(3).induction)
        assert total(range(n)) - total(range(last)) == stated


def test_theorems_resting_on_concavity_follow_the_law():
    assert prove("ipfl", "ir", law=SqrtGain()) == prove("ipfl", "ir") == prove("ipfl", "ir", law=PowerGain(0.5))
    third = prove("ipfl", "ir", law=PowerGain(1 / 3))
    assert "1/3" in third.scope
    assert third.parts[0].q == 3
    assert prove("ipfl", "ir", law=PowerGain(0.123456)) is None
    assert prove("ipfl", "ir", law=TableGain((1.0, 2.0), (0.0, 1.0))) is None
    assert prove("ipfl-exact", "dsic-cost", law=TableGain((1.0, 2.0), (0.0, 1.0))) is not None
    assert Fraction(third.parts[0].p, third.parts[0].q) == Fraction(1, 3)
