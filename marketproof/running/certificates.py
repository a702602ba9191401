"""Recorded clearings, held against certificates: purchases optimal and prices right, whatever cleared them."""

from collections.abc import Sequence

import numpy as np

from analysis.run.market import MarketRecord
from analysis.run.results import Certified
from mechanism.errors import InvalidMarketError
from mechanism.market.accounting import CentralOutcome
from mechanism.market.allocation.certifying import certify
from mechanism.market.allocation.checking import CERTIFIED, CRITICAL, check_clearing
from mechanism.market.allocation.purchases import Purchases
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import FEWEST
from mechanism.wording import number, plural

MOST_CLEARINGS: int = 200
"""Clearings of a method that are certified."""

MOST_CELLS: int = 4_000_000
"""Pairs of importer and exporter in them."""


def certified(mechanism: Clearing | None, records: Sequence[MarketRecord]) -> Certified | None:
    """Certify and check the recorded clearings of one method, of many a sample evenly spread over seeds and rounds.

    None where purchases are not claimed to be optimal.
    """
    if mechanism is None or mechanism.allocation != "exact":
        return None
    every = [(record, k) for record in records for k in range(record.rounds)]
    count = min(len(every), MOST_CLEARINGS, max(1, MOST_CELLS // max(1, records[0].clients) ** 2))
    checked = [_checked(mechanism, *every[len(every) * at // count]) for at in range(count)]
    failures = [failure for failure, _ in checked if failure]
    gap = max((gap for _, gap in checked), default=0.0)
    priced, proved = mechanism.payment in CERTIFIED, count - len(failures)
    sample = "" if count == len(every) else f" (a sample of {plural(len(every), 'clearing')}, evenly spread)"
    words = (
        f"{proved} of {plural(count, 'clearing')}{sample} proved optimal{' and correctly priced' if priced else ''} by "
        "certificate, on what was reported, without trusting the search: no purchase misses its optimum by more than "
        f"{number(gap)}."
    )
    if not priced:
        words += " What is paid is settled on what was measured, and is not certified."
    if failures:
        words += f" NOT proved: {failures[0]}."
    largest = gap if np.isfinite(gap) else None
    return Certified(clearings=len(every), checked=count, proved=proved, largest_gap=largest, words=words)


def _checked(mechanism: Clearing, record: MarketRecord, k: int) -> tuple[str, float]:
    """Return why a clearing is not proved ("": it is), and by how much a purchase in it may miss its optimum."""
    here = np.flatnonzero(record.present[k])
    if len(here) < FEWEST:
        return "", 0.0
    pairs, whole = np.ix_(here, here), record.outcome
    parts = whole.imports[k][pairs], whole.prices[k][pairs], whole.centre[k][here], whole.gap[k][here]
    outcome = CentralOutcome(*parts, whole.sales[k][here])
    try:
        purchases = Purchases.of(record.reports.at(k).take(here), record.market.at(k).take(here))
        certificate = certify(purchases, outcome.imports, critical=mechanism.payment in CRITICAL)
        found = check_clearing(purchases, outcome, certificate, mechanism.payment, mechanism.id)
    except InvalidMarketError as error:
        return f"round {k + 1}: {error}", float(np.inf)
    gap = float(found.gap.max(initial=0.0))
    if found.proved:
        return "", gap
    worst = int(here[np.argmax(found.gap - found.tolerance)])
    return f"round {k + 1}: {(*found.failures, f'client {worst} may miss its optimum by {number(gap)}')[0]}", gap
