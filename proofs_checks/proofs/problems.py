"""What the algebraic proofs of the model market are about: what may be assumed, what is to be shown.

Quantities of one importer i, its index dropped: W the largest objective over all sellers, Wout[j] the same without
seller j, V(S) the objective of the chosen set S, Vout[j] that of S without j, marg[j] = G(S) - G(S-j), pen[j] the
penalty, p[j] the price, c[j] the cost. [j] runs over S; [s] over the sales of one seller (one importer each); [i] over
importers.
"""

from __future__ import annotations

from proofs_checks.proofs.derivation import Axiom, Problem

_PENALTY = Axiom("pen[j] >= 0", "penalties are λ d n_j / n_i with λ, d >= 0 and sizes > 0", "assumption")
_BUYER = Axiom("buyer - G + Σp = 0", "a buyer keeps its gain G(S) less the prices that it pays")
_SELLER = Axiom("seller - Σp + Σc = 0", "a seller keeps the prices of its sales less its cost for each")
_SUBMODULAR = "G(S) is a concave law of the total data behind S, and the sizes are >= 0: submodular; G of nothing is 0"
_CLARKE = Axiom("p[j] - c[j] - W + Wout[j] = 0", "critical-value price p = c + W(M) - W(M-j)")

MARKET_PROBLEMS: dict[str, Problem] = {
    "marginal-buyer": Problem(
        {
            "price": Axiom("p[j] - marg[j] + pen[j] = 0", "marginal price p = G(S) - G(S-j) - pen"),
            "penalty": _PENALTY,
            "telescoping": Axiom("G - Σmarg >= 0", _SUBMODULAR, "lemma telescoping"),
            "buyer": _BUYER,
        },
        "buyer >= 0",
    ),
    "clarke-buyer": Problem(
        {
            "price": _CLARKE,
            "best": Axiom("W - V = 0", "the chosen set is a maximiser (exact selection, gap 0)", "assumption"),
            "rest": Axiom("Wout[j] - Vout[j] >= 0", "S without j is feasible for the sellers without j"),
            "objective": Axiom("V - Vout[j] - marg[j] + c[j] + pen[j] = 0", "V(S) = G(S) - Σ (c + pen)"),
            "penalty": _PENALTY,
            "telescoping": Axiom("G - Σmarg >= 0", _SUBMODULAR, "lemma telescoping"),
            "buyer": _BUYER,
        },
        "buyer >= 0",
    ),
    "threshold-seller": Problem(
        {
            "order": Axiom("x[s] - last[s] >= 0", "thresholds fall along the accepted sellers"),
            "accepted": Axiom("last[s] - N[s] >= 0", "the last accepted threshold exceeds the final total data N"),
            "falling": Axiom(
                "fN[s] - fNout[s] - fx[s] + fxout[s] >= 0",
                "f(N) - f(N-n) >= f(x) - f(x-n) where x >= N, f concave, n the seller's size",
                "lemma falling-returns",
                requires=("x[s] - N[s] >= 0",),
            ),
            "root": Axiom(
                "fx[s] - fxout[s] - c[s] - pen[s] = 0",
                "a finite threshold x > n solves f(x) - f(x-n) = c + pen",
                case="finite threshold:yes",
            ),
            "free": Axiom("c[s] + pen[s] = 0", "the threshold is infinite where c + pen = 0",
                          case="finite threshold:no"),
            "rising": Axiom("fN[s] - fNout[s] >= 0", "the gain law does not fall in total data", "assumption"),
            "price": Axiom("p[s] - fN[s] + fNout[s] + pen[s] = 0", "marginal price p = f(N) - f(N-n) - pen"),
            "seller": _SELLER,
        },
        "seller >= 0",
    ),
    "exact-marginal-seller": Problem(
        {
            "best": Axiom("V[s] - Vout[s] >= 0", "the chosen set is a maximiser, S without j feasible", "assumption"),
            "objective": Axiom("V[s] - Vout[s] - marg[s] + c[s] + pen[s] = 0", "V(S) = G(S) - Σ (c + pen)"),
            "price": Axiom("p[s] - marg[s] + pen[s] = 0", "marginal price p = G(S) - G(S-j) - pen"),
            "seller": _SELLER,
        },
        "seller >= 0",
    ),
    "clarke-seller": Problem(
        {
            "price": Axiom("p[s] - c[s] - W[s] + Wout[s] = 0", "critical-value price p = c + W(M) - W(M-j)"),
            "more": Axiom("W[s] - Wout[s] >= 0", "what is feasible without j is feasible with it", "assumption"),
            "seller": _SELLER,
        },
        "seller >= 0",
    ),
    "both-roles": Problem(
        {
            "buyer": Axiom("buyer >= 0", "as shown for the buyer's part", "lemma buyer"),
            "seller": Axiom("seller >= 0", "as shown for the seller's part", "lemma seller"),
            "utility": Axiom("U - buyer - seller = 0", "U is the buyer's part plus the seller's; the centre gets 0"),
        },
        "U >= 0",
    ),
    "clarke-truth": Problem(
        # seller j, importer [i]; all but j's report fixed. u, u': j's utility from i, telling the truth and lying;
        # T, T': the objective of the set then chosen, at j's true cost; h: W(M-j), which no report of j enters
        {
            "truth-in": Axiom("u[i] - p[i] + c[i] = 0", "sells: price less true cost", case="sells by truth:yes"),
            "truth-price": Axiom("p[i] - c[i] - T[i] + h[i] = 0",
                                 "truthful report: p = c + W(M) - h, W(M) the objective of the chosen set",
                                 case="sells by truth:yes"),
            "truth-out": Axiom("u[i] = 0", "no sale, no price, no cost", case="sells by truth:no"),
            "truth-rest": Axiom("T[i] - h[i] = 0", "the chosen set, without j, is best without j",
                                case="sells by truth:no"),
            "lie-in": Axiom("u'[i] - p'[i] + c[i] = 0", "sells: price less true cost", case="sells by lie:yes"),
            "lie-price": Axiom("p'[i] - r[i] - R'[i] + h[i] = 0",
                               "reported r: p = r + W(M) - h, W(M) the reported objective R' of the chosen set",
                               case="sells by lie:yes"),
            "lie-worth": Axiom("T'[i] - R'[i] + c[i] - r[i] = 0",
                               "the true objective has j's true cost where the reported one has r",
                               case="sells by lie:yes"),
            "lie-out": Axiom("u'[i] = 0", "no sale, no price, no cost", case="sells by lie:no"),
            "lie-rest": Axiom("T'[i] - h[i] = 0", "the chosen set, without j, is best without j",
                              case="sells by lie:no"),
            "best": Axiom("T[i] - T'[i] >= 0",
                          "by the truth the set chosen maximises the true objective (exact selection, gap 0)",
                          "assumption"),
            "total": Axiom("U - own - Σu = 0", "utility: own purchases plus what each importer leaves j"),
            "lie-total": Axiom("U' - own - Σu' = 0", "own purchases and their prices are computed without own cost"),
        },
        "U - U' >= 0",
    ),
    "separable-optimum": Problem(
        {
            "best": Axiom("V[i] - T[i] + gap[i] >= 0",
                          "importer i's set is within its gap of any other set T (exact selection: gap 0)",
                          "assumption"),
            "total": Axiom("chosen - ΣV = 0", "V_λ is the sum of the importers' objectives"),
            "other": Axiom("other - ΣT = 0", "for any other graph too: importers choose separately"),
        },
        "chosen - other + Σgap >= 0",
    ),
    "bilateral-balance": Problem(
        # a pair [h] = {i, j} pays t[h] one way and back[h] the other; own[i] is what i pays itself
        {
            "pair": Axiom("t[h] + back[h] = 0", "net payments are antisymmetric: prices less their transpose"),
            "self": Axiom("own[i] = 0", "nobody imports its own model"),
            "centre": Axiom("centre[i] = 0", "nothing goes to a centre"),
            "total": Axiom("all - Σt - Σback - Σown - Σcentre = 0", "all payments: pairs both ways, own, centre"),
        },
        "all = 0",
    ),
    "posted-buyer": Problem(
        {
            "nothing": Axiom("G - Σq >= 0", "i's set is best at the posted prices q; to buy nothing is worth 0",
                             "assumption"),
            "price": Axiom("p[j] - q[j] = 0", "the price is the posted one"),
            "buyer": _BUYER,
        },
        "buyer >= 0",
    ),
    "posted-seller": Problem(
        {
            "price": Axiom("p[s] - q[s] = 0", "the price is the posted one"),
            "willing": Axiom("q[s] - c[s] >= 0", "only sellers whose reported cost is at most the price sell"),
            "seller": _SELLER,
        },
        "seller >= 0",
    ),
    "posted-truth-cost": Problem(
        # seller j, importer [i]. a: 1 if j is in the set that i takes when j is on offer, 0 otherwise; q fixed;
        # aq, ac: a times q, a times true cost
        {
            "on-truth": Axiom("u[i] - aq[i] + ac[i] = 0", "on offer: sells if i wants it, a set that no cost moves",
                              case="truly on offer:yes"),
            "fair": Axiom("aq[i] - ac[i] >= 0", "true cost at most q, a is 0 or 1", case="truly on offer:yes"),
            "off-truth": Axiom("u[i] = 0", "not on offer: nothing", case="truly on offer:no"),
            "dear": Axiom("ac[i] - aq[i] >= 0", "true cost above q, a is 0 or 1", case="truly on offer:no"),
            "on-lie": Axiom("u'[i] - aq[i] + ac[i] = 0", "on offer by the lie", case="on offer by lie:yes"),
            "off-lie": Axiom("u'[i] = 0", "not on offer by the lie", case="on offer by lie:no"),
            "total": Axiom("U - own - Σu = 0", "utility: own purchases plus what each importer leaves j"),
            "lie-total": Axiom("U' - own - Σu' = 0", "own purchases at posted prices do not depend on own cost"),
        },
        "U - U' >= 0",
    ),
    "posted-truth-gain": Problem(
        {
            "best": Axiom("V - V' >= 0",
                          "by the truth i's set maximises true gain less posted prices over the sets on offer",
                          "assumption"),
            "truth": Axiom("U - V - sales = 0", "utility: what the purchase leaves, and the own sales"),
            "lie": Axiom("U' - V' - sales = 0", "neither the offers nor the own sales depend on the own gain"),
        },
        "U - U' >= 0",
    ),
}  # fmt: skip
"""Problems of the model market by name."""

