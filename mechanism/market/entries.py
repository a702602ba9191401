"""What theory says of each market mechanism."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mechanism.entry import CatalogueEntry, truths

_DOMAIN = "market of models: size > 0, cost >= 0, gain >= 0, differences in [0, 2]"
_PAPER = "Zhang, Chai, Ye, Wang, Chen: Incentivizing Inclusive Contributions in Model Sharing Markets, 2025"


MARKET_ENTRIES: Mapping[str, CatalogueEntry] = MappingProxyType(
    {
        entry.id: entry
        for entry in (
            CatalogueEntry(
                "ipfl-exact",
                "exact selection, critical-value payments (default)",
                "the repaired rule: Clarke (1971) and Groves (1973) over each importer's sellers",
                _DOMAIN,
                truths(
                    ir="yes", ir_buyer="yes", ir_seller="yes", dsic_cost="yes", dsic_gain="no", dsic_size="no",
                    budget_balance="yes", efficiency="yes", monotonicity="yes",
                ),
            ),
            CatalogueEntry(
                "ipfl",
                "falling thresholds, marginal payments (the rule in the authors' code)",
                _PAPER,
                _DOMAIN,
                truths(
                    ir="yes", ir_buyer="yes", ir_seller="yes", dsic_cost="no (understating)", dsic_gain="no",
                    dsic_size="no", budget_balance="yes", efficiency="no", monotonicity="yes",
                ),
            ),
            CatalogueEntry(
                "exact-marginal",
                "exact selection, marginal payments",
                "half of the repair: shows that both halves are needed",
                _DOMAIN,
                truths(
                    ir="yes", ir_buyer="yes", ir_seller="yes", dsic_cost="no (understating)", dsic_gain="no",
                    dsic_size="no", budget_balance="yes", efficiency="yes", monotonicity="yes",
                ),
            ),
            CatalogueEntry(
                "no-payment",
                "everybody imports everything, nobody pays",
                "the graph of federated averaging: McMahan et al., 2017",
                _DOMAIN,
                truths(
                    ir="no (sellers)", ir_buyer="yes", ir_seller="no", dsic_cost="yes (constant)", dsic_gain="yes",
                    dsic_size="yes", budget_balance="yes", efficiency="no", monotonicity="yes",
                ),
            ),
        )
    }
)  # fmt: skip
"""The market mechanisms by id."""
