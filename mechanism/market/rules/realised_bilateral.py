"""Payments on realised gains between importer and exporter, without a centre."""

from mechanism.entry import BALANCED, truths
from mechanism.market.direct import AT_TRUTH, SHAPED, market_entry
from mechanism.market.rules.realised import Realised

RULE = Realised("bilateral", id="realised-bilateral")

ENTRY = market_entry(
    RULE,
    "exact selection, critical values on measured gains, between the two (two stages)",
    "after Mezzetti, 2004; balanced at the price of the buyers' truthfulness",
    truths(
        ir=AT_TRUTH, ir_buyer=AT_TRUTH, ir_seller=AT_TRUTH, interim_ir="yes", dsic="no",
        dsic_cost="no (ex post only)", dsic_gain="no (overstating)", dsic_size="no", expost_cost="yes",
        expost_gain="no (overstating)", expost_size="no (buyers; yes for sellers)", bic="no (gain)", **BALANCED,
        **SHAPED, efficiency=AT_TRUTH, non_bossiness="no", group_dsic="no", split_proof="no", merge_proof="no",
        core="no (from four clients on)",
    ),
    sizes="private",  # a two-stage rule is made for values that depend on what others deliver
)  # fmt: skip