CLASSIC_PROBLEMS: dict[str, Problem] = {
    # agent i; A: the others' reported value of the chosen outcome, v: i's true value of it; h: the others' best
    "pivot-truth": Problem(
        {
            "truth": Axiom("u - v + t = 0", "utility is true value less payment"),
            "pivot": Axiom("t - h + A = 0", "Clarke payment: the others' best less the others' value, as reported"),
            "lie": Axiom("u' - v' + t' = 0", "utility after a false report"),
            "lie-pivot": Axiom("t' - h + A' = 0", "the same h: no report of i enters it"),
            "best": Axiom("v + A - v' - A' >= 0",
                          "by the truth the outcome maximises i's true value plus the others' reports", "assumption"),
        },
        "u - u' >= 0",
    ),
    "pivot-ir": Problem(
        {
            "truth": Axiom("u - v + t = 0", "utility is true value less payment"),
            "pivot": Axiom("t - h + A = 0", "Clarke payment: the others' best less the others' value, as reported"),
            "best": Axiom("v + A - vout - h >= 0",
                          "the chosen outcome is at least as good for all as the others' best one", "assumption"),
            "worth": Axiom("vout >= 0", "no outcome is worth less than 0 to anyone", "assumption"),
        },
        "u >= 0",
    ),
    "pivot-budget": Problem(
        {
            "pivot": Axiom("t[i] - h[i] + A[i] = 0", "Clarke payment of each agent"),
            "best": Axiom("h[i] - A[i] >= 0",
                          "the chosen outcome is feasible without i too: the outcomes do not depend on who takes part",
                          "assumption"),
            "total": Axiom("revenue - Σt = 0", "the centre receives all payments and pays nothing else"),
        },
        "revenue >= 0",
    ),
    "pivot-efficiency": Problem(
        {
            "best": Axiom("reported - reported' >= 0", "the outcome maximises the reported values' sum", "assumption"),
            "truth": Axiom("chosen - reported = 0", "the reports are truthful: what is reported of it is its value"),
            "other": Axiom("other - reported' = 0", "for any other outcome too"),
        },
        "chosen - other >= 0",
    ),
    "critical-truth": Problem(
        # z: the critical value, which no report of the agent enters; infinite for an agent that never wins
        {
            "win": Axiom("u - v + z = 0", "wins by the truth and pays z", case="wins by truth:yes"),
            "above": Axiom("v - z >= 0", "who wins by the truth is not below z (monotone rule)",
                           case="wins by truth:yes"),
            "lose": Axiom("u = 0", "loses by the truth and pays nothing", case="wins by truth:no"),
            "below": Axiom("z - v >= 0", "who loses by the truth is not above z (monotone rule)",
                           case="wins by truth:no"),
            "lie-win": Axiom("u' - v + z = 0", "wins by the lie and pays the same z", case="wins by lie:yes"),
            "lie-lose": Axiom("u' = 0", "loses by the lie and pays nothing", case="wins by lie:no"),
        },
        "u - u' >= 0",
    ),
    "critical-ir": Problem(
        {
            "win": Axiom("u - v + z = 0", "wins by the truth and pays z", case="wins by truth:yes"),
            "above": Axiom("v - z >= 0", "who wins by the truth is not below z (monotone rule)",
                           case="wins by truth:yes"),
            "lose": Axiom("u = 0", "loses by the truth and pays nothing", case="wins by truth:no"),
        },
        "u >= 0",
    ),
}  # fmt: skip
"""Problems of the textbook rules by name."""

PROBLEMS: dict[str, Problem] = {**MARKET_PROBLEMS, **CLASSIC_PROBLEMS}
