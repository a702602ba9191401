"""The model market: clients, gain laws, allocation and payment rules, the accounting identity."""

from mechanism.market.accounting import Accounts, Outcome, account, fixed_outcome, objective, total_data, values
from mechanism.market.allocation.selection import optimal_objective, thresholds
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.gains import GainLaw, PowerGain, SqrtGain, TableGain
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.rule import ALLOCATIONS, PAYMENTS, MarketMechanism

__all__ = [
    "ALLOCATIONS",
    "PAYMENTS",
    "Accounts",
    "GainLaw",
    "Market",
    "MarketMechanism",
    "Outcome",
    "PowerGain",
    "Reports",
    "SqrtGain",
    "TableGain",
    "Types",
    "account",
    "fixed_outcome",
    "market_mechanism",
    "objective",
    "optimal_objective",
    "thresholds",
    "total_data",
    "values",
]
