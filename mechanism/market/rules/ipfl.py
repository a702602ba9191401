"""The published rule: falling thresholds, marginal payments."""

from mechanism.entry import BALANCED, truths
from mechanism.market.direct import PAPER, RATIONAL, SHAPED, honest, market_entry
from mechanism.market.rules.rule import MarketMechanism

RULE = MarketMechanism("ipfl", "threshold", "marginal")

ENTRY = market_entry(
    RULE,
    "falling thresholds, marginal payments (the rule in the authors' code)",
    PAPER,
    truths(
        **RATIONAL, **honest("no (understating)", "no (either way)", "no"), **BALANCED, **SHAPED, bic="no",
        efficiency="no", non_bossiness="no", group_dsic="no", split_proof="no (with penalties)", merge_proof="no",
        core="no",
    ),
)  # fmt: skip
