"""Individual rationality: nobody who tells the truth is worse off than outside (`ir`, `ir-buyer`, `ir-seller`)."""

from __future__ import annotations

from typing import Literal

from mechanism import Market, Types, account
from proofs_checks.properties.check import Check, scales, worst
from proofs_checks.protocol import Clears

Role = Literal["client", "buyer", "seller"]

_NAMES = {"client": "ir", "buyer": "ir-buyer", "seller": "ir-seller"}


def ir(mechanism: Clears, types: Types, market: Market, role: Role = "client") -> Check:
    """Check U_i >= 0, or one role's part of it, when all tell the truth.

    buyer: G_i - paid_i - centre_i >= 0; seller: received_i - c_i exports_i >= 0. Types ``[..., m]``; the violation is
    minus the lowest part.
    """
    accounts = account(types, mechanism.clear(types.truthful(), market), market.law)
    part = {"client": accounts.utility, "buyer": accounts.buyer, "seller": accounts.seller}[role]
    return worst(_NAMES[role], -part, scales(accounts))
