"""The repair: exact selection with critical-value payments."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from mechanism.market.accounting import MONEY, account
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.rule import MarketMechanism
from proofs_checks.claims.claim import COMPUTED, Check, Claim, ClaimVerdict, Context, Number, kernel, worked
from proofs_checks.claims.examples import Example, ask
from proofs_checks.claims.paper import PAIR
from proofs_checks.claims.sweeps import Floats, searched, sweep, swept
from proofs_checks.evidence.verdict import Grade
from proofs_checks.properties.property import Rng
from proofs_checks.search.lies import best_reports

STEERED = Example((100, 300), (0, 1), (3600, 0), ((0, 0.9), (0.9, 0)))
"""At lambda > 0: the import is worth 2 to the welfare and -0.7 to the objective."""


def _pair(context: Context) -> ClaimVerdict:
    outcome, books = PAIR.cleared("ipfl-exact")
    before = PAIR.cleared("ipfl")[1]
    return worked(
        {
            "price of the second": Number(float(outcome.prices[0, 2]), 1.1),
            "utility of the buyer": Number(float(books.utility[0]), 1.9),
            "utility of the buyer under ipfl": Number(float(before.utility[0]), 0.0),
        }
    )


def _steered(context: Context) -> ClaimVerdict:
    """Compare the welfare of what the exact rule chooses with that of the import that it refuses."""
    direct = STEERED.direct("ipfl-exact")
    outcome, books = STEERED.cleared("ipfl-exact")
    types = direct.types(STEERED.types)
    possible = float(direct.law.value(types.gain, types.size, np.array([[400.0, 300.0]]))[0, 0]) - STEERED.cost[1]
    reached = float(books.welfare)
    evidence = {"method": "computed", "welfare": reached, "possible": possible, "imports": int(outcome.imports.sum())}
    words = f"computed on this one profile: welfare {reached:.6g} where {possible:.6g} is possible (lambda d = 0.9)"
    if possible > reached + MONEY:
        return ClaimVerdict(False, Grade.REFUTED, evidence, evidence, words)
    return ClaimVerdict(True, COMPUTED, evidence, None, words)


@swept("below marginal", MONEY, "relative excess of p_ij over the marginal price")
def _below_marginal(types: Types, market: Market, rng: Rng) -> Floats:
    outcome = market_mechanism("ipfl-exact").clear(types.truthful(), market)
    held = market.total_data(types.size, outcome.imports)[..., :, None]
    gain, own, sold = types.gain[..., :, None], types.size[..., :, None], types.size[..., None, :]
    left = np.where(outcome.imports, held - sold, held)
    marginal = market.law.value(gain, own, held) - market.law.value(gain, own, left) - market.penalties(types.size)
    scale = np.maximum(1.0, np.abs(outcome.prices))
    return np.where(outcome.imports, (outcome.prices - marginal) / scale, -np.inf)


@swept("across", MONEY, "utility that a buyer has more under ipfl than under ipfl-exact")
def _across(types: Types, market: Market, rng: Rng) -> Floats:
    """Look for the buyer that has more under the reference rule than under the repair."""
    books = [account(types, market_mechanism(n).clear(types.truthful(), market)) for n in ("ipfl", "ipfl-exact")]
    return np.asarray(books[0].buyer - books[1].buyer)


ROUGH = MarketMechanism("ipfl-exact", "exact", "clarke", node_limit=4)
"""The repair with its selection stopped after four nodes."""


def _lies_beyond(types: Types, market: Market) -> tuple[Floats, float]:
    """Return what the best cost lie gains beyond twice the gaps of both clearings, and the largest gap."""
    lies = best_reports(ROUGH, types, market)
    truth = ROUGH.clear(types.truthful(), market)
    excess = np.empty(types.cost.shape)
    for agent in range(types.clients):
        cost = types.cost.copy()
        cost[:, agent] = lies.report[:, agent]
        lying = ROUGH.clear(types.report(cost=cost), market)
        excess[:, agent] = lies.gain[:, agent] - 2.0 * np.maximum(truth.gap, lying.gap).sum(axis=-1)
    return excess / np.maximum(1.0, np.abs(lies.utility_truthful)), float(truth.gap.max())


def _losses_beyond(types: Types, market: Market) -> tuple[Floats, float]:
    """Return what a seller loses beyond its buyer's gap, and the largest gap."""
    outcome = ROUGH.clear(types.truthful(), market)
    loss = np.where(outcome.imports, types.cost[..., None, :] - outcome.prices, -np.inf)
    return np.asarray((loss - outcome.gap[..., None]).max(axis=(-1, -2))), float(outcome.gap.max())


def _gap(
    measured: Callable[[Types, Market], tuple[Floats, float]], name: str, what: str, clients: Sequence[int]
) -> Check:
    """Look for what exceeds the gaps that a selection stopped early leaves, and say how large these were."""

    def check(context: Context) -> ClaimVerdict:
        gaps: list[float] = []

        def measure(types: Types, market: Market, rng: Rng) -> Floats:
            values, gap = measured(types, market)
            gaps.append(gap)
            return values

        seen = sweep(context, name, measure, kinds=("proportional", "ties", "small", "wide"), clients=clients)
        found = searched(seen, MONEY, what, "selection stopped after four nodes")
        words = f"{found.words}; the largest gap was {max(gaps):.3g}"
        return replace(found, evidence={**found.evidence, "largest_gap": max(gaps)}, words=words)

    return check


_S = "theory, the repair"
_RULE = "ipfl-exact"

CLAIMS = (
    Claim("repair-truthful", _S, "No client gains by a false report of its cost, whatever the others report.", True,
          ask(_RULE, "dsic-cost")),
    Claim("repair-ir-seller", _S, "Sellers lose nothing: W(M) >= W(M without j).", True,
          ask(_RULE, "ir-seller")),
    Claim("repair-ir-buyer", _S, "Buyers lose nothing: the payments sum to at most G(S*) less the penalties.", True,
          ask(_RULE, "ir-buyer")),
    Claim("repair-below-marginal", _S, "On the same set no price exceeds the marginal payment.", True,
          _below_marginal),
    Claim("repair-any-gain", _S, "The marginal payment on the same set bounds p_ij for any gain, concave or not.", True,
          kernel("ipfl_exact_below_marginal")),
    Claim("repair-across", _S, "Against ipfl no buyer is worse off.", False, _across),
    Claim("repair-budget", _S, "Payments are exactly balanced.", True,
          ask(_RULE, "budget-balance")),
    Claim("repair-efficient", _S, "The selection maximises V_lambda; the graph problem separates by importer.", True,
          ask(_RULE, "efficiency")),
    Claim("exact-welfare", "theory, notation", "The exact rules maximise the welfare SW at lambda > 0 too.", False,
          _steered),
    Claim("repair-example", _S, "In the example of 2 the second seller is paid 1.1 and the buyer keeps 1.9 instead of "
          "0.", True, _pair),
    Claim("repair-gap", _S, "Selection solved to a gap: no cost lie gains more than twice the gap per importer.", True,
          _gap(_lies_beyond, "gap", "best cost lie beyond twice the gaps", (6, 7))),
    Claim("repair-gap-ir", _S, "Selection solved to a gap: no sale leaves a seller a loss above the gap.", True,
          _gap(_losses_beyond, "gap ir", "a seller's loss beyond its buyer's gap", (6, 7, 9))),
    Claim("repair-both-halves", _S, "The exact set with marginal payments is truthful in cost.", False,
          ask("exact-marginal", "dsic-cost")),
)  # fmt: skip
"""The repaired rule."""
