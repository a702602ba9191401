"""Numbers and names in words: few digits, never those of another amount, and one place that writes them."""

import doctest
import re
from pathlib import Path

import pytest

from mechanism import wording
from mechanism.wording import near, number

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("mechanism", "learning", "proofs_checks", "analysis", "marketproof")

FORMATTERS = {
    "an own number of digits": r":[,+]?\.\{\w+\}[gfe%]",
    "an own guard against the negative zero": r"\+ 0\.0:",
    "own letters": r"chr\((ord|97)",
    "own thousands": r':,\}"?\.replace',
    "an own list in words": r"\[:-1\]\)\} and \{",
    "an own percentage": r":\.\d%\}|\"\{:\.\d%\}\"",
}
"""What only a formatter of its own would write."""


def test_examples():
    assert doctest.testmod(wording).failed == 0


@pytest.mark.parametrize("what", FORMATTERS)
def test_nobody_else_formats(what):
    others = [p for q in PACKAGES for p in (ROOT / q).rglob("*.py") if p.name != "wording.py"]
    assert len(others) > 200
    found = [str(p.relative_to(ROOT)) for p in others if re.search(FORMATTERS[what], p.read_text())]
    assert found == [], f"{what}; take it from mechanism.wording"


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (0.9, "0.9"), (0.1 + 0.2, "0.3"), (0.8999999991, "just under 0.9"), (0.9 * (1 + 1e-9), "just over 0.9"),
        (1.5 * (1 - 1e-6), "just under 1.5"), (0.731234 * (1 - 1e-9), "just under 0.731234"),
        (0.7312344, "0.731234"), (0.73123456789, "0.731235"), (3000.0, "3000"),
        (1e9 * (1 + 1e-9), "just over 1e+09"), (0.0, "0"),
    ],
)  # fmt: skip
def test_a_number_beside_a_short_one_is_not_read_as_that_one(amount, told):
    assert near(amount, number(amount)) == told
