"""What theory says of each market mechanism.

Two conditions recur. "sizes as reported": a buyer that chose on an overstated size may regret buying, whatever the
rule, so that promises to buyers "whatever the others report" are promises given the sizes (verified, or truthful).
"at truth": when everybody tells the truth. Identities (split, merge) are judged by the seller's part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mechanism.direct import DirectMechanism
from mechanism.entry import CatalogueEntry, truths
from mechanism.market.direct import MarketDirect
from mechanism.market.mechanisms import market_mechanism

_DOMAIN = "market of models: size > 0, cost >= 0, gain >= 0, differences in [0, 2]"
_PAPER = "Zhang, Chai, Ye, Wang, Chen: Incentivizing Inclusive Contributions in Model Sharing Markets, 2025"

_GIVEN = "yes (sizes as reported)"
_AT_TRUTH = "yes (at truth)"

_RATIONAL = {"ir": _GIVEN, "ir_buyer": _GIVEN, "ir_seller": "yes", "interim_ir": "yes"}
_BALANCED = {"budget_balance": "yes", "weak_budget_balance": "yes"}
_CENTRAL = {"budget_balance": "no (through the centre)", "weak_budget_balance": "no (a pivotal seller is a deficit)"}
_SHAPED = {"monotonicity": "yes (in cost)", "cyclic_monotonicity": "yes (in cost)", "anonymity": "yes (ties aside)"}


def _honest(cost: str, gain: str, size: str) -> dict[str, str]:
    """Truthfulness where values are private: what holds against all reports holds against truthful ones and back."""
    answers = {"cost": cost, "gain": gain, "size": size}
    false = [name for name, answer in answers.items() if answer.startswith("no")]
    return {
        "dsic": f"no ({', '.join(false)})" if false else "yes",
        **{f"dsic_{name}": answer for name, answer in answers.items()},
        **{f"expost_{name}": answer.replace(_GIVEN, "yes") for name, answer in answers.items()},
    }


_OPEN = "; what others deliver may differ from the sizes that they report"


def _build(name: str, sizes: str) -> Callable[[int], DirectMechanism]:
    return lambda agents: MarketDirect(market_mechanism(name), agents, sizes=sizes)


def _entry(
    name: str, title: str, citation: str, known: Mapping[str, str], fewest: int = 2, sizes: str = "delivered"
) -> CatalogueEntry:
    domain = _DOMAIN + (_OPEN if sizes == "private" else "")
    return CatalogueEntry(name, title, citation, domain, known, _build(name, sizes), agents=4, fewest=fewest)


_ENTRIES = (
    _entry(
        "ipfl-exact",
        "exact selection, critical-value payments (default)",
        "the repaired rule: Clarke (1971) and Groves (1973) over each importer's sellers",
        truths(
            **_RATIONAL,
            **_honest("yes", "no (either way)", "no"),
            **_BALANCED,
            **_SHAPED,
            bic="no (gain and size; yes in cost)",
            efficiency="yes",
            non_bossiness="no",
            group_dsic="no",
            split_proof="no",
            merge_proof="no",
            core="no (from four clients on)",
        ),
    ),
    _entry(
        "ipfl",
        "falling thresholds, marginal payments (the rule in the authors' code)",
        _PAPER,
        truths(
            **_RATIONAL,
            **_honest("no (understating)", "no (either way)", "no"),
            **_BALANCED,
            **_SHAPED,
            bic="no",
            efficiency="no",
            non_bossiness="no",
            group_dsic="no",
            split_proof="no (with penalties)",
            merge_proof="no",
            core="no",
        ),
    ),
    _entry(
        "exact-marginal",
        "exact selection, marginal payments",
        "half of the repair: shows that both halves are needed",
        truths(
            **_RATIONAL,
            **_honest("no (understating)", "no (either way)", "no"),
            **_BALANCED,
            **_SHAPED,
            bic="no",
            efficiency="yes",
            group_dsic="no",
            split_proof="no (with penalties)",
            merge_proof="no",
            core="no",
        ),
    ),
    _entry(
        "posted-price",
        "prices fixed beforehand, taken or left (catalogue: price 1)",
        "Hagerty and Rogerson: Robust Trading Mechanisms, 1987",
        truths(
            **_RATIONAL,
            **_honest("yes", _GIVEN, "no (sellers)"),
            **_BALANCED,
            **_SHAPED,
            bic="no (size; yes in cost and gain)",
            efficiency="no",
            non_bossiness="no (size)",
            group_dsic="no",
            split_proof="no",
            merge_proof="no",
            core="no",
        ),
    ),
    _entry(
        "pooled-price",
        "the k cheapest at the cost of the next (default: half of the others)",
        "after McAfee: A Dominant Strategy Double Auction, 1992 (a price set by who does not trade)",
        truths(
            **_RATIONAL,
            **_honest("yes", _GIVEN, "no"),
            **_BALANCED,
            **_SHAPED,
            bic="no (size; yes in cost and gain)",
            efficiency="no",
            non_bossiness="no",
            group_dsic="no",
            split_proof="no (from four clients on)",
            merge_proof="no (from four clients on)",
            core="no",
        ),
        fewest=3,
    ),
    _entry(
        "vcg-two-sided",
        "exact selection, everyone pays its pivot to a centre",
        "Vickrey, 1961; Clarke, 1971; Groves, 1973; the deficit: Myerson and Satterthwaite, 1983",
        truths(
            **_RATIONAL,
            **_honest("yes", _GIVEN, "no"),
            **_CENTRAL,
            **_SHAPED,
            bic="no (size; yes in cost and gain)",
            efficiency="yes",
            non_bossiness="no",
            group_dsic="no",
            split_proof="no",
            merge_proof="no",
            core="no (with penalties; unblocked, but subsidised, without)",
        ),
    ),
    _entry(
        "shapley-split",
        "exact selection, cost and Shapley value",
        "Shapley: A Value for n-Person Games, 1953",
        truths(
            **_RATIONAL,
            **_honest("no (both directions)", "no", "no"),
            **_BALANCED,
            **_SHAPED,
            bic="no",
            efficiency="yes",
            group_dsic="no",
            split_proof="no",
            merge_proof="no",
            core="no",
        ),
    ),
    _entry(
        "realised",
        "exact selection, pivots on measured gains, through a centre (two stages)",
        "Mezzetti: Mechanism Design with Interdependent Valuations: Efficiency, 2004",
        truths(
            ir=_AT_TRUTH,
            ir_buyer=_AT_TRUTH,
            ir_seller=_AT_TRUTH,
            interim_ir="yes",
            dsic="no (ex post only)",
            dsic_cost="no (ex post only)",
            dsic_gain="no (ex post only)",
            dsic_size="no (ex post only)",
            expost_cost="yes",
            expost_gain="yes",
            expost_size="yes",
            bic="yes",
            **_CENTRAL,
            **_SHAPED,
            efficiency=_AT_TRUTH,
            non_bossiness="no",
            group_dsic="no",
            split_proof="no",
            merge_proof="no",
            core="no (with penalties; unblocked, but subsidised, without)",
        ),
        sizes="private",  # a two-stage rule is made for values that depend on what others deliver
    ),
    _entry(
        "realised-bilateral",
        "exact selection, critical values on measured gains, between the two (two stages)",
        "after Mezzetti, 2004; balanced at the price of the buyers' truthfulness",
        truths(
            ir=_AT_TRUTH,
            ir_buyer=_AT_TRUTH,
            ir_seller=_AT_TRUTH,
            interim_ir="yes",
            dsic="no",
            dsic_cost="no (ex post only)",
            dsic_gain="no (overstating)",
            dsic_size="no",
            expost_cost="yes",
            expost_gain="no (overstating)",
            expost_size="no (buyers; yes for sellers)",
            bic="no (gain)",
            **_BALANCED,
            **_SHAPED,
            efficiency=_AT_TRUTH,
            non_bossiness="no",
            group_dsic="no",
            split_proof="no",
            merge_proof="no",
            core="no (from four clients on)",
        ),
        sizes="private",  # a two-stage rule is made for values that depend on what others deliver
    ),
    _entry(
        "no-payment",
        "everybody imports everything, nobody pays",
        "the graph of federated averaging: McMahan et al., 2017",
        truths(
            ir="no (sellers)",
            ir_buyer="yes",
            ir_seller="no",
            interim_ir="no (a client that wants no model)",
            **_honest("yes (constant)", "yes (constant)", "yes (constant)"),
            **_BALANCED,
            **_SHAPED,
            bic="yes",
            efficiency="no",
            non_bossiness="yes",
            group_dsic="yes (constant)",
            split_proof="yes",
            merge_proof="no (two that merge stop serving each other)",
            core="no",
        ),
    ),
)

MARKET_ENTRIES: Mapping[str, CatalogueEntry] = MappingProxyType({entry.id: entry for entry in _ENTRIES})
"""The market mechanisms by id."""
