"""Certified clearings as JSON that anyone may send: what was cleared, what was decided, and the certificate."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from mechanism.errors import InvalidMarketError
from mechanism.market.accounting import CentralOutcome, Outcome
from mechanism.market.allocation.certifying import MOST_NODES, certify
from mechanism.market.allocation.checking import CERTIFIED, CRITICAL, Checked, check_clearing
from mechanism.market.allocation.optimality import Certificate
from mechanism.market.allocation.purchases import Purchases
from mechanism.market.clients import Market, Reports
from mechanism.market.gains import law_from_dict, law_to_dict
from mechanism.market.mechanisms import market_mechanism
from mechanism.reading import validated

FORMAT = "marketproof-clearing-1"

MOST_BYTES: int = 1 << 27
"""Bytes of a file that are read."""

_MOST = 2000  # clients
Floats = Annotated[list[FiniteFloat], Field(max_length=_MOST)]
Seller = Annotated[int, Field(ge=-1, lt=_MOST)]  # -1: nobody
Sellers = Annotated[list[Seller], Field(max_length=_MOST)]
Matrix = Annotated[list[Floats], Field(max_length=_MOST)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class InputsFile(_Model):
    """What was cleared: m reports, and what is public."""

    size: Floats
    cost: Floats
    gain: Floats
    lam: FiniteFloat
    law: dict[Annotated[str, Field(max_length=100)], Any]
    differences: Matrix | None
    effective: Matrix | None


class ClearingFile(_Model):
    """One clearing with its certificate; ``imports`` and ``prices`` hold a row for each client, sellers in order.

    ``payment``: "clarke" (a price is the critical value), "marginal" (the gain that is lost without, less the penalty)
    or "two-sided" (``prices`` are 0; ``sales`` the sums of critical values, ``centre`` purchases less sales).
    ``gap``: by how much each importer may miss its optimum, 0: within the tolerance.
    """

    format: Literal["marketproof-clearing-1"]
    mechanism: Annotated[str, Field(max_length=200)]
    payment: Literal["clarke", "marginal", "two-sided"]
    clients: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(min_length=1, max_length=_MOST)]
    inputs: InputsFile
    inputs_digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    imports: Annotated[list[Sellers], Field(max_length=_MOST)]
    prices: Annotated[list[Floats], Field(max_length=_MOST)]
    centre: Floats
    sales: Floats | None
    gap: Floats
    nodes: Annotated[list[Seller], Field(max_length=MOST_NODES)]
    slopes: Annotated[list[FiniteFloat], Field(max_length=MOST_NODES)]
    others: Annotated[list[Sellers], Field(max_length=MOST_NODES)]
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def certified(
    names: Sequence[str], reports: Reports, market: Market, outcome: Outcome, mechanism: str, payment: str
) -> tuple[dict[str, Any], Checked]:
    """Return one clearing with its certificate as plain data, and what the check finds of it.

    `InvalidMarketError` if no certificate is known for these payments or this law, or it would be too large.
    """
    if payment not in CERTIFIED:
        raise InvalidMarketError(
            f"no certificate for payments {payment!r}; expected ipfl, ipfl-exact, exact-marginal or vcg-two-sided"
        )
    purchases = Purchases.of(reports, market)
    certificate = certify(purchases, outcome.imports, critical=payment in CRITICAL)
    found = check_clearing(purchases, outcome, certificate, payment, mechanism)
    rows = [np.flatnonzero(row) for row in outcome.imports]
    inputs = {
        "size": reports.size.tolist(),
        "cost": reports.cost.tolist(),
        "gain": reports.gain.tolist(),
        "lam": float(market.lam),
        "law": law_to_dict(market.law),
        "differences": None if market.differences is None else market.differences.tolist(),
        "effective": None if market.effective is None else market.effective.tolist(),
    }
    content = {
        "format": FORMAT,
        "mechanism": mechanism,
        "payment": payment,
        "clients": list(names),
        "inputs": inputs,
        "inputs_digest": digest_of({"clients": list(names), **inputs}),
        "imports": [row.tolist() for row in rows],
        "prices": [outcome.prices[i, row].tolist() for i, row in enumerate(rows)],
        "centre": outcome.centre.tolist(),
        "sales": outcome.sales.tolist() if isinstance(outcome, CentralOutcome) else None,
        "gap": np.where(found.gap <= found.tolerance, 0.0, found.gap).tolist(),
        "nodes": certificate.nodes.tolist(),
        "slopes": certificate.slopes.tolist(),
        "others": [list(other) for other in certificate.others],
    }
    return {**content, "digest": digest_of(content)}, found


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain data as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def check_file(data: Mapping[str, Any], name: str) -> Checked:
    """Check what was read from a file of a certified clearing, trusting nothing in it; ``name`` stands in messages.

    `InvalidMarketError` if it is damaged or holds no such thing, or numbers that are those of no market.
    """
    told = validated(ClearingFile, data, name, error=InvalidMarketError)
    plain = {key: value for key, value in data.items() if key != "digest"}
    if digest_of(plain) != told.digest:
        raise InvalidMarketError(f"{name}: its digest does not fit: the file was changed after it was written")
    if digest_of({"clients": told.clients, **data["inputs"]}) != told.inputs_digest:
        raise InvalidMarketError(f"{name}: the digest of its inputs does not fit: they are those of another clearing")
    return check_parts(told)


def check_parts(told: ClearingFile) -> Checked:
    """Check the parts of a certified clearing, whatever their digests say.

    `InvalidMarketError` as `check_file`, but for the digests.
    """
    given, m = told.inputs, len(told.clients)
    if (rule := market_mechanism(told.mechanism).payment) != told.payment:
        raise InvalidMarketError(f"{told.mechanism} has payments {rule!r}, and the certificate is of {told.payment!r}")
    matrices = (None if part is None else np.array(_square(part, m)) for part in (given.differences, given.effective))
    differences, effective = matrices
    market = Market(differences, given.lam, law_from_dict(given.law), effective)
    reports = Reports(np.array(given.size), np.array(given.cost), np.array(given.gain))
    vectors = (given.size, given.cost, given.gain, told.imports, told.prices, told.centre, told.gap)
    if any(len(part) != m for part in (*vectors, *(() if told.sales is None else (told.sales,)))):
        raise InvalidMarketError(f"the certificate is not of {m} clients in all its parts")
    imports, prices = np.zeros((m, m), dtype=np.bool_), np.zeros((m, m))
    for i, (row, paid) in enumerate(zip(told.imports, told.prices, strict=True)):
        if len(row) != len(paid) or not all(0 <= j < m and j != i for j in row) or sorted(set(row)) != row:
            raise InvalidMarketError(f"imports and prices of client {i} are no list of sellers with a price for each")
        imports[i, row], prices[i, row] = True, paid
    if (told.payment == "two-sided") != (told.sales is not None):
        raise InvalidMarketError("sales belong to two-sided payments, and to no others")
    centre, gap = np.array(told.centre), np.array(told.gap)
    outcome = Outcome(imports, prices, centre, gap)
    if told.sales is not None:
        outcome = CentralOutcome(imports, prices, centre, gap, np.array(told.sales))
    certificate = Certificate(
        np.array(told.nodes, dtype=np.int64), np.array(told.slopes), tuple(tuple(other) for other in told.others)
    )
    return check_clearing(Purchases.of(reports, market), outcome, certificate, told.payment, told.mechanism, gap)


def _square(rows: list[list[float]], m: int) -> list[list[float]]:
    if len(rows) != m or any(len(row) != m for row in rows):
        raise InvalidMarketError(f"differences and effective sizes need {m} rows of {m} numbers")
    return rows
