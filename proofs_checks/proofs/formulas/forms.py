"""Linear statements with integer coefficients, written as text: ``p - 2 c + W = 0`` or ``p - c >= 0``.

An atom is a quantity with a name; ``p[j]`` says that it exists once for every j, ``Σp`` is its sum over j.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from proofs_checks.proofs.checkers.codec import CertificateError

_TOKEN = re.compile(r"[^\s+=><-][^\s+=><]*")


@dataclass(frozen=True)
class Form:
    """``Σ coefficient · atom  relation  0``: terms by atom, no coefficient 0; ``relation`` is ``=`` or ``>=``."""

    terms: tuple[tuple[str, int], ...]
    relation: str

    def __str__(self) -> str:
        words = []
        for atom, coefficient in self.terms:
            sign = "-" if coefficient < 0 else "+"
            size = "" if abs(coefficient) == 1 else f"{abs(coefficient)} "
            words.append(f"{sign} {size}{atom}")
        left = " ".join(words).removeprefix("+ ") or "0"
        return f"{left} {self.relation} 0"


def combined(parts: Iterable[tuple[int, Form]], relation: str) -> Form:
    """Return the sum of multiples of forms as one form with the relation given."""
    total: dict[str, int] = {}
    for multiplier, form in parts:
        for atom, coefficient in form.terms:
            total[atom] = total.get(atom, 0) + multiplier * coefficient
    return Form(tuple(sorted((a, c) for a, c in total.items() if c)), relation)


def form(text: str) -> Form:
    """Read a form.

    >>> str(form("p - 2 c + 0 x >= 0"))
    '- 2 c + p >= 0'

    Raises
    ------
    CertificateError
        If the text is no such statement.
    """
    match = re.fullmatch(r"(.{1,2000}?) (>=|=) 0", text)
    if match is None:
        raise CertificateError(f"{text[:60]!r} is no linear statement; expected one such as 'p - c >= 0'")
    total: dict[str, int] = {}
    words = match[1].split(" ")
    sign, size, expect_sign = 1, 1, False
    for k, word in enumerate(words):
        if word in ("+", "-") and (expect_sign or k == 0):
            sign, expect_sign = (1 if word == "+" else -1), False
        elif not expect_sign and re.fullmatch(r"[0-9]{1,9}", word, re.ASCII) and k + 1 < len(words):
            size *= int(word)
        elif not expect_sign and _TOKEN.fullmatch(word) and not word.isdigit():
            total[word] = total.get(word, 0) + sign * size
            sign, size, expect_sign = 1, 1, True
        elif words == ["0"]:
            expect_sign = True
        else:
            raise CertificateError(f"{text[:60]!r} cannot be read at {word[:20]!r}; expected 'p - 2 c >= 0'")
    if not expect_sign:
        raise CertificateError(f"{text[:60]!r} ends early; expected 'p - 2 c >= 0'")
    return Form(tuple(sorted((a, c) for a, c in total.items() if c)), match[2])
