"""Economics on arrays: types and reports, allocation, payments, and the mechanisms that put them together.

>>> from mechanism import Market, Types, account, market_mechanism
>>> types = Types(size=[100, 300, 300], cost=[0, 1.1, 1.0], gain=[3600, 0, 0])
>>> outcome = market_mechanism("ipfl-exact").clear(types.truthful(), Market())
>>> outcome.prices[0].round(9).tolist(), account(types, outcome).utility.round(9).tolist()
([0.0, 0.0, 1.1], [1.9, 0.0, 0.1])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mechanism.errors import InvalidMarketError, InvalidMechanismError, MarketProofError, SolverError, UnknownNameError

if TYPE_CHECKING:
    from mechanism.direct import DirectMechanism, SingleParameter, Space, single_parameter
    from mechanism.market.accounting import MONEY, TIE, Accounts, Outcome, account, fixed_outcome, objective
    from mechanism.market.allocation.selection import optimal_objective
    from mechanism.market.clients import Market, Reports, Types
    from mechanism.market.gains import GainLaw, PowerGain, SqrtGain, TableGain
    from mechanism.market.mechanisms import market_mechanism
    from mechanism.market.rules.rule import MarketMechanism

__all__ = [
    "MONEY", "TIE", "Accounts", "DirectMechanism", "GainLaw", "InvalidMarketError", "InvalidMechanismError", "Market",
    "MarketMechanism", "MarketProofError", "Outcome", "PowerGain", "Reports", "SingleParameter", "SolverError", "Space",
    "SqrtGain", "TableGain", "Types", "UnknownNameError", "account", "fixed_outcome", "market_mechanism", "objective",
    "optimal_objective", "single_parameter",
]  # fmt: skip

_HOMES = {
    "direct": ("DirectMechanism", "SingleParameter", "Space", "single_parameter"),
    "market.accounting": ("MONEY", "TIE", "Accounts", "Outcome", "account", "fixed_outcome", "objective"),
    "market.allocation.selection": ("optimal_objective",),
    "market.clients": ("Market", "Reports", "Types"),
    "market.gains": ("GainLaw", "PowerGain", "SqrtGain", "TableGain"),
    "market.mechanisms": ("market_mechanism",),
    "market.rules.rule": ("MarketMechanism",),
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: a command that only prints its help needs no arrays."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"mechanism.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
