"""Every mechanism by id: what it is, where it is from, and what theory says of each property.

A truth is "yes", "no" or a short condition. It states what is known, not what was checked: evidence is the business of
the verification package, and a disagreement between the two is a bug in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "ir": "U_i >= 0 for every client that tells the truth: nobody loses by taking part",
        "ir-buyer": "gain less payments >= 0 for every importer",
        "ir-seller": "payments received less the cost of exporting >= 0 for every exporter",
        "dsic-cost": "no client gains by a false report of its cost, whatever the others report",
        "dsic-gain": "no client gains by a false report of its gain parameter, whatever the others report",
        "dsic-size": "no client gains by a false report of its number of samples, whatever the others report",
        "budget-balance": "what all pay and receive sums to zero",
        "efficiency": "the allocation maximises V_lambda, welfare less the difference penalties, on the reported types",
        "monotonicity": "a dearer seller sells no more",
    }
)
"""Properties by id, each in words. U_i = G_i - c_i·exports_i - paid_i + received_i."""


@dataclass(frozen=True)
class CatalogueEntry:
    """One mechanism: ``truths`` maps the ids of `PROPERTIES` to what theory says."""

    id: str
    title: str
    citation: str
    domain: str
    truths: Mapping[str, str]


_DOMAIN = "market of models: size > 0, cost >= 0, gain >= 0, differences in [0, 2]"
_PAPER = "Zhang, Chai, Ye, Wang, Chen: Incentivizing Inclusive Contributions in Model Sharing Markets, 2025"


def _truths(**known: str) -> Mapping[str, str]:
    return MappingProxyType({name.replace("_", "-"): truth for name, truth in known.items()})


MARKET_MECHANISMS: Mapping[str, CatalogueEntry] = MappingProxyType(
    {
        entry.id: entry
        for entry in (
            CatalogueEntry(
                "ipfl-exact",
                "exact selection, critical-value payments (default)",
                "the repaired rule: Clarke (1971) and Groves (1973) over each importer's sellers",
                _DOMAIN,
                _truths(
                    ir="yes", ir_buyer="yes", ir_seller="yes", dsic_cost="yes", dsic_gain="no", dsic_size="no",
                    budget_balance="yes", efficiency="yes", monotonicity="yes",
                ),
            ),
            CatalogueEntry(
                "ipfl",
                "falling thresholds, marginal payments (the rule in the authors' code)",
                _PAPER,
                _DOMAIN,
                _truths(
                    ir="yes", ir_buyer="yes", ir_seller="yes", dsic_cost="no (understating)", dsic_gain="no",
                    dsic_size="no", budget_balance="yes", efficiency="no", monotonicity="yes",
                ),
            ),
            CatalogueEntry(
                "exact-marginal",
                "exact selection, marginal payments",
                "half of the repair: shows that both halves are needed",
                _DOMAIN,
                _truths(
                    ir="yes", ir_buyer="yes", ir_seller="yes", dsic_cost="no (understating)", dsic_gain="no",
                    dsic_size="no", budget_balance="yes", efficiency="yes", monotonicity="yes",
                ),
            ),
            CatalogueEntry(
                "no-payment",
                "everybody imports everything, nobody pays",
                "the graph of federated averaging: McMahan et al., 2017",
                _DOMAIN,
                _truths(
                    ir="no (sellers)", ir_buyer="yes", ir_seller="no", dsic_cost="yes (constant)", dsic_gain="yes",
                    dsic_size="yes", budget_balance="yes", efficiency="no", monotonicity="yes",
                ),
            ),
        )
    }
)  # fmt: skip
"""The market mechanisms that `mechanism.market_mechanism` returns, by id."""
