"""Federated averaging as a market: everybody imports everything, nobody pays."""

from mechanism.entry import BALANCED, truths
from mechanism.market.direct import SHAPED, honest, market_entry
from mechanism.market.rules.rule import MarketMechanism

RULE = MarketMechanism("no-payment", "full", "none")

ENTRY = market_entry(
    RULE,
    "everybody imports everything, nobody pays",
    "the graph of federated averaging: McMahan et al., 2017",
    truths(
        ir="no (sellers)", ir_buyer="yes", ir_seller="no", interim_ir="no (a client that wants no model)",
        **honest("yes (constant)", "yes (constant)", "yes (constant)"), **BALANCED, **SHAPED, bic="yes",
        efficiency="no", non_bossiness="yes", group_dsic="yes (constant)", split_proof="yes",
        merge_proof="no (two that merge stop serving each other)", core="no",
    ),
)  # fmt: skip
