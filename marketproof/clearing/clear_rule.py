"""The mechanism that `clear` is asked for, with its own parameter where it has one."""

from __future__ import annotations

from pathlib import Path

from marketproof.clearing.tables import read_prices
from marketproof.errors import InputError, shown
from marketproof.files.csv_input import number
from mechanism.market.clients import LARGEST
from mechanism.market.mechanisms import Clearing, market_mechanism
from mechanism.market.pooled import PooledPrice
from mechanism.market.posted import PostedPrice


def check_rule(mechanism: str, price: str | None, pool: int | None) -> None:
    """Raise an error, before anything is read, if the mechanism is unknown or has no such parameter."""
    rule = market_mechanism(mechanism)
    if price is not None and not isinstance(rule, PostedPrice):
        raise InputError(f"--price belongs to --mechanism posted-price, not to {mechanism}; leave it out")
    if pool is not None and not isinstance(rule, PooledPrice):
        raise InputError(f"--pool belongs to --mechanism pooled-price, not to {mechanism}; leave it out")


def table_of_prices(price: str | None) -> Path | None:
    """Return the file that ``--price`` names; None where it is a number or not given."""
    return Path(price) if price is not None and price.lower().endswith(".csv") else None


def rule_of(mechanism: str, price: str | None, pool: int | None, names: tuple[str, ...]) -> Clearing:
    """Return the mechanism.

    Raises
    ------
    InputError
        If ``--price`` is neither a number nor a readable table of prices between these clients.
    """
    if price is not None:
        table = table_of_prices(price)
        if table is not None:
            return PostedPrice(read_prices(table, names))
        expected = f"from 0 to {LARGEST:g}, or name a .csv file"
        return PostedPrice(number(price.strip(), "--price", low=0.0, high=LARGEST, expected=expected))
    if pool is not None:
        if pool + 2 > len(names):
            raise InputError(f"--pool {shown(pool)} needs at least {pool + 2} clients; the table has {len(names)}")
        return PooledPrice(pool)
    return market_mechanism(mechanism)
