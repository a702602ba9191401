"""What the paper promises of its rule, asked of the rule in the authors' code."""

import numpy as np

from mechanism.market.accounting import MONEY, account
from mechanism.market.allocation.selection import thresholds
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import market_mechanism
from proofs_checks.claims.claim import Check, Claim, ClaimVerdict, Context, Number, refuted, unknown, worked
from proofs_checks.claims.examples import Example, ask
from proofs_checks.claims.sweeps import Floats, swept
from proofs_checks.properties.property import Rng

PAIR = Example((100, 300, 300), (0, 1.1, 1.0), (3600, 0, 0))
"""The example of theory 2: one buyer, two equal sellers, the cheaper one second."""

DUO = Example((100, 300), (0, 1), (3600, 0))
"""The example of theory 4: one buyer and one seller."""


def _lie(example: Example, agent: int, coordinate: str, value: float) -> Check:
    """Return the refutation by one client of an example that says ``value``."""
    prop, case = f"dsic-{coordinate}", example.lie(agent, coordinate, value)
    return lambda context: refuted(example.witness("ipfl", prop, case))


@swept("paper-threshold", 1e-6, "relative distance of the marginal gain from w_j")
def _price_at_threshold(types: Types, market: Market, rng: Rng) -> Floats:
    x = thresholds(types.truthful(), market)
    price = types.cost[..., None, :] + market.penalties(types.size)
    gain, size = types.gain[..., :, None], types.size[..., None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        marginal = np.sqrt(gain / (x - size)) - np.sqrt(gain / x)
    rooted = (gain > 0) & (price > 0) & ~np.eye(x.shape[-1], dtype=bool) & (x > size * (1 + 1e-9))
    return np.where(rooted, np.abs(marginal / np.where(price > 0, price, 1.0) - 1.0), 0.0)


def _no_root(context: Context) -> ClaimVerdict:
    example = Example((100, 300, 300), (0, 0, 1), (3600, 0, 0))
    x = thresholds(example.direct("ipfl").types(example.types).truthful(), example.direct("ipfl").market(example.types))
    outcome, _ = example.cleared("ipfl")
    return worked(
        {
            "free sellers without threshold": Number(float(np.isinf(x[0, 0, 1])), 1.0, 0.0),
            "costly imports of who wants nothing": Number(float(outcome.imports[1, 2]), 0.0, 0.0),
            "imports of the buyer from the free one": Number(float(outcome.imports[0, 1]), 1.0, 0.0),
        }
    )


def _trained(context: Context) -> ClaimVerdict:
    return unknown(
        "a comparison of nine methods after training: `marketproof run` and `study` measure it; no market on paper "
        "decides it"
    )


@swept("paper-welfare", MONEY, "money lost or made by payments")
def _identity(types: Types, market: Market, rng: Rng) -> Floats:
    books = account(types, market_mechanism("ipfl").clear(types.truthful(), market))
    return np.abs(books.welfare - (books.gain - books.cost).sum(axis=-1))[..., None]


_RULE = "under the rule in the authors' code, with exact roots"

CLAIMS = (
    Claim("paper-ir", "paper", f"Individual rationality: nobody who takes part loses {_RULE}.", True,
          ask("ipfl", "ir")),
    Claim("paper-truthful-cost", "paper", f"Truthfulness: nobody gains by a false report of its cost {_RULE}.",
          True, _lie(PAIR, 1, "cost", 0.9)),
    Claim("paper-truthful-gain", "paper", f"Truthfulness: nobody gains by a false report of its gain {_RULE}.",
          True, _lie(DUO, 0, "gain", 900)),
    Claim("paper-truthful-size", "paper", f"Truthfulness: nobody gains by a false report of its size {_RULE}.",
          True, _lie(DUO, 1, "size", 600)),
    Claim("paper-payments", "paper", f"Payments are received whole: p is antisymmetric, nothing is left over, {_RULE}.",
          True, ask("ipfl", "budget-balance")),
    Claim("paper-welfare", "paper", "Payments cancel: utilities sum to gains less the costs of exports.", True,
          _identity),
    Claim("paper-threshold", "paper", "At the threshold x_j the marginal gain of j's data equals c_j + pen_ij.", True,
          _price_at_threshold),
    Claim("paper-no-root", "paper", "A free seller is always taken; a buyer with K = 0 takes none that costs.", True,
          _no_root),
    Claim("paper-utility", "paper", "iPFL has the highest economic utility of the methods compared.", True, _trained),
    Claim("paper-accuracy", "paper", "iPFL has better or comparable accuracy on the eleven tasks.", True, _trained),
)  # fmt: skip
"""What the paper claims."""
