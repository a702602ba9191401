"""Identities, coalitions and expectations: the examples of theory.md by number, and every mechanism by search."""

from dataclasses import replace

import numpy as np

from mechanism.catalogue import CATALOGUE
from mechanism.market.mechanisms import market_mechanism
from proofs_checks.claims.claim import COMPUTED, Check, Claim, ClaimVerdict, Context, Number, refuted, worked
from proofs_checks.claims.examples import MECHANISMS, Example, Public, ask
from proofs_checks.claims.paper import PAIR
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence.witness import Witness
from proofs_checks.properties.registry import VARIANTS
from proofs_checks.search.cases import Cases

SPLIT = Example((64, 800, 700), (0, 0.7, 3), (32_400, 0, 0))
MERGE = Example((25, 800, 500, 500), (0, 3, 0.1, 4.6), (3600, 0, 0, 0))
BLOCK = Example((36, 400, 200, 200), (0, 1.8, 0, 0.8), (3600, 0, 0, 0))
PENALISED = Example((50, 1000), (0, 1), (20_000, 0), ((0, 0.5), (0.5, 0)))
"""One seller of 1000 samples and a buyer of 50 that differ: lambda d = 0.5, so that the whole is penalised by 10."""

SHORT = {
    "posted-price": Example((100, 10), (0, 1), (3600, 0)),
    "vcg-two-sided": Example((100, 10), (0, 1), (3600, 0)),
    "pooled-price": Example((100, 10, 300), (0, 0, 1), (3600, 0, 0)),
}
"""A seller of 10 that says 300; in the pool of one at the price 1 that the third sets."""

SWAP = Example((100, 100), (0, 0), (900, 900))
"""Two clients whose models are worth 0.879 to each other: at the posted price 1 neither buys."""

_THREE = ("ipfl", "exact-marginal", "ipfl-exact")
_PAYING = tuple(name for name in MECHANISMS if name != "no-payment")
_WEAKLY = VARIANTS["group-dsic=weak"]
_WEAK = ("exact-marginal", "ipfl-exact", "posted-price", "vcg-two-sided")


def _split(context: Context) -> ClaimVerdict:
    witness = SPLIT.witness("ipfl-exact", "split-proof", SPLIT.truth(agent=1, share=0.5))
    one, two = (witness.numbers[name][0] for name in ("utility_as_one", "utility_as_two"))
    return worked({"as one": Number(one, 2.688), "as two": Number(two, 2.904)}, witness)


def _merge(context: Context) -> ClaimVerdict:
    witness = MERGE.witness("ipfl-exact", "merge-proof", MERGE.truth(pair=(1, 2)))
    apart, together = (witness.numbers[name][0] for name in ("utility_apart", "utility_together"))
    return worked({"apart": Number(apart, 2.370), "together": Number(together, 2.470)}, witness)


def _block(context: Context) -> ClaimVerdict:
    witness = BLOCK.witness("ipfl-exact", "core", BLOCK.truth())
    members = witness.numbers["members"]
    buyer_and_big = Number(float(members == [0.0, 1.0]), 1.0, 0.0)
    return worked({"blocked by": Number(witness.violation, 0.232), "by buyer and big seller": buyer_and_big}, witness)


def _no_split(name: str) -> Check:
    """Recompute the split with the cost paid twice that pays at lambda > 0, and look for others."""

    def check(context: Context) -> ClaimVerdict:
        case = PENALISED.truth(agent=1, share=0.5)
        witness = PENALISED.witness(name, "split-proof", case)
        one, two = (witness.numbers[key][0] for key in ("utility_as_one", "utility_as_two"))
        words = f"{one:.3f} as one, {two:.3f} as halves, the cost paid twice, at lambda d = 0.5: {witness.sentence}"
        return refuted(witness, words, utility_as_one=one, utility_as_two=two)

    return check


def _swap(context: Context) -> ClaimVerdict:
    """Let both overstate their gains: each buys at a loss of 0.121, and sells for 1."""
    types = SWAP.types
    after = types[:, None].copy()
    after[..., 2] = 3600.0
    case = Cases(types, types.copy(), after, np.ones((1, 2), dtype=np.bool_))
    return refuted(Witness.of(SWAP.direct("posted-price"), _WEAKLY, case))


def _short(name: str) -> Check:
    """Show the truthful buyer of 100 that is sold 10 samples as 300: saying K = 0 serves it better."""

    def check(context: Context) -> ClaimVerdict:
        example = SHORT[name]
        case = example.lie(0, "gain", 0.0)
        before = case.before.copy()
        before[0, 1, 0] = 300.0
        assert case.after is not None
        after = case.after.copy()
        after[0, 0, 1, 0] = 300.0
        witness = example.witness(name, "dsic-gain", replace(case, before=before, after=after), sizes="private")
        words = f"the truth costs the buyer {witness.violation:.3f}: {witness.sentence}"
        return refuted(witness, words, loss=witness.violation)

    return check


