"""Every axiom and every goal of the market's problems, put into the numbers that the code computes."""

import itertools

import numpy as np
import pytest

from mechanism import Market, Reports, Types, account, market_mechanism
from mechanism.market.allocation.selection import thresholds
from proofs_checks.proofs.derivation import form
from proofs_checks.proofs.problems import PROBLEMS

SCALE = 1e-9


def markets(rng, kind, count=30, m=4):
    """Types and a public market: ordinary, full of ties, or with zeros and sizes and gains over six decades."""
    if kind == "ties":
        types = Types(
            rng.choice([100.0, 200.0], (count, m)), rng.choice([0.0, 0.5, 1.0, 2.0], (count, m)),
            rng.choice([0.0, 3600.0, 10_000.0], (count, m)),
        )  # fmt: skip
        differences, lam = rng.choice([0.0, 0.5, 1.0, 2.0], (count, m, m)), rng.choice([0.0, 0.5])
    elif kind == "wide":
        types = Types(
            10.0 ** rng.uniform(0, 4, (count, m)),
            10.0 ** rng.uniform(-6, 2, (count, m)) * rng.integers(0, 2, (count, m)),
            10.0 ** rng.uniform(0, 6, (count, m)) * rng.integers(0, 2, (count, m)),
        )  # fmt: skip
        differences, lam = rng.uniform(0.0, 2.0, (count, m, m)), 10.0 ** rng.uniform(-6, 1)
    else:
        types = Types(
            rng.uniform(50.0, 1000.0, (count, m)), rng.uniform(0.0, 3.0, (count, m)),
            rng.uniform(0.0, 20_000.0, (count, m)),
        )  # fmt: skip
        differences, lam = rng.uniform(0.0, 2.0, (count, m, m)), rng.choice([0.0, 0.1, 1.0])
    differences[:, np.arange(m), np.arange(m)] = 0.0
    return types, Market(differences, float(lam))


def holds(problem, atoms, case, scale):
    """Check every axiom of a problem whose case applies (and its goal) on numbers by atom; return how many were."""
    known = PROBLEMS[problem]
    seen = 0
    for name, axiom in known.axioms.items():
        question, _, answer = axiom.case.partition(":")
        claim = form(axiom.claim)
        if (axiom.case and case.get(question) != answer) or not {a for a, _ in claim.terms} <= set(atoms):
            continue
        _true(claim, atoms, scale, f"{problem}: {name}")
        seen += 1
    goal = form(known.goal)
    if {a for a, _ in goal.terms} <= set(atoms):
        _true(goal, atoms, scale, f"{problem}: goal")
        seen += 1
    return seen


def _true(claim, atoms, scale, words):
    total = sum(c * atoms[a] for a, c in claim.terms)
    assert total >= -SCALE * scale, (words, total)
    if claim.relation == "=":
        assert abs(total) <= SCALE * scale, (words, total)


def sets(m, i):
    """All sets of sellers of importer i, as lists."""
    others = [j for j in range(m) if j != i]
    return [list(c) for k in range(m) for c in itertools.combinations(others, k)]


class Case:
    """One importer of one market, its formulas by enumeration."""

    def __init__(self, types, market, b, i):
        self.size, self.cost, self.gain = types.size[b], types.cost[b], float(types.gain[b, i])
        self.pen = market.penalties(types.size)[b, i]
        self.i, self.m, self.law = i, len(self.size), market.law

    def g(self, members):
        own = self.size[self.i]
        return float(self.law.value(self.gain, own, own + self.size[members].sum()))

    def v(self, members, cost=None):
        cost = self.cost if cost is None else cost
        return self.g(members) - (cost + self.pen)[members].sum()

    def w(self, without=None, cost=None):
        return max(self.v(s, cost) for s in sets(self.m, self.i) if without not in s)


@pytest.mark.parametrize("kind", ["ordinary", "ties", "wide"])
def test_the_axioms_about_one_importer_hold_of_what_the_code_computes(kind):
    rng = np.random.default_rng([7, len(kind)])
    types, market = markets(rng, kind)
    seen = dict.fromkeys(("marginal-buyer", "clarke-buyer", "posted-buyer"), 0)
    plans = {"ipfl": "marginal-buyer", "exact-marginal": "marginal-buyer", "ipfl-exact": "clarke-buyer",
             "posted-price": "posted-buyer"}  # fmt: skip
    for name, problem in plans.items():
        outcome = market_mechanism(name).clear(types.truthful(), market)
        books = account(types, outcome)
        for b, i in itertools.product(range(len(types.size)), range(types.clients)):
            case = Case(types, market, b, i)
            chosen = [int(j) for j in np.flatnonzero(outcome.imports[b, i])]
            marginal = {j: case.g(chosen) - case.g([k for k in chosen if k != j]) for j in chosen}
            whole = {
                "buyer": books.buyer[b, i], "G": case.g(chosen), "Σp": outcome.prices[b, i].sum(),
                "Σmarg": sum(marginal.values()), "W": case.w(), "V": case.v(chosen), "Σq": float(len(chosen)),
            }  # fmt: skip
            scale = 1.0 + abs(whole["G"]) + abs(whole["Σp"])
            if name == "ipfl":
                del whole["W"]
            seen[problem] += holds(problem, whole, {}, scale)
            for j in chosen:
                rest = [k for k in chosen if k != j]
                atoms = {
                    **whole, "p[j]": outcome.prices[b, i, j], "c[j]": case.cost[j], "pen[j]": case.pen[j],
                    "marg[j]": marginal[j], "Vout[j]": case.v(rest), "Wout[j]": case.w(without=j), "q[j]": 1.0,
                }  # fmt: skip
                seen[problem] += holds(problem, atoms, {}, scale + case.cost[j])
    assert min(seen.values()) > 200


