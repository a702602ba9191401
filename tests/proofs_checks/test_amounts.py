"""Amounts in words: few digits, and never those of another amount."""

from __future__ import annotations

import pytest

from proofs_checks.amounts import money, near


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (0.9, "0.9"),
        (0.1 + 0.2, "0.3"),
        (0.8999999991, "just under 0.9"),
        (0.9 * (1 + 1e-9), "just over 0.9"),
        (1.5 * (1 - 1e-6), "just under 1.5"),
        (0.731234 * (1 - 1e-9), "just under 0.731234"),
        (0.7312344, "0.731234"),
        (0.73123456789, "0.731235"),
        (3000.0, "3000"),
        (1e9 * (1 + 1e-9), "just over 1e+09"),
        (0.0, "0"),
    ],
)
def test_a_number_beside_a_short_one_is_not_read_as_that_one(amount, told):
    assert near(amount, money(amount)) == told