def _pair_bayes(context: Context) -> ClaimVerdict:
    """Take the expectation over the rival's cost, 1.0 or 1.1, for the first seller at 1.1."""
    expected = {}
    for said in (1.0, 1.1):
        found = []
        for rival in (1.0, 1.1):
            world = replace(PAIR, cost=(0.0, 1.1, rival))
            found.append(float(world.cleared("ipfl", cost=(0.0, said, rival))[1].utility[1]))
        expected[said] = sum(found) / 2
    evidence = {"method": "computed", "expected": {str(k): v for k, v in expected.items()}}
    words = f"the first seller, cost 1.1, expects {expected[1.1]:.6g} from the truth and {expected[1.0]:.6g} from 1.0"
    words = f"computed on this one example: {words}"
    if expected[1.0] > expected[1.1] + 1e-9:
        witness = {"client": 1, "cost": 1.1, "report": 1.0, "rival": [1.0, 1.1], **evidence["expected"]}  # type: ignore[dict-item]
        return ClaimVerdict(False, Grade.REFUTED, evidence, witness, words)
    return ClaimVerdict(True, COMPUTED, evidence, None, words)


def _by_catalogue(prop: str) -> list[Claim]:
    """Return one claim for each mechanism, expected as the catalogue says."""
    what = {
        "split-proof": "no client gains by taking part as two, the cost paid twice",
        "merge-proof": "no two clients gain by taking part as one, the costs summed",
        "core": "no coalition could do better on its own",
    }[prop]
    return [
        Claim(f"{prop}-{name}", "question", f"{name}: {what}.", CATALOGUE[name].truths[prop].startswith("yes"),
              ask(name, prop))
        for name in MECHANISMS
    ]  # fmt: skip


_D = "theory, known"

CLAIMS = (
    *(Claim(f"group-{name}", _D, f"{name}: no coalition gains without a member that loses.", False,
            ask(name, "group-dsic")) for name in _PAYING),
    *(Claim(f"group-weak-{name}", _D, f"{name}: no coalition gains for all its members.", False,
            _swap if name == "posted-price" else ask(name, _WEAKLY))
      for name in _WEAK),
    Claim("split-example", _D, "ipfl-exact, K = 32400, n_0 = 64, sellers 800 at 0.7 and 700 at 3: the first in halves "
          "earns 2.904 instead of 2.688, the cost paid twice.", True, _split),
    Claim("merge-example", _D, "ipfl-exact, K = 3600, n_0 = 25, sellers 800/500/500 at 3/0.1/4.6: the first two "
          "together earn 2.470 instead of 2.370.", True, _merge),
    Claim("core-example", _D, "ipfl-exact, K = 3600, n_0 = 36, sellers 400/200/200 at 1.8/0/0.8: buyer and big seller "
          "block by 0.232.", True, _block),
    Claim("bossy", _D, "ipfl-exact is not bossy.", False, ask("ipfl-exact", "non-bossiness")),
    *(Claim(f"no-split-{name}", _D, f"{name}: no split with the cost paid twice pays.", True, _no_split(name))
      for name in ("ipfl", "exact-marginal")),
    *(Claim(f"no-split-{name}-free", _D, f"{name}: no split with the cost paid twice pays at lambda = 0.", True,
            ask(name, "split-proof", largest_penalty=0.0)) for name in ("ipfl", "exact-marginal")),
    *(Claim(f"split-half-{name}", _D, f"{name}: no split with halved cost pays.", False,
            ask(name, VARIANTS["split-proof=half"]))
      for name in _THREE),
    *(Claim(f"bic-{name}", _D, f"{name}: no client expects to gain by a false cost or gain.", True,
            ask(Public(market_mechanism(name), 4), "bic"))
      for name in ("posted-price", "vcg-two-sided")),
    Claim("bic-ipfl", _D, "ipfl: in the example of 2, costs from {1.0, 1.1}, nobody expects to gain by a false cost.",
          False, _pair_bayes),
    *(Claim(f"gain-needs-sizes-{name}", "theory, table", f"{name}: a truthful gain is best whatever sizes the others "
            "have (a seller of 10 says 300).", True, _short(name)) for name in SHORT),
    *(Claim(f"core-{name}-free", "question", f"{name}: no coalition could do better on its own at lambda = 0 "
            "(the centre pays).", True, ask(name, "core", largest_penalty=0.0))
      for name in ("vcg-two-sided", "realised")),
    Claim("core-ipfl-exact-three", "question", "ipfl-exact: among three clients no coalition could do better on its "
          "own.", True, ask("ipfl-exact", "core", agents=3)),
    *_by_catalogue("split-proof"), *_by_catalogue("merge-proof"), *_by_catalogue("core"),
)  # fmt: skip
"""Who gains by other identities, together, or in expectation."""