@pytest.mark.parametrize("kind", ["ordinary", "ties", "wide"])
def test_the_axioms_about_accepted_sellers_hold_of_what_the_code_computes(kind):
    rng = np.random.default_rng([8, len(kind)])
    types, market = markets(rng, kind, count=80)
    outcome = market_mechanism("ipfl").clear(types.truthful(), market)
    marks = thresholds(types.truthful(), market)
    seen = {"yes": 0, "no": 0}
    for b, i in itertools.product(range(len(types.size)), range(types.clients)):
        case = Case(types, market, b, i)
        chosen = np.flatnonzero(outcome.imports[b, i])
        total = case.size[i] + case.size[chosen].sum()

        def f(x, case=case):
            return -np.sqrt(case.gain / x)

        for j in chosen:
            x, n = marks[b, i, j], case.size[j]
            finite = "yes" if np.isfinite(x) else "no"
            atoms = {
                "N[s]": total, "fN[s]": f(total), "fNout[s]": f(total - n), "c[s]": case.cost[j],
                "pen[s]": case.pen[j], "p[s]": outcome.prices[b, i, j],
            }  # fmt: skip
            if finite == "yes":
                atoms |= {"x[s]": x, "last[s]": marks[b, i, chosen].min(), "fx[s]": f(x), "fxout[s]": f(x - n)}
            scale = 1.0 + case.cost[j] + np.sqrt(case.gain / case.size.min())
            assert holds("threshold-seller", atoms, {"finite threshold": finite}, scale)
            assert atoms["p[s]"] - atoms["c[s]"] >= -SCALE * scale
            seen[finite] += 1
    assert seen["yes"] > 20
    assert kind != "ties" or seen["no"] > 20


@pytest.mark.parametrize("kind", ["ordinary", "ties", "wide"])
def test_the_axioms_about_a_lying_seller_hold_of_what_the_code_computes(kind):
    """`clarke-truth` and the `posted-truth` problems, over lies that are free, tiny, at others' costs and huge."""
    rng = np.random.default_rng([9, len(kind)])
    types, market = markets(rng, kind, count=25)
    m, seen = types.clients, set()
    for name, j, lie in itertools.product(("ipfl-exact", "posted-price"), range(m), ("free", "other", "near", "huge")):
        cost = types.cost.copy()
        cost[:, j] = {"free": 0.0, "other": cost[:, (j + 1) % m], "near": cost[:, j] * 1.05, "huge": 1e6}[lie]
        before = market_mechanism(name).clear(types.truthful(), market)
        after = market_mechanism(name).clear(types.report(cost=cost), market)
        honest, lying = account(types, before), account(types, after)
        assert np.array_equal(before.imports[:, j], after.imports[:, j])
        for b in range(len(cost)):
            true = types.cost[b, j]
            us, lied = [], []
            for i in (k for k in range(m) if k != j):
                sold, sold_by_lie = before.imports[b, i, j], after.imports[b, i, j]
                u = before.prices[b, i, j] - true * sold
                u_lie = after.prices[b, i, j] - true * sold_by_lie
                us.append(u)
                lied.append(u_lie)
                case = Case(types, market, b, i)
                scale = 1.0 + abs(u) + abs(u_lie) + cost[b].max() * sold_by_lie + np.abs(case.g(sets(m, i)[-1]))
                if name == "ipfl-exact":
                    chosen, other = (list(np.flatnonzero(o.imports[b, i])) for o in (before, after))
                    atoms = {
                        "u[i]": u, "u'[i]": u_lie, "p[i]": before.prices[b, i, j], "p'[i]": after.prices[b, i, j],
                        "c[i]": true, "r[i]": cost[b, j], "T[i]": case.v(chosen), "T'[i]": case.v(other),
                        "R'[i]": case.v(other, cost[b]), "h[i]": case.w(without=j),
                    }  # fmt: skip
                    at = {"sells by truth": "yes" if sold else "no", "sells by lie": "yes" if sold_by_lie else "no"}
                    holds("clarke-truth", atoms, at, scale)
                else:
                    offered, offered_by_lie = true <= 1.0, cost[b, j] <= 1.0
                    on_offer = np.minimum(np.where(np.arange(m) == j, 0.0, types.cost[b]), 1e6)
                    wanted = (
                        market_mechanism(name)
                        .clear(Reports(types.size[b], on_offer, types.gain[b]), Market())
                        .imports[i, j]
                    )
                    atoms = {"u[i]": u, "u'[i]": u_lie, "aq[i]": 1.0 * wanted, "ac[i]": true * wanted}
                    at = {"truly on offer": "yes" if offered else "no",
                          "on offer by lie": "yes" if offered_by_lie else "no"}  # fmt: skip
                    holds("posted-truth-cost", atoms, at, scale)
                seen.add((name, *at.values()))
            own = honest.buyer[b, j]
            atoms = {"U": honest.utility[b, j], "U'": lying.utility[b, j], "own": own, "Σu": sum(us), "Σu'": sum(lied)}
            problem = "clarke-truth" if name == "ipfl-exact" else "posted-truth-cost"
            assert holds(problem, atoms, {}, 1.0 + np.abs(list(atoms.values())).max()) == 3
    assert len(seen) >= 7  # of eight cases; a dear lie may never sell to anyone
