"""Economics on arrays: types and reports, allocation, payments, and the mechanisms that put them together.

>>> from mechanism import Market, Types, account, market_mechanism
>>> types = Types(size=[100, 300, 300], cost=[0, 1.1, 1.0], gain=[3600, 0, 0])
>>> outcome = market_mechanism("ipfl-exact").clear(types.truthful(), Market())
>>> outcome.prices[0].round(9).tolist(), account(types, outcome).utility.round(9).tolist()
([0.0, 0.0, 1.1], [1.9, 0.0, 0.1])
"""

from mechanism.direct import DirectMechanism, SingleParameter, Space, single_parameter
from mechanism.errors import InvalidMarketError, InvalidMechanismError, MarketProofError, SolverError, UnknownNameError
from mechanism.market import (
    Accounts,
    GainLaw,
    Market,
    MarketMechanism,
    Outcome,
    PowerGain,
    Reports,
    SqrtGain,
    TableGain,
    Types,
    account,
    fixed_outcome,
    market_mechanism,
    objective,
    optimal_objective,
)
from mechanism.tolerance import MONEY, TIE

__all__ = [
    "MONEY",
    "TIE",
    "Accounts",
    "DirectMechanism",
    "GainLaw",
    "InvalidMarketError",
    "InvalidMechanismError",
    "Market",
    "MarketMechanism",
    "MarketProofError",
    "Outcome",
    "PowerGain",
    "Reports",
    "SingleParameter",
    "SolverError",
    "Space",
    "SqrtGain",
    "TableGain",
    "Types",
    "UnknownNameError",
    "account",
    "fixed_outcome",
    "market_mechanism",
    "objective",
    "optimal_objective",
    "single_parameter",
]
