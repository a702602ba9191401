"""What the paper promises of its rule, asked of the rule in the authors' code."""

from __future__ import annotations

import numpy as np

from mechanism.market import account, market_mechanism, thresholds
from mechanism.tolerance import MONEY
from proofs_checks.claims.claim import Claim, ClaimVerdict, Context, Number, asked, refuted, unknown, worked
from proofs_checks.claims.examples import Example, catalogue, witness_of
from proofs_checks.claims.sweeps import Array, Batch, searched, sweep
from proofs_checks.properties.registry import PROPERTY

PAIR = Example((100, 300, 300), (0, 1.1, 1.0), (3600, 0, 0))
"""The example of theory 2: one buyer, two equal sellers, the cheaper one second."""

DUO = Example((100, 300), (0, 1), (3600, 0))
"""The example of theory 4: one buyer and one seller."""


def _cost_lie(context: Context) -> ClaimVerdict:
    return refuted(witness_of(PAIR.direct("ipfl"), PROPERTY["dsic-cost"], PAIR.lie(1, "cost", 0.9)))


def _gain_lie(context: Context) -> ClaimVerdict:
    return refuted(witness_of(DUO.direct("ipfl"), PROPERTY["dsic-gain"], DUO.lie(0, "gain", 900)))


def _size_lie(context: Context) -> ClaimVerdict:
    return refuted(witness_of(DUO.direct("ipfl"), PROPERTY["dsic-size"], DUO.lie(1, "size", 600)))


def _price_at_threshold(context: Context) -> ClaimVerdict:
    def distance(batch: Batch) -> Array:
        types, market = batch
        x = thresholds(types.truthful(), market)
        price = types.cost[..., None, :] + market.penalties(types.size)
        gain, size = types.gain[..., :, None], types.size[..., None, :]
        with np.errstate(divide="ignore", invalid="ignore"):
            marginal = np.sqrt(gain / (x - size)) - np.sqrt(gain / x)
        rooted = (gain > 0) & (price > 0) & ~np.eye(x.shape[-1], dtype=bool) & (x > size * (1 + 1e-9))
        return np.where(rooted, np.abs(marginal / np.where(price > 0, price, 1.0) - 1.0), 0.0)

    return searched(
        sweep(context, "paper-threshold", distance), 1e-6, "relative distance of the marginal gain from w_j"
    )


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


def _identity(context: Context) -> ClaimVerdict:
    def left_over(batch: Batch) -> Array:
        types, market = batch
        outcome = market_mechanism("ipfl").clear(types.truthful(), market)
        books = account(types, outcome)
        return np.abs(books.welfare - (books.gain - books.cost).sum(axis=-1))[..., None]

    return searched(sweep(context, "paper-welfare", left_over), MONEY, "money lost or made by payments")


_RULE = "under the rule in the authors' code"

CLAIMS = (
    Claim("paper-ir", "paper", f"Individual rationality: nobody who takes part loses {_RULE}.", True,
          lambda c: asked(catalogue("ipfl"), PROPERTY["ir"], c)),
    Claim("paper-truthful-cost", "paper", f"Truthfulness: nobody gains by a false report of its cost {_RULE}.",
          True, _cost_lie),
    Claim("paper-truthful-gain", "paper", f"Truthfulness: nobody gains by a false report of its gain {_RULE}.",
          True, _gain_lie),
    Claim("paper-truthful-size", "paper", f"Truthfulness: nobody gains by a false report of its size {_RULE}.",
          True, _size_lie),
    Claim("paper-payments", "paper", "Every payment is received: p is antisymmetric and nothing is left over.", True,
          lambda c: asked(catalogue("ipfl"), PROPERTY["budget-balance"], c)),
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
