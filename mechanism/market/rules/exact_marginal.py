"""Half of the repair: exact selection, but marginal payments."""

from mechanism.entry import BALANCED, truths
from mechanism.market.direct import RATIONAL, SHAPED, honest, market_entry
from mechanism.market.rules.rule import MarketMechanism

RULE = MarketMechanism("exact-marginal", "exact", "marginal")

ENTRY = market_entry(
    RULE,
    "exact selection, marginal payments",
    "half of the repair: shows that both halves are needed",
    truths(
        **RATIONAL, **honest("no (understating)", "no (either way)", "no"), **BALANCED, **SHAPED, bic="no",
        efficiency="yes", group_dsic="no", split_proof="no (with penalties)", merge_proof="no", core="no",
    ),
)  # fmt: skip
