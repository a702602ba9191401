"""What the entries of the market mechanisms share: their domain, and truths that go together."""

from __future__ import annotations

from collections.abc import Mapping

from mechanism.entry import CatalogueEntry
from mechanism.market.direct import MarketDirect
from mechanism.market.rules.rule import Clearing

PAPER = "Zhang, Chai, Ye, Wang, Chen: Incentivizing Inclusive Contributions in Model Sharing Markets, 2025"

GIVEN = "yes (sizes as reported)"
AT_TRUTH = "yes (at truth)"

RATIONAL = {"ir": GIVEN, "ir_buyer": GIVEN, "ir_seller": "yes", "interim_ir": "yes"}
CENTRAL = {"budget_balance": "no (through the centre)", "weak_budget_balance": "no (a pivotal seller is a deficit)"}
SHAPED = {"monotonicity": "yes (in cost)", "cyclic_monotonicity": "yes (in cost)", "anonymity": "yes (ties aside)"}


def honest(cost: str, gain: str, size: str) -> dict[str, str]:
    """Truthfulness where values are private: what holds against all reports holds against truthful ones and back."""
    answers = {"cost": cost, "gain": gain, "size": size}
    false = [name for name, answer in answers.items() if answer.startswith("no")]
    return {
        "dsic": f"no ({', '.join(false)})" if false else "yes",
        **{f"dsic_{name}": answer for name, answer in answers.items()},
        **{f"expost_{name}": answer.replace(GIVEN, "yes") for name, answer in answers.items()},
    }


def market_entry(
    rule: Clearing, title: str, citation: str, truths: Mapping[str, str], fewest: int = 2, sizes: str = "delivered"
) -> CatalogueEntry:
    """Return the entry of a market mechanism; ``sizes``: whether delivered data is as reported (`MarketDirect`)."""
    domain = "market of models: size > 0, cost >= 0, gain >= 0, differences in [0, 2]"
    if sizes == "private":
        domain += "; what others deliver may differ from the sizes that they report"

    def build(agents: int) -> MarketDirect:
        return MarketDirect(rule, agents, sizes=sizes)

    return CatalogueEntry(rule.id, title, citation, domain, truths, build, agents=4, fewest=fewest)
