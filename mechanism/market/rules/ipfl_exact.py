"""The repaired rule, and the default: exact selection, critical-value payments."""

from mechanism.entry import BALANCED, truths
from mechanism.market.direct import RATIONAL, SHAPED, honest, market_entry
from mechanism.market.rules.rule import MarketMechanism

RULE = MarketMechanism("ipfl-exact", "exact", "clarke")

ENTRY = market_entry(
    RULE,
    "exact selection, critical-value payments (default)",
    "the repaired rule: Clarke (1971) and Groves (1973) over each importer's sellers",
    truths(
        **RATIONAL, **honest("yes", "no (either way)", "no"), **BALANCED, **SHAPED,
        bic="no (gain and size; yes in cost)", efficiency="yes", non_bossiness="no", group_dsic="no",
        split_proof="no", merge_proof="no", core="no (from four clients on)",
    ),
)  # fmt: skip
